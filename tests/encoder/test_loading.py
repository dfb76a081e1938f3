"""What a user points at is read, or refused with the way out."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("safetensors")

import numpy as np
import torch
from made_files import header_and_size, transformers_shapes
from tiny_weights import LAYERS, WIDTH, reference, tensors, window, write

import promptlens
from promptlens.encoder import TextEncoder, find_encoders, load_encoder
from promptlens.encoder.catalog import BUILDS
from promptlens.errors import UnknownNameError, WeightsError
from promptlens.models import ENCODERS

pytestmark = pytest.mark.encoder
IDS = [window(320, 2368, 100), window(*range(1000, 1075))]


def load(path: Path, name: str = "clip-l", **options: Any) -> TextEncoder:
    return load_encoder(path, name, device="cpu", threads=1, **options)


def as_reference(encoder: TextEncoder, activation: str = "quick_gelu") -> bool:
    """Whether it computes what transformers does with the tiny weights."""
    with torch.no_grad():
        want = reference(activation)(torch.tensor(IDS))
    got = encoder.encode(IDS)
    assert got.projected is not None
    return bool(
        abs(got.hidden - want.last_hidden_state.numpy()).max() < 2e-5 and abs(got.projected - want.text_embeds.numpy()).max() < 2e-5
    )


def renamed(old: str, new: str) -> dict[str, Any]:
    return {name.replace(old, new): value for name, value in tensors().items()}


def open_clip() -> dict[str, Any]:
    """The tiny weights as open_clip names and lays them out."""
    t = {name.removeprefix("text_model."): value for name, value in tensors().items()}
    out = {
        "token_embedding.weight": t["embeddings.token_embedding.weight"],
        "positional_embedding": t["embeddings.position_embedding.weight"],
        "ln_final.weight": t["final_layer_norm.weight"],
        "ln_final.bias": t["final_layer_norm.bias"],
        "text_projection": t["text_projection.weight"].T.contiguous(),
    }
    for n in range(LAYERS):
        old, new = f"encoder.layers.{n}.", f"transformer.resblocks.{n}."
        for kind in ("weight", "bias"):
            out[f"{new}attn.in_proj_{kind}"] = torch.cat([t[f"{old}self_attn.{x}_proj.{kind}"] for x in "qkv"])
            for there, here in (("attn.out_proj", "self_attn.out_proj"), ("ln_1", "layer_norm1"), ("ln_2", "layer_norm2")):
                out[f"{new}{there}.{kind}"] = t[f"{old}{here}.{kind}"]
            for there, here in (("mlp.c_fc", "mlp.fc1"), ("mlp.c_proj", "mlp.fc2")):
                out[f"{new}{there}.{kind}"] = t[f"{old}{here}.{kind}"]
    return out


# ---------------------------------------------------------------------------------------------- layouts


@pytest.mark.parametrize(
    "named",
    [
        pytest.param(lambda: renamed("text_model.", ""), id="without text_model."),
        pytest.param(lambda: {f"transformer.{n}": t for n, t in tensors().items()}, id="transformer.text_model."),
        pytest.param(lambda: {f"cond_stage_model.transformer.{n}": t for n, t in tensors().items()}, id="Stable Diffusion 1"),
        pytest.param(lambda: tensors() | {"vision_model.x": torch.ones(3), "logit_scale": torch.ones(())}, id="a whole CLIP"),
        pytest.param(lambda: tensors() | {"text_model.embeddings.position_ids": torch.arange(77)[None]}, id="with position_ids"),
        pytest.param(open_clip, id="open_clip"),
        pytest.param(lambda: {f"text.{n}": t for n, t in open_clip().items()}, id="open_clip below text."),
        pytest.param(lambda: {n: t.float() for n, t in tensors().items()}, id="fp32"),
        pytest.param(lambda: {n: t.double() for n, t in tensors().items()}, id="fp64"),
    ],
)
def test_layouts(tmp_path: Path, named: Any) -> None:
    assert as_reference(load(write(tmp_path / "any.safetensors", named())))


def test_bf16_weights_are_widened(tmp_path: Path) -> None:
    rounded = {n: t.bfloat16() for n, t in tensors().items()}
    got = load(write(tmp_path / "bf16.safetensors", rounded)).encode(IDS)
    same = load(write(tmp_path / "fp32.safetensors", {n: t.float() for n, t in rounded.items()})).encode(IDS)
    assert np.array_equal(got.hidden, same.hidden)


def test_a_folder_in_parts_as_transformers_saves_it(tmp_path: Path) -> None:
    reference().half().save_pretrained(tmp_path, max_shard_size="5MB")
    reference().float()
    assert len(list(tmp_path.glob("*-of-*.safetensors"))) > 1
    assert as_reference(load(tmp_path))


def test_the_configuration_beside_the_weights_counts(tmp_path: Path) -> None:
    write(tmp_path / "model.safetensors", tensors("gelu"))
    assert not as_reference(load(tmp_path), "gelu")
    text = {"hidden_size": WIDTH, "hidden_act": "gelu", "num_attention_heads": 2}
    for settings in (text, {"text_config": text, "vision_config": {"hidden_act": "quick_gelu"}}):
        (tmp_path / "config.json").write_text(json.dumps(settings))
        assert as_reference(load(tmp_path), "gelu")
    (tmp_path / "config.json").write_text(json.dumps(text | {"hidden_act": "swish"}))
    with pytest.raises(WeightsError, match=r"'swish'. Known: quick_gelu, gelu"):
        load(tmp_path)


def test_a_pipeline_folder(tmp_path: Path) -> None:
    write(tmp_path / "text_encoder" / "model.safetensors", tensors())
    assert as_reference(load(tmp_path))


def test_a_projection_in_a_file_beside(tmp_path: Path) -> None:
    named = tensors()
    projection = named.pop("text_projection.weight")
    path = write(tmp_path / "clip-l.safetensors", named)
    assert load(path).encode(IDS).projected is None
    write(tmp_path / "clip-l.projection.safetensors", {"text_projection.weight": projection, "logit_scale": torch.ones(())})
    assert as_reference(load(path))


def test_a_found_record_knows_its_name(tmp_path: Path) -> None:
    path = write(tmp_path / "clip_l.safetensors", tensors())
    (found,) = find_encoders(paths=[path])
    assert load_encoder(found, device="cpu", threads=1).name == "clip-l"
    with pytest.raises(WeightsError, match="Say which"):
        load_encoder(path)
    with pytest.raises(UnknownNameError):
        load_encoder(path, "clip-m")


def test_equal_weights_have_one_checksum(tmp_path: Path) -> None:
    first = load(write(tmp_path / "a.safetensors", tensors())).checksum
    assert load(write(tmp_path / "b.safetensors", open_clip() | {"visual.x": torch.ones(2)})).checksum == first
    changed = tensors()
    changed["text_model.final_layer_norm.bias"][3] += 1
    assert load(write(tmp_path / "c.safetensors", changed)).checksum != first
    assert load(tmp_path / "a.safetensors", precision="bfloat16").checksum != first


def test_weights_that_stop_before_the_last_layer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Stable Diffusion 2's diffusers folders, in small: an encoder of four layers of which the file has three
    monkeypatch.setitem(BUILDS, "clip-l", replace(BUILDS["clip-l"], layers=LAYERS + 1))
    monkeypatch.setitem(ENCODERS, "clip-l", replace(ENCODERS["clip-l"], width=WIDTH))
    encoder = load(write(tmp_path / "short.safetensors", tensors()))
    assert (encoder.layers, encoder.missing_layers) == (3, 1)
    with torch.no_grad():
        want = reference()(torch.tensor(IDS)).last_hidden_state.numpy()
    assert abs(encoder.encode(IDS, layer="penultimate").hidden - want).max() < 2e-5
    with pytest.raises(WeightsError, match=r"stop before the last layer.*Use 'penultimate'"):
        encoder.encode(IDS)


def test_a_large_checkpoint_costs_the_memory_of_its_text_encoder(tmp_path: Path) -> None:
    pytest.importorskip("resource")
    path = tmp_path / "large.safetensors"  # 7 GB, most of which is a hole
    shapes = transformers_shapes("cond_stage_model.transformer.text_model.") | {"model.unet": (1_000_000, 3500)}
    head, size = header_and_size(shapes)
    with path.open("wb") as file:
        file.write(head)
        file.truncate(len(head) + size)
    script = (
        "import resource, sys\n"
        "from promptlens.encoder import load_encoder\n"
        "import torch, safetensors\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "load_encoder(sys.argv[1], 'clip-l', device='cpu', threads=1).pool([(49406, 320, 49407)])\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)\n"
    )
    root = str(Path(promptlens.__file__).parents[1])
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True, cwd=root)
    assert path.stat().st_size > 7e9
    assert int(done.stdout) < 200  # megabytes


# ---------------------------------------------------------------------------------------------- refusals


def test_another_encoder_than_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path / "sd1.safetensors", {f"cond_stage_model.transformer.{n}": t for n, t in tensors().items()})
    with pytest.raises(WeightsError, match=r"sd1.safetensors has no clip-g weights. It holds clip-l."):
        load(path, "clip-g")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.pop("text_model.encoder.layers.1.mlp.fc1.bias"), "not its tensor text_model.encoder.layers.1.mlp.fc1.bias"),
        (lambda t: t.update({"text_model.final_layer_norm.bias": torch.ones(WIDTH, dtype=torch.int8)}), "as i8; fp32, fp16 and bf16"),
        (lambda t: t.clear() or t.update({"x": torch.ones(1)}), "No text encoder of a known layout is in it"),
    ],
    ids=["a tensor is missing", "a type that cannot be computed with", "something else"],
)
def test_damaged_and_other_files(tmp_path: Path, change: Any, words: str) -> None:
    named = tensors()
    change(named)
    with pytest.raises(WeightsError, match=words):
        load(write(tmp_path / "x.safetensors", named))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"precision": "int4"}, "Known: float32, bfloat16"),
        ({"device": "nonsense"}, "cannot be used"),
        ({"device": "cuda:77"}, "Use 'auto' or 'cpu'"),
    ],
)
def test_bad_options(tmp_path: Path, options: dict[str, Any], words: str) -> None:
    path = write(tmp_path / "x.safetensors", tensors())
    with pytest.raises(WeightsError, match=words):
        load_encoder(path, "clip-l", **options)


# ---------------------------------------------------------------------------------------------- pickles


class Bomb:
    """Runs when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (pytest.fail, ("a pickle was run",))


def test_pickles_are_refused_with_two_ways_out(tmp_path: Path) -> None:
    path = tmp_path / "v1-5.ckpt"
    torch.save({"state_dict": tensors()}, path)
    with pytest.raises(WeightsError) as caught:
        load(path)
    message = str(caught.value)
    assert "can run any program" in message
    assert "Convert it to safetensors" in message
    assert "promptlens encoders pull clip-l" in message
    assert "--allow-pickle" in message


@pytest.mark.parametrize("suffix", [".ckpt", ".pt", ".bin"])
@pytest.mark.parametrize("zipped", [True, False])
def test_pickles_the_safe_reader_takes_are_read_if_the_user_says_so(tmp_path: Path, suffix: str, zipped: bool) -> None:
    path = tmp_path / f"weights{suffix}"
    torch.save({"state_dict": tensors(), "epoch": 3} if suffix == ".ckpt" else tensors(), path, _use_new_zipfile_serialization=zipped)
    assert as_reference(load(path, allow_pickle=True))


def test_a_pickle_that_would_run_something_stays_shut(tmp_path: Path) -> None:
    (tmp_path / "bomb.pt").write_bytes(pickle.dumps(Bomb()))
    torch.save({"x": Bomb()}, tmp_path / "bomb2.ckpt")
    (tmp_path / "noise.bin").write_bytes(bytes(range(256)))
    for name in ("bomb.pt", "bomb2.ckpt", "noise.bin"):
        with pytest.raises(WeightsError, match="safe reader does not take this file"):
            load(tmp_path / name, allow_pickle=True)


def test_safetensors_come_before_a_pickle_beside(tmp_path: Path) -> None:
    write(tmp_path / "model.safetensors", tensors())
    (tmp_path / "pytorch_model.bin").write_bytes(pickle.dumps(Bomb()))
    assert as_reference(load(tmp_path))
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(WeightsError, match=r"pytorch_model.bin is a pickle file"):
        load(tmp_path)
