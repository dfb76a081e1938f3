"""Weights are found where users have them, told apart by their headers, and named so that a user knows them again."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from made_files import Shapes, open_clip_shapes, transformers_shapes, write_zeros

from promptlens.encoder import FoundWeights, choose_encoder, find_encoders
from promptlens.errors import ConfigError, UnknownNameError, WeightsError
from promptlens.places import hub_cache, pulled_folder

UNET: Shapes = {"model.diffusion_model.input_blocks.0.0.weight": (320, 4, 3, 3)}
L, H, G = 768, 1024, 1280  # widths
SDXL = (
    UNET
    | transformers_shapes("conditioner.embedders.0.transformer.text_model.", width=L, layers=12)
    | open_clip_shapes("conditioner.embedders.1.model.", width=G, layers=32)
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing on it: an empty cache, nothing fetched."""
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("PROMPTLENS_ENCODERS", str(tmp_path / "pulled"))
    return tmp_path


def told(found: list[FoundWeights], home: Path) -> list[tuple[str, str, str, str]]:
    """(encoder, path from home, layout, precision)"""
    return [(f.encoder, f.path.relative_to(home).as_posix(), f.layout, f.precision) for f in found]


def mark(folder: Path, *names: str) -> Path:
    """A folder that looks like an install."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


LAYOUTS = [
    (transformers_shapes(width=L, layers=12), [("clip-l", "text encoder")]),
    (transformers_shapes("", width=L, layers=12), [("clip-l", "text encoder")]),
    (transformers_shapes("transformer.text_model.", width=G, layers=32), [("clip-g", "text encoder")]),
    (transformers_shapes(width=L, layers=12) | {"vision_model.x": (1,)}, [("clip-l", "whole CLIP")]),
    (open_clip_shapes("", width=H, layers=24) | {"visual.proj": (1,)}, [("clip-h", "whole CLIP")]),
    (open_clip_shapes("", width=G, layers=32), [("clip-g", "open_clip text encoder")]),
    (UNET | transformers_shapes("cond_stage_model.transformer.text_model."), [("clip-l", "Stable Diffusion 1 checkpoint")]),
    (UNET | transformers_shapes("cond_stage_model.transformer."), [("clip-l", "Stable Diffusion 1 checkpoint")]),
    (UNET | open_clip_shapes("cond_stage_model.model."), [("clip-h", "Stable Diffusion 2 checkpoint")]),
    (SDXL, [("clip-l", "SDXL checkpoint"), ("clip-g", "SDXL checkpoint")]),
    (UNET | open_clip_shapes("conditioner.embedders.0.model."), [("clip-g", "SDXL refiner checkpoint")]),
    (UNET | transformers_shapes("text_encoders.clip_l.transformer.text_model."), [("clip-l", "checkpoint with text encoders")]),
    (transformers_shapes("some.tool.text_model.", width=H, layers=23), [("clip-h", "checkpoint")]),
]
SILENT: dict[str, Shapes] = {
    "only a U-Net": UNET,
    "a LoRA": {"lora_te_text_model_encoder_layers_0_mlp_fc1.lora_up.weight": (3072, 8)},
    "a textual inversion": {"emb_params": (2, 768)},
    "another vocabulary": {"text_model.embeddings.token_embedding.weight": (32000, 768)},
    "Long-CLIP": transformers_shapes(width=L, layers=12, positions=248),
    "a part of an encoder": {"text_model.embeddings.token_embedding.weight": (49408, 768)},
    "no known size and no telling name": transformers_shapes(width=512, layers=12),
}


@pytest.mark.parametrize(("shapes", "expected"), LAYOUTS, ids=lambda x: str(x) if isinstance(x, list) else "")
def test_a_file_is_known_by_its_header(home: Path, shapes: Shapes, expected: list[tuple[str, str]]) -> None:
    path = write_zeros(home / "anything.safetensors", shapes)
    assert [(f.encoder, f.layout) for f in find_encoders(paths=[path])] == expected


@pytest.mark.parametrize("what", SILENT)
def test_other_files_are_not_text_encoders(home: Path, what: str) -> None:
    path = write_zeros(home / "pulled" / "anything.safetensors", SILENT[what])
    assert find_encoders() == []
    with pytest.raises(WeightsError, match="holds no text encoder"):
        find_encoders(paths=[path])


@pytest.mark.parametrize(
    ("file", "encoder"),
    [
        ("clip_g.safetensors", "clip-g"),
        ("CLIP-L_fp16.safetensors", "clip-l"),
        ("clip-h/model.safetensors", "clip-h"),
        ("text_encoder_2/model.safetensors", "clip-g"),
    ],
)
def test_names_tell_encoders_of_no_known_size(home: Path, file: str, encoder: str) -> None:
    write_zeros(home / "pulled" / file, transformers_shapes())
    assert [f.encoder for f in find_encoders()] == [encoder]


def test_size_is_that_of_the_text_encoder_alone(home: Path) -> None:
    shapes = UNET | {"model.big": (1000, 1000)} | transformers_shapes("cond_stage_model.transformer.text_model.", width=L, layers=12)
    for dtype, precision, numbers in (("F16", "fp16", 2), ("F32", "fp32", 4), ("BF16", "bf16", 2)):
        (found,) = find_encoders(paths=[write_zeros(home / f"{precision}.safetensors", shapes, dtype)])
        assert (found.bytes, found.precision) == (123_060_480 * numbers, precision)  # CLIP-L's text model has 123,060,480 numbers


def test_fp8_cannot_be_computed_with(home: Path) -> None:
    write_zeros(home / "pulled" / "clip_l.safetensors", transformers_shapes(width=L, layers=12), "F8_E4M3")
    assert find_encoders() == []


def test_the_order_of_places(home: Path) -> None:
    small = transformers_shapes(width=L, layers=1)
    given = write_zeros(home / "given.safetensors", small)
    write_zeros(home / "pulled" / "clip-l.safetensors", small)
    cached(home, "artist/dream", "model.safetensors", small)
    cached(home, "openai/clip-vit-large-patch14", "model.safetensors", small)
    write_zeros(home / "ui" / "models" / "checkpoints" / "sdxl.safetensors", SDXL)
    mark(home / "ui", "comfy/sd.py", "folder_paths.py")
    found = find_encoders(paths=[given], roots=[home / "ui"])
    assert [f.source.split(" at ")[0] for f in found] == [
        "given path",
        "fetched by promptlens",
        "Hugging Face cache, openai/clip-vit-large-patch14",
        "Hugging Face cache, artist/dream",
        "ComfyUI",
        "ComfyUI",
    ]
    assert choose_encoder("clip-l", paths=[given], roots=[home / "ui"]).path == given
    assert choose_encoder("clip-g", paths=[given], roots=[home / "ui"]).path.name == "sdxl.safetensors"


def cached(home: Path, repo: str, file: str, shapes: Shapes, commit: str = "abc") -> Path:
    """A file in the Hugging Face cache: a blob, and a link to it in the snapshot."""
    folder = home / "hub" / f"models--{repo.replace('/', '--')}"
    blob = write_zeros(folder / "blobs" / f"{commit}{file.replace('/', '')}", shapes)
    link = folder / "snapshots" / commit / file
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(os.path.relpath(blob, link.parent))
    (folder / "refs").mkdir(exist_ok=True)
    (folder / "refs" / "main").write_text(commit)
    return link


def test_the_hugging_face_cache(home: Path) -> None:
    cached(home, "stabilityai/sdxl", "text_encoder_2/model.fp16.safetensors", transformers_shapes(width=G, layers=32), "old")
    link = cached(home, "stabilityai/sdxl", "text_encoder_2/model.fp16.safetensors", transformers_shapes(width=G, layers=32), "new")
    link.with_name("config.json").write_text("{}")
    cached(home, "stabilityai/sdxl", "unet/model.safetensors", UNET, "new")
    (found,) = find_encoders()
    assert (found.encoder, found.path, found.layout) == ("clip-g", link, "text encoder folder")


def test_where_the_hugging_face_cache_is(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert hub_cache() == home / "hub"
    monkeypatch.delenv("HF_HUB_CACHE")
    monkeypatch.setenv("HF_HOME", str(home / "hf"))
    assert hub_cache() == home / "hf" / "hub"
    monkeypatch.delenv("HF_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    assert hub_cache() == home / "cache" / "huggingface" / "hub"
    monkeypatch.delenv("PROMPTLENS_ENCODERS")
    assert pulled_folder().name == "encoders"


def test_files_in_parts_count_once_by_their_index(home: Path) -> None:
    shapes = transformers_shapes(width=L, layers=12)
    names = sorted(shapes)
    folder = home / "pulled" / "text_encoder"
    parts = {"model-00001-of-00002.safetensors": names[:90], "model-00002-of-00002.safetensors": names[90:]}
    for file, held in parts.items():
        write_zeros(folder / file, {n: shapes[n] for n in held}, "F32")
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {n: file for file, held in parts.items() for n in held}}))
    assert told(find_encoders(), home) == [("clip-l", "pulled/text_encoder/model.safetensors.index.json", "text encoder", "fp32")]
    index.write_text(json.dumps({"weight_map": {"x": "../../secret.safetensors"}}))
    with pytest.raises(WeightsError, match="outside its folder"):
        find_encoders(paths=[index])


INSTALLS = {
    "A1111": (["webui.py", "launch.py"], ["models/Stable-diffusion/a/sd15.safetensors"], ["models/Lora/x.safetensors"]),
    "Forge": (
        ["webui.py", "modules_forge/x.py"],
        ["models/Stable-diffusion/sd15.safetensors", "models/text_encoder/clip_l.safetensors"],
        ["models/VAE/x.safetensors"],
    ),
    "ComfyUI": (
        ["main.py", "folder_paths.py", "comfy/sd.py"],
        ["models/checkpoints/sd/x.safetensors", "models/text_encoders/l.safetensors", "models/clip/l.safetensors"],
        ["models/unet/x.safetensors"],
    ),
    "InvokeAI": (["invokeai.yaml"], ["models/sd-1/main/dream/text_encoder/model.safetensors", "models/0f1e/x.safetensors"], []),
}


@pytest.mark.parametrize("title", INSTALLS)
@pytest.mark.parametrize("below", ["", "apps"], ids=["the install itself", "the folder it lies in"])
def test_installs(home: Path, title: str, below: str) -> None:
    marks, holding, others = INSTALLS[title]
    install = mark(home / "apps" / title, *marks)
    for file in holding + others:
        write_zeros(install / file, transformers_shapes("cond_stage_model.transformer.text_model.", width=L))
    found = find_encoders(roots=[home / below if below else install])
    assert sorted(f.path.relative_to(install).as_posix() for f in found) == sorted(holding)
    assert {f.source for f in found} == {f"{title} at {install}"}


def test_a_root_that_is_no_install_is_searched_itself(home: Path) -> None:
    write_zeros(home / "disk" / "stuff" / "sdxl.safetensors", SDXL)
    assert [f.encoder for f in find_encoders(roots=[home / "disk"])] == ["clip-l", "clip-g"]
    assert find_encoders(roots=[home / "nowhere"]) == []


def test_extra_model_paths_of_comfyui(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install = mark(home / "ComfyUI", "folder_paths.py")
    monkeypatch.setenv("DISK", str(home / "disk"))
    (install / "extra_model_paths.yaml").write_text(
        "a1111:\n  base_path: ../webui\n  checkpoints: models/Stable-diffusion\n  loras: models/Lora\n"
        "other:\n  base_path: $DISK\n  clip: |\n    one\n    two\n"
        f"plain:\n  text_encoders: {home}/three\nempty:\n"
    )
    small = transformers_shapes(width=L)
    places = ("webui/models/Stable-diffusion", "webui/models/Lora", "disk/one", "disk/two", "three")
    for place in places:
        write_zeros(home / place / "x.safetensors", small)
    found = find_encoders(roots=[install])
    assert [f.path.resolve().parent.relative_to(home).as_posix() for f in found] == [p for p in places if "Lora" not in p]
    (install / "extra_model_paths.yaml").write_text("a: [")
    with pytest.raises(ConfigError, match=r"extra_model_paths\.yaml is not YAML"):
        find_encoders(roots=[install])


def test_the_same_file_is_found_once(home: Path) -> None:
    install = mark(home / "ComfyUI", "folder_paths.py")
    real = write_zeros(install / "models" / "clip" / "l.safetensors", transformers_shapes(width=L))
    (install / "models" / "text_encoders").mkdir()
    (install / "models" / "text_encoders" / "again.safetensors").symlink_to(real)
    (install / "models" / "clip" / "loop").symlink_to(install / "models" / "clip")
    assert len(find_encoders(roots=[install])) == 1


def test_damaged_files_are_told_and_passed_over(home: Path) -> None:
    whole = write_zeros(home / "pulled" / "good.safetensors", transformers_shapes(width=L))
    cut = home / "pulled" / "cut.safetensors"
    cut.write_bytes(whole.read_bytes()[:-1])
    (home / "pulled" / "page.safetensors").write_text("<html>")
    (home / "pulled" / "json.safetensors").write_bytes((5).to_bytes(8, "little") + b"[1,2]" + bytes(99))
    problems: list[str] = []
    assert [f.path for f in find_encoders(problem=problems.append)] == [whole]
    assert len(problems) == 3
    assert any("cut.safetensors is cut short" in p for p in problems)
    with pytest.raises(WeightsError, match="cut short"):
        find_encoders(paths=[cut])


def test_a_folder_the_user_gave(home: Path) -> None:
    for part, width in (("text_encoder", L), ("text_encoder_2", G)):
        write_zeros(home / "pipeline" / part / "model.safetensors", transformers_shapes(width=width))
    assert [f.encoder for f in find_encoders(paths=[home / "pipeline"])] == ["clip-l", "clip-g"]
    write_zeros(home / "many" / "deep" / "down" / "x.safetensors", SDXL)
    assert [f.encoder for f in find_encoders(paths=[str(home / "many")])] == ["clip-l", "clip-g"]
    with pytest.raises(WeightsError, match="does not exist"):
        find_encoders(paths=[home / "nowhere"])


def test_without_weights_the_message_has_the_two_commands(home: Path) -> None:
    with pytest.raises(WeightsError) as caught:
        choose_encoder("clip-g")
    message = str(caught.value)
    assert "No weights of the text encoder clip-g (OpenCLIP ViT-bigG/14) were found" in message
    assert "\n  pip install 'promptlens[encoder]'\n  promptlens encoders pull clip-g\n" in message
    with pytest.raises(UnknownNameError, match="clip-l"):
        choose_encoder("clip")


def test_a_given_pickle_is_chosen_and_left_to_the_loader(home: Path) -> None:
    pickle = home / "v1-5.ckpt"
    pickle.write_bytes(b"PK")
    write_zeros(home / "pulled" / "clip-l.safetensors", transformers_shapes(width=L))
    assert choose_encoder("clip-l", paths=[pickle]).path == pickle
    given = write_zeros(home / "given.safetensors", transformers_shapes(width=L))
    assert choose_encoder("clip-l", paths=[pickle, given]).path == given
    with pytest.raises(WeightsError, match="cannot be read"):
        choose_encoder("clip-l", paths=[home / "gone.ckpt"])
