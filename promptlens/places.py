"""Where weights and vocabularies lie on the user's machine: the Hugging Face cache, and the folders of programs that make pictures.

    A1111      models/Stable-diffusion
    Forge      models/Stable-diffusion, models/text_encoder
    ComfyUI    models/checkpoints, models/text_encoders, models/clip, models/diffusers, and what extra_model_paths.yaml adds
    InvokeAI   models, whatever its versions made of it below

T5's vocabulary comes with ComfyUI and Forge themselves; InvokeAI and pipelines of diffusers keep it beside their models. A root may be any
of them, or a folder that one of them lies in. It leaves out opening files.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from promptlens.errors import ConfigError
from promptlens.home import with_home

# How deep checkpoints are looked for: users sort them into folders, InvokeAI as models/sdxl/main/<name>/text_encoder_2.
DEPTH = 5
EXTRA_PATHS = "extra_model_paths.yaml"
# Kinds of folder in extra_model_paths.yaml that can hold text encoders.
EXTRA_KINDS = ("checkpoints", "text_encoders", "clip", "diffusers")


@dataclass(frozen=True, slots=True)
class Install:
    """A program: files that give its folder away, its folders with weights, and patterns of where it has T5's vocabulary.

    `hosts` are those that read prompts as it does, `embeddings` and `loras` its folders of these, `wildcards` patterns of folders.
    """

    title: str
    marks: tuple[str, ...]
    folders: tuple[str, ...]
    vocabularies: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    embeddings: str = ""
    loras: str = ""
    wildcards: tuple[str, ...] = ()


# What folders of a pipeline with T5 in it are called: SD3's third tokenizer, Flux's second.
T5_FOLDERS = ("tokenizer_3", "tokenizer_2")

# sd-dynamic-prompts and other extensions keep theirs in a folder of this name.
_WEBUI_WILDCARDS = ("extensions/*/wildcards", "wildcards")

# Forge before A1111, whose marks it has too.
INSTALLS: tuple[Install, ...] = (
    Install(
        "Forge",
        ("modules_forge",),
        ("models/Stable-diffusion", "models/text_encoder"),
        tuple(f"backend/huggingface/*/*/{name}/tokenizer.json" for name in T5_FOLDERS),
        hosts=("forge", "a1111"),
        embeddings="embeddings",
        loras="models/Lora",
        wildcards=_WEBUI_WILDCARDS,
    ),
    Install(
        "A1111",
        ("webui.py", "launch.py"),
        ("models/Stable-diffusion",),
        hosts=("a1111", "forge"),
        embeddings="embeddings",
        loras="models/Lora",
        wildcards=_WEBUI_WILDCARDS,
    ),
    Install(
        "ComfyUI",
        ("comfy", "folder_paths.py"),
        ("models/checkpoints", "models/text_encoders", "models/clip", "models/diffusers"),
        ("comfy/text_encoders/t5_tokenizer/tokenizer.json", "comfy/t5_tokenizer/tokenizer.json"),
        hosts=("comfyui", "swarmui"),
        embeddings="models/embeddings",
        loras="models/loras",
        wildcards=("wildcards", "custom_nodes/*/wildcards"),
    ),
    Install(
        "InvokeAI",
        ("invokeai.yaml",),
        ("models",),
        tuple(f"models/{depth}{name}/tokenizer.json" for depth in ("*/", "*/*/*/") for name in T5_FOLDERS),
    ),
)


@dataclass(frozen=True, slots=True)
class Place:
    """A folder to look in, and how to name it to the user."""

    title: str
    folder: Path


def hub_cache() -> Path:
    """The Hugging Face cache, by the rule of its own library: HF_HUB_CACHE, HF_HOME/hub, XDG_CACHE_HOME, ~/.cache."""
    for variable in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if given := os.environ.get(variable):
            return with_home(os.path.expandvars(given), variable)
    if home := os.environ.get("HF_HOME"):
        return with_home(os.path.expandvars(home), "HF_HOME") / "hub"
    given = os.environ.get("XDG_CACHE_HOME")
    return with_home(given or "~/.cache", "XDG_CACHE_HOME" if given else "") / "huggingface" / "hub"


def pulled_folder() -> Path:
    """Where `promptlens encoders pull` keeps weights; PROMPTLENS_ENCODERS moves it."""
    if given := os.environ.get("PROMPTLENS_ENCODERS"):
        return with_home(given, "PROMPTLENS_ENCODERS")
    from platformdirs import user_data_path

    return user_data_path("promptlens", appauthor=False) / "encoders"


def cached_snapshots(cache: Path) -> Iterator[Place]:
    """Folders of the Hugging Face cache, one a model: the newest snapshot, by name of the repository."""
    for repo in sorted(_folders(cache, "models--*")):
        snapshots = sorted(_folders(repo / "snapshots", "*"), key=lambda p: p.stat().st_mtime)
        main = repo / "refs" / "main"
        if main.is_file():
            current = repo / "snapshots" / main.read_text(encoding="utf-8").strip()
            snapshots += [current] if current.is_dir() else []
        if snapshots:
            yield Place(f"Hugging Face cache, {repo.name.removeprefix('models--').replace('--', '/')}", snapshots[-1])


def installs(root: Path) -> Iterator[tuple[Install, Path]]:
    """The programs at `root`, or right below it, each with its folder."""
    for folder in (root, *sorted(_folders(root, "*"))):
        install = next((i for i in INSTALLS if any((folder / mark).exists() for mark in i.marks)), None)
        if install is not None:
            yield install, folder


def install_places(root: Path) -> Iterator[Place]:
    """Folders with weights of the programs at `root`, or right below it; a folder without any known program is searched itself."""
    found = False
    for install, folder in installs(root):
        found = True
        places = [folder / f for f in install.folders]
        if install.title == "ComfyUI":
            places += extra_paths(folder / EXTRA_PATHS)
        yield from (Place(f"{install.title} at {folder}", p) for p in dict.fromkeys(places) if p.is_dir())
    if not found and root.is_dir():
        yield Place(str(root), root)


def extra_paths(file: Path) -> list[Path]:
    """Folders that ComfyUI's extra_model_paths.yaml adds, relative ones below the section's base_path, that below the file.

    Raises `ConfigError` where the file is not YAML.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except OSError:
        return []
    except UnicodeDecodeError:
        raise ConfigError(f"{file} is not YAML: it is not UTF-8 text. Mend it, or take the folder out of the installs.") from None
    import yaml  # 20 ms

    try:
        sections: Any = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as e:
        raise ConfigError(f"{file} is not YAML: {' '.join(str(e).split())}. Mend it, or take the folder out of the installs.") from e
    folders: list[Path] = []
    for section in sections.values() if isinstance(sections, dict) else ():
        if isinstance(section, dict):
            base = file.parent / with_home(os.path.expandvars(str(section.get("base_path") or "")), str(file))
            lines = [line for kind in EXTRA_KINDS for line in str(section.get(kind) or "").splitlines()]
            folders += [base / with_home(os.path.expandvars(line.strip()), str(file)) for line in lines if line.strip()]
    return folders


def weight_paths(folder: Path, depth: int = DEPTH) -> Iterator[Path]:
    """Safetensors files and indexes below a folder, each folder's in the order of their names. Links to folders are followed
    `depth` deep, so a loop of them ends."""
    try:
        with os.scandir(folder) as listing:
            children = sorted(listing, key=lambda c: c.name.casefold())
    except OSError:  # no right to look, or gone meanwhile
        return
    for child in children:
        if child.is_file() and child.name.endswith((".safetensors", ".safetensors.index.json")):
            yield Path(child.path)
    for child in children:
        if depth > 0 and child.is_dir() and not child.name.startswith("."):
            yield from weight_paths(Path(child.path), depth - 1)


def distinct(paths: Iterable[Path]) -> Iterator[Path]:
    """The paths without those that lead to a file already seen."""
    seen: set[Path] = set()
    for path in paths:
        real = path.resolve()
        if real not in seen:
            seen.add(real)
            yield path


def _folders(parent: Path, pattern: str) -> list[Path]:
    try:
        return [p for p in parent.glob(pattern) if p.is_dir()]
    except OSError:
        return []
