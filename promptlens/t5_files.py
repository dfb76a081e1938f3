"""Where T5's vocabulary is: a tokenizer.json that is looked for where users have it, or that they name.

In this order: the file the user named (a folder with one in it will do); the Hugging Face cache, where FLUX.1, SD3 and T5 itself leave it;
the installs whose folders are configured; what `promptlens encoders pull t5-xxl` fetched.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from promptlens.errors import VocabularyError
from promptlens.home import with_home
from promptlens.places import T5_FOLDERS, cached_snapshots, hub_cache, installs, pulled_folder

FILE = "tokenizer.json"
PULLED_FILE = "t5-xxl.tokenizer.json"
MODEL_FILE = "spiece.model"
FETCH = "promptlens encoders pull t5-xxl"

# Repositories whose tokenizer is T5 v1.1's, and the folder it is in. Any other in the cache may have one too.
REPOSITORIES: tuple[tuple[str, str], ...] = (
    ("black-forest-labs/FLUX.1-dev", "tokenizer_2"),
    ("black-forest-labs/FLUX.1-schnell", "tokenizer_2"),
    ("stabilityai/stable-diffusion-3-medium-diffusers", "tokenizer_3"),
    ("stabilityai/stable-diffusion-3.5-large", "tokenizer_3"),
    ("stabilityai/stable-diffusion-3.5-medium", "tokenizer_3"),
    ("google/t5-v1_1-xxl", "."),
    ("google/flan-t5-xxl", "."),
)
# What tells the file from CLIP's of the same name, which SDXL has as tokenizer_2.
_MARK = b'"Unigram"'


def named_file(given: str | Path) -> Path:
    """The file that a path of the user's stands for. Raises `VocabularyError` where there is none."""
    path = with_home(given)
    if path.name == MODEL_FILE and path.is_file():
        raise VocabularyError(
            f"{path} is SentencePiece's own format, which is not read here. Name a {FILE}, which most models have beside it, or fetch "
            f"one: {FETCH}"
        )
    places = [path / FILE, *(path / folder / FILE for folder in T5_FOLDERS)] if path.is_dir() else [path]
    found = next((file for file in places if file.is_file()), None)
    if found is None:
        what = f"has no {FILE} in it" if path.is_dir() else "does not exist"
        raise VocabularyError(f"{path} {what}. Name the tokenizer.json of FLUX.1 or SD3, or fetch one: {FETCH}")
    return found


def find_file(roots: Sequence[str | Path] = ()) -> Path | None:
    """The best file on this machine; None where there is none. `roots` are folders of installs and pipelines."""
    return next((file for file, _ in iter_files(roots)), None)


def iter_files(roots: Sequence[str | Path] = ()) -> Iterator[tuple[Path, str]]:
    """All of them, the best first, each with where it was found in words."""
    cache = hub_cache()
    known = {f"models--{repo.replace('/', '--')}": folder for repo, folder in REPOSITORIES}
    snapshots = list(cached_snapshots(cache)) if cache.is_dir() else []
    for place in sorted(snapshots, key=lambda place: _rank(place.folder.parent.parent.name, list(known))):
        folder = known.get(place.folder.parent.parent.name)
        for file in [place.folder / name / FILE for name in ([folder] if folder else T5_FOLDERS)]:
            if _is_t5(file):
                yield file, place.title
    for root in roots:
        yield from _of_install(with_home(root))
    pulled = pulled_folder() / PULLED_FILE
    if pulled.is_file():
        yield pulled, "fetched by promptlens"


def _rank(name: str, known: list[str]) -> int:
    return known.index(name) if name in known else len(known)


def _of_install(root: Path) -> Iterator[tuple[Path, str]]:
    for install, folder in installs(root):
        for pattern in install.vocabularies:
            yield from ((file, f"{install.title} at {folder}") for file in sorted(folder.glob(pattern)) if _is_t5(file))
    for name in (*T5_FOLDERS, "tokenizer", "."):  # a pipeline of diffusers, or the folder of a tokenizer
        if _is_t5(root / name / FILE):
            yield root / name / FILE, str(root)


def _is_t5(file: Path) -> bool:
    try:
        return file.is_file() and _MARK in file.read_bytes()
    except OSError:
        return False
