"""Textual-inversion embeddings found in a folder: their names and numbers of vectors, from the files' headers alone.

A .safetensors file says its shapes in its first kilobytes. A .pt or .bin file is a pickle: it is walked by an unpickler that builds
nothing but plain containers and tensor shapes, so nothing in it can run and no tensor data is read. Pictures that hold an embedding
are left out.
"""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from promptlens.errors import InputError

SUFFIXES = (".safetensors", ".pt", ".bin")
MAX_HEADER_BYTES = 16 * 1024 * 1024
MAX_PICKLE_BYTES = 4 * 1024 * 1024  # a real one takes some kilobytes: the tensors lie beside or after it

# What damaged and hostile files make the readers raise; RuntimeError: an encrypted zip, or recursion without end.
_UNREADABLE = (
    *(OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError, MemoryError, EOFError),
    *(pickle.UnpicklingError, zipfile.BadZipFile, zlib.error, struct.error),
)


@dataclass(frozen=True, slots=True)
class EmbeddingFile:
    """An embedding file: `name` is its path inside the folder without the suffix, `vectors` the tokens it takes."""

    name: str
    path: Path
    vectors: int
    width: int


def read_folder(folder: Path) -> dict[str, int]:
    """{name: vectors} of all embedding files in a folder and the folders in it; names are relative, with "/".

    Raises `InputError` when the folder cannot be read. A file that is no embedding is passed over.
    """
    return {e.name: e.vectors for e in find_embeddings(folder)}


def find_embeddings(folder: Path) -> Iterator[EmbeddingFile]:
    """The embedding files of a folder, sorted by name."""
    if not folder.is_dir():
        why = "is not a folder" if folder.exists() else "does not exist"
        raise InputError(f"{folder}: {why}; name the folder that holds your textual inversions.")
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in SUFFIXES and path.is_file():
            shape = embedding_shape(path)
            if shape:
                yield EmbeddingFile(path.relative_to(folder).with_suffix("").as_posix(), path, *shape)


def embedding_shape(path: Path) -> tuple[int, int] | None:
    """(vectors, width) of an embedding file, or None when it is not one or cannot be read."""
    try:
        shapes = _safetensors_shapes(path) if path.suffix.lower() == ".safetensors" else _pickle_shapes(path)
    except _UNREADABLE:
        return None
    return _chosen(shapes)


def _chosen(shapes: Mapping[str, tuple[int, ...]]) -> tuple[int, int] | None:
    """The shape that hosts count: SDXL files hold one tensor per encoder with as many vectors in each."""
    order = ["emb_params", "*", "string_to_param", "clip_l", "clip_g"]
    flat = {key: shape for key, shape in shapes.items() if len(shape) in (1, 2) and min(shape) > 0}
    for key in [k for k in order if k in flat] or list(flat):
        shape = flat[key]
        return (shape[0], shape[1]) if len(shape) == 2 else (1, shape[0])
    return None


def _safetensors_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        if not 2 <= size <= MAX_HEADER_BYTES:
            raise ValueError("no safetensors header")
        header = json.loads(file.read(size))
    return {key: tuple(int(n) for n in entry["shape"]) for key, entry in header.items() if key != "__metadata__"}


def _pickle_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            inner = next((i for i in archive.infolist() if i.filename.rpartition("/")[2] == "data.pkl"), None)
            if inner is None or inner.file_size > MAX_PICKLE_BYTES:
                raise ValueError("no pickle, or one too large")
            loaded = _ShapeUnpickler(io.BytesIO(archive.read(inner))).load()
    else:
        with path.open("rb") as file:
            content = io.BytesIO(file.read(MAX_PICKLE_BYTES))
        for _ in range(3):  # torch's old format: magic number, protocol version, system information, then the object
            _ShapeUnpickler(content).load()
        loaded = _ShapeUnpickler(content).load()
    return dict(_shapes_in(loaded))


def _shapes_in(loaded: Any) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Tensor shapes by name, outer ones first. Each dictionary is looked into once: a hostile file may hold one in itself."""
    waiting: list[tuple[str, Any]] = [("*", loaded)]
    seen: set[int] = set()
    for name, value in waiting:
        if isinstance(value, _Shape):
            yield name, value.shape
        elif isinstance(value, dict) and id(value) not in seen:
            seen.add(id(value))
            waiting += [(str(key), inner) for key, inner in value.items() if key != "string_to_token"]  # that maps "*" to a token id


@dataclass(slots=True)
class _Shape:
    """Stands for a tensor; attribute setting by the pickle is ignored."""

    shape: tuple[int, ...] = ()

    def __setstate__(self, state: Any) -> None:
        pass


class _Nothing(dict[Any, Any]):
    """Stands for every class that is not a container: takes any arguments, keeps items, does nothing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, dict):
            self.update(state.get("_parameters") or {})


def _tensor_maker() -> Callable[..., _Shape]:
    """A new function at each call, for a pickle can set attributes of what it is given."""
    return lambda storage, offset, size, *rest: _Shape(tuple(int(n) for n in size))


def _parameter_maker() -> Callable[..., Any]:
    return lambda data, *rest: data


# The one written in C can be told by a few bytes to reserve gigabytes.
_Unpickler = pickle._Unpickler


class _ShapeUnpickler(_Unpickler):
    """Unpickles containers and tensor shapes; no name in the file reaches an import."""

    def find_class(self, module: str, name: str) -> Any:
        if name in {"_rebuild_tensor_v2", "_rebuild_tensor"}:
            return _tensor_maker()
        if name == "_rebuild_parameter":
            return _parameter_maker()
        if (module, name) == ("collections", "OrderedDict"):
            return dict
        return _Nothing

    def persistent_load(self, pid: Any) -> Any:
        return None
