"""Embedding files, written byte by byte.

torch is not needed: a pickle that torch would write names its functions, and the names are lent for as long as it is written.
"""

from __future__ import annotations

import collections
import io
import json
import pickle
import struct
import sys
import types
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

Shape = tuple[int, ...]


# --- safetensors by hand ---


def safetensors(header: Any, *, body: int = 0) -> bytes:
    """Eight bytes of length, the header as JSON, and zeros for the tensors."""
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(body)


def tensors(**shapes: Shape) -> bytes:
    header: dict[str, Any] = {}
    at = 0
    for name, shape in shapes.items():
        size = 4
        for n in shape:
            size *= n
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    return safetensors(header, body=at)


# --- pickles by hand ---


@dataclass
class Storage:
    """What a tensor's numbers lie in: torch writes them beside the pickle, which names them by a persistent id."""

    count: int


def _rebuild_tensor_v2(*args: Any) -> None: ...


def _rebuild_parameter(*args: Any) -> None: ...


class FloatStorage: ...


class Tensor:
    """Pickles as a torch tensor does."""

    def __init__(self, *shape: int) -> None:
        self.shape = shape

    def __reduce__(self) -> tuple[Any, ...]:
        strides = tuple(range(len(self.shape), 0, -1))
        return _rebuild_tensor_v2, (Storage(4), 0, self.shape, strides, False, collections.OrderedDict())


class Parameter(Tensor):
    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild_parameter, (Tensor(*self.shape), True, collections.OrderedDict())


class ParameterDict:
    """Old webui embeddings hold a torch module of this name; its parameters are in its state."""

    def __init__(self, **parameters: Tensor) -> None:
        self._parameters = collections.OrderedDict(parameters)
        self.training = True


LENT: dict[str, list[Any]] = {
    "torch": [FloatStorage],
    "torch._utils": [_rebuild_tensor_v2, _rebuild_parameter],
    "torch.nn.modules.container": [ParameterDict],
}


@contextmanager
def torch_names() -> Iterator[None]:
    """While it lasts, the classes above are called what torch calls its own."""
    with pytest.MonkeyPatch.context() as patch:
        for name, things in LENT.items():
            module = types.ModuleType(name)
            patch.setitem(sys.modules, name, module)
            for thing in things:
                patch.setattr(thing, "__module__", name)
                setattr(module, thing.__name__, thing)
        yield


class Pickler(pickle.Pickler):
    def persistent_id(self, obj: Any) -> Any:
        return ("storage", FloatStorage, "0", "cpu", obj.count) if isinstance(obj, Storage) else None


def pickled(value: Any) -> bytes:
    out = io.BytesIO()
    with torch_names():
        Pickler(out, 2).dump(value)
    return out.getvalue()


def torch_zip(value: Any, *, raw: bytes | None = None, name: str = "archive/data.pkl") -> bytes:
    """What torch.save writes today: a zip with the pickle and the numbers."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, pickled(value) if raw is None else raw)
        archive.writestr("archive/data/0", bytes(16))
        archive.writestr("archive/version", "3\n")
    return out.getvalue()


def torch_old(value: Any) -> bytes:
    """What torch.save wrote before 1.6: magic number, protocol, system, the object, keys, numbers."""
    parts = [0x1950A86A20F9469CFC6C, 1001, {"little_endian": True, "type_sizes": {"int": 4}}]
    return b"".join(pickle.dumps(p, 2) for p in parts) + pickled(value) + pickle.dumps(["0"], 2) + bytes(24)


def webui(**extra: Any) -> dict[str, Any]:
    return {"string_to_token": {"*": 265}, "name": "x", "step": 1999, "sd_checkpoint_name": "model", **extra}
