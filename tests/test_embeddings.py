"""Embedding files: their vectors are counted, and nothing in them ever runs."""

from __future__ import annotations

import io
import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from torch_files import Parameter, ParameterDict, Tensor, pickled, safetensors, tensors, torch_old, torch_zip, webui

from promptlens import analyze
from promptlens.embeddings import EmbeddingFile, embedding_shape, find_embeddings, read_folder
from promptlens.errors import InputError


def shape_of(tmp_path: Path, name: str, content: bytes) -> tuple[int, int] | None:
    path = tmp_path / name
    path.write_bytes(content)
    return embedding_shape(path)


SDXL = {"clip_l": Tensor(3, 768), "clip_g": Tensor(3, 1280)}


@pytest.mark.parametrize(
    ("name", "make", "shape"),
    [
        pytest.param("a.safetensors", lambda: tensors(emb_params=(8, 768)), (8, 768), id="emb_params of eight vectors"),
        pytest.param("a.safetensors", lambda: tensors(emb_params=(768,)), (1, 768), id="a tensor of one dimension is one vector"),
        pytest.param("a.safetensors", lambda: tensors(clip_g=(3, 1280), clip_l=(3, 768)), (3, 768), id="SDXL has a tensor per encoder"),
        pytest.param("a.safetensors", lambda: tensors(**{"<cat-toy>": (4, 1024)}), (4, 1024), id="a tensor under the token's own name"),
        pytest.param(
            "a.safetensors",
            lambda: safetensors({"__metadata__": {"format": "pt"}, "emb_params": {"dtype": "F16", "shape": [2, 768]}}),
            (2, 768),
            id="metadata is no tensor",
        ),
        pytest.param("A.SAFETENSORS", lambda: tensors(emb_params=(2, 768)), (2, 768), id="a suffix in capitals"),
        pytest.param("a.pt", lambda: torch_zip(webui(string_to_param={"*": Tensor(8, 768)})), (8, 768), id="a webui training"),
        pytest.param("a.pt", lambda: torch_zip(webui(string_to_param={"*": Parameter(8, 768)})), (8, 768), id="its tensor a parameter"),
        pytest.param(
            "a.pt",
            lambda: torch_zip(webui(string_to_param=ParameterDict(**{"*": Parameter(16, 768)}))),
            (16, 768),
            id="its parameters in a torch module",
        ),
        pytest.param("a.pt", lambda: torch_zip({"emb_params": Tensor(75, 768)}), (75, 768), id="emb_params in a pickle"),
        pytest.param("a.pt", lambda: torch_zip(SDXL), (3, 768), id="SDXL in a pickle"),
        pytest.param("a.bin", lambda: torch_zip({"<cat-toy>": Tensor(768)}), (1, 768), id="what diffusers trains"),
        pytest.param("a.bin", lambda: torch_zip(SDXL, name="learned_embeds/data.pkl"), (3, 768), id="the folder in the zip has any name"),
        pytest.param("a.pt", lambda: torch_old(webui(string_to_param={"*": Tensor(5, 768)})), (5, 768), id="written by an old torch"),
    ],
)
def test_vectors_and_width_are_read(tmp_path: Path, name: str, make: Callable[[], bytes], shape: tuple[int, int]) -> None:
    assert shape_of(tmp_path, name, make()) == shape


def cyclic() -> dict[str, Any]:
    loop: dict[str, Any] = {}
    loop["again"] = loop
    return loop


def doubling() -> dict[str, Any]:
    """Sixty dictionaries that each hold the one before twice: 2**60 ways down."""
    inner: dict[str, Any] = {"name": "x"}
    for _ in range(60):
        inner = {"left": inner, "right": inner}
    return inner


def nested(depth: int) -> bytes:
    """A dictionary in a dictionary in a dictionary ..."""
    return b"\x80\x02" + b"}U\x01a" * depth + b"}" + b"s" * depth + b"."


def encrypted() -> bytes:
    """A zip whose flags say that its files are encrypted."""
    content = bytearray(torch_zip(SDXL))
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + flags] |= 1
    return bytes(content)


def squeezed() -> bytes:
    """A zip whose compressed pickle is damaged."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", pickled(SDXL))
    content = bytearray(out.getvalue())
    at = content.index(b"data.pkl") + len(b"data.pkl")
    content[at : at + 20] = b"\xff" * 20
    return bytes(content)


def entry(shape: Any) -> bytes:
    return safetensors({"emb_params": {"dtype": "F32", "shape": shape, "data_offsets": [0, 0]}})


@pytest.mark.parametrize(
    ("name", "make"),
    [
        pytest.param("a.safetensors", lambda: b"", id="an empty file"),
        pytest.param("a.safetensors", lambda: b"\x10\x00", id="cut in its length"),
        pytest.param("a.safetensors", lambda: tensors(emb_params=(8, 768))[:40], id="cut in its header"),
        pytest.param("a.safetensors", lambda: struct.pack("<Q", 2**60) + b"{}", id="a header longer than any memory"),
        pytest.param("a.safetensors", lambda: b"<!DOCTYPE html><html>login</html>" * 9, id="a web page saved instead"),
        pytest.param("a.safetensors", lambda: safetensors(["emb_params"]), id="a header that is a list"),
        pytest.param("a.safetensors", lambda: safetensors({"emb_params": [8, 768]}), id="a tensor that is a list"),
        pytest.param("a.safetensors", lambda: safetensors({"emb_params": {"dtype": "F32"}}), id="a tensor without a shape"),
        pytest.param("a.safetensors", lambda: safetensors({}), id="no tensors"),
        pytest.param("a.safetensors", lambda: tensors(weight=(320, 4, 3, 3)), id="the tensors of a picture model"),
        pytest.param("a.safetensors", lambda: tensors(emb_params=(0, 768)), id="no vectors"),
        pytest.param("a.safetensors", lambda: entry([-3, 768]), id="fewer than no vectors"),
        pytest.param("a.safetensors", lambda: entry(["many", 768]), id="a number in words"),
        pytest.param("a.safetensors", lambda: entry(None), id="a shape of nothing"),
        pytest.param("a.safetensors", lambda: entry([float("inf"), 768]), id="an endless shape"),
        pytest.param("a.safetensors", lambda: struct.pack("<Q", 200_000) + b"[" * 200_000, id="a header of brackets"),
        pytest.param("a.pt", lambda: b"", id="an empty pickle"),
        pytest.param("a.pt", lambda: torch_zip(SDXL)[:300], id="a zip cut short"),
        pytest.param("a.pt", lambda: torch_zip(SDXL, name="archive/other.pkl"), id="a zip of something else"),
        pytest.param("a.pt", lambda: zipped(pickled(SDXL)[:60]), id="a pickle cut short"),
        pytest.param("a.pt", lambda: torch_old(SDXL)[:200], id="an old pickle cut short"),
        pytest.param("a.pt", encrypted, id="an encrypted zip"),
        pytest.param("a.pt", squeezed, id="a damaged zip"),
        pytest.param("a.pt", lambda: b"easynegative, bad hands\n", id="a text file"),
        pytest.param("a.pt", lambda: torch_zip([Tensor(8, 768)]), id="a list of tensors"),
        pytest.param("a.pt", lambda: torch_zip(webui()), id="a training without a tensor"),
        pytest.param("a.pt", lambda: torch_zip({"x": Tensor(320, 4, 3, 3)}), id="the weights of a picture model in a pickle"),
        pytest.param("a.pt", lambda: torch_zip({"*": Tensor(0, 768)}), id="no vectors in a pickle"),
        pytest.param("a.pt", lambda: torch_zip(cyclic()), id="a dictionary that holds itself"),
        pytest.param("a.pt", lambda: torch_zip(doubling()), id="dictionaries that double"),
        pytest.param("a.pt", lambda: zipped(nested(5_000)), id="dictionaries five thousand deep"),
        pytest.param("a.pt", lambda: zipped(b"\x80\x02Nr\xff\xff\xff\x7f."), id="a memo larger than any memory"),
        pytest.param("a.pt", lambda: zipped(b"\x80\x04\x8e" + struct.pack("<Q", 2**62) + b"x."), id="bytes longer than any memory"),
        pytest.param("a.pt", lambda: zipped(b"\x80\x63N."), id="a pickle of the future"),
    ],
)
def test_what_is_no_embedding_is_passed_over(tmp_path: Path, name: str, make: Callable[[], bytes]) -> None:
    assert shape_of(tmp_path, name, make()) is None
    (tmp_path / "good.safetensors").write_bytes(tensors(emb_params=(2, 768)))
    assert read_folder(tmp_path) == {"good": 2}


# --- pickles that mean harm ---


def zipped(raw: bytes) -> bytes:
    return torch_zip(None, raw=raw)


class Run:
    """Runs a call when it is unpickled."""

    def __init__(self, call: Callable[..., Any], *args: Any) -> None:
        self.call = call
        self.args = args

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call, self.args


def harms(mark: str) -> dict[str, bytes]:
    """Pickles that would leave a file at `mark`, by every way a pickle has to call something."""
    shell = f"touch {mark}"
    python = f"open({mark!r}, 'w').close()"
    return {
        "os.system in place of a tensor": pickled({"*": Run(os.system, shell)}),
        "os.system before a real tensor": pickled({"a": Run(os.system, shell), "*": Tensor(8, 768)}),
        "eval": pickled({"*": Run(eval, python)}),
        "exec": pickled({"*": Run(exec, python)}),
        "open": pickled({"*": Run(open, mark, "w")}),
        "os.mkdir": pickled({"*": Run(os.mkdir, mark)}),
        "getattr of a module": pickled({"*": Run(getattr, Run(__import__, "os"), "system")}),
        "a global by name": b"cposix\nsystem\n(U" + bytes([len(shell)]) + shell.encode() + b"tR.",
        "an instance": f"(S'{shell}'\niposix\nsystem\n.".encode(),
        "an object": f"(cposix\nsystem\nS'{shell}'\no.".encode(),
        "a name from the stack": b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c" + bytes([len(shell)]) + shell.encode() + b"\x85R.",
        "a tensor function of another module": b"cposix\n_rebuild_tensor_v2\n)R.",
        "a new object with state": b"\x80\x02cbuiltins\nobject\n)\x81}U\x08__dict__csubprocess\nPopen\nsb.",
        "an extension code": b"\x80\x02\x82\x01.",
    }


@pytest.mark.parametrize("harm", harms(""))
@pytest.mark.parametrize("wrap", [zipped, bytes], ids=["in a zip", "bare"])
def test_nothing_in_a_pickle_ever_runs(tmp_path: Path, harm: str, wrap: Callable[[bytes], bytes]) -> None:
    mark = tmp_path / "harmed"
    shape = shape_of(tmp_path, "a.pt", wrap(harms(str(mark))[harm]))
    assert not mark.exists()
    assert shape in (None, (8, 768))


def test_the_pickles_above_would_do_harm(tmp_path: Path) -> None:
    """The test of nothing running is worth something only if plain unpickling does run them."""
    mark = tmp_path / "harmed"
    for harm in ("eval", "a name from the stack", "os.mkdir"):
        pickle.loads(harms(str(mark))[harm])
        assert mark.exists()
        mark.rmdir() if mark.is_dir() else mark.unlink()


# --- folders ---


def fill(folder: Path) -> None:
    (folder / "sub" / "deep").mkdir(parents=True)
    (folder / "easynegative.safetensors").write_bytes(tensors(emb_params=(8, 768)))
    (folder / "verybad_v1.3.pt").write_bytes(torch_zip(webui(string_to_param={"*": Tensor(11, 768)})))
    (folder / "sub" / "inner.bin").write_bytes(torch_zip({"<inner>": Tensor(5, 768)}))
    (folder / "sub" / "deep" / "one.pt").write_bytes(torch_zip({"emb_params": Tensor(768)}))
    (folder / "notes.txt").write_text("easynegative is for anime", encoding="utf-8")
    (folder / "preview.png").write_bytes(b"\x89PNG")
    (folder / "trap.pt").mkdir()


def test_a_folder_and_the_folders_in_it_are_read(tmp_path: Path) -> None:
    fill(tmp_path)
    assert read_folder(tmp_path) == {"easynegative": 8, "sub/deep/one": 1, "sub/inner": 5, "verybad_v1.3": 11}
    first = next(find_embeddings(tmp_path))
    assert first == EmbeddingFile("easynegative", tmp_path / "easynegative.safetensors", 8, 768)


@pytest.mark.parametrize("host", ["a1111", "comfyui", "diffusers"])
def test_a_host_takes_a_folder_as_a_path_or_a_string(tmp_path: Path, host: str) -> None:
    fill(tmp_path)
    for folder in (tmp_path, str(tmp_path)):
        assert analyze("a cat", host=host, embeddings=folder).usage.options.embeddings["easynegative"] == 8


@pytest.mark.parametrize(
    ("host", "prompt", "places"),
    [
        pytest.param("a1111", "inner", 5, id="the webui knows a file in a subfolder by its own name"),
        pytest.param("comfyui", "embedding:inner", 5, id="so does ComfyUI"),
        pytest.param("comfyui", "embedding:sub/inner", 5, id="which takes the folder as well"),
        pytest.param("comfyui", "embedding:verybad_v1.3", 11, id="a point in a name is no suffix"),
        pytest.param("a1111", "verybad_v1.3", 11, id="not in the webui either"),
    ],
)
def test_a_file_is_found_as_the_host_names_it(tmp_path: Path, host: str, prompt: str, places: int) -> None:
    fill(tmp_path)
    use = analyze(prompt, host=host, model="sd15", embeddings=tmp_path).usage.encoders[0]
    assert use.used == places
    assert set(use.chunks[0].ids[1 : 1 + places]) == {-1 if host == "comfyui" else 0}


@pytest.mark.parametrize(
    ("path", "why"),
    [
        pytest.param("nowhere", "does not exist", id="a folder that is not there"),
        pytest.param("file.pt", "is not a folder", id="a file where a folder should be"),
    ],
)
def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path, path: str, why: str) -> None:
    (tmp_path / "file.pt").write_bytes(b"")
    with pytest.raises(InputError, match=rf"{path}: {why}; name the folder that holds your textual inversions"):
        analyze("a cat", host="a1111", embeddings=tmp_path / path)
