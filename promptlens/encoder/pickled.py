"""Weights in Python's pickle format (.ckpt, .pt, .pth, .bin): refused unless the user allows them and torch's safe reader takes them.

A pickle is a program: opening one from the net can run anything. torch's `weights_only` reader runs none of it, but it refuses many
old checkpoints, and it is only as safe as its last fixed flaw, so the user has to ask for it.
"""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from promptlens.encoder.header import Entries, TensorEntry
from promptlens.encoder.threads import import_torch
from promptlens.errors import WeightsError

SUFFIXES = (".ckpt", ".pt", ".pth", ".bin")

CONVERT = (
    "Convert it to safetensors once (A1111 and Forge: Checkpoint Merger, 'No interpolation', safetensors; for a repository: "
    "https://huggingface.co/spaces/safetensors/convert), or use weights that are safetensors already: promptlens encoders pull {name}"
)


def is_pickled(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES


def refuse(path: Path, name: str) -> WeightsError:
    """The error that says why, and both ways out."""
    return WeightsError(
        f"{path} is a pickle file, which can run any program when it is opened. {CONVERT.format(name=name)}. "
        "If you trust the file, --allow-pickle reads it with torch's safe reader."
    )


def read_pickled(path: Path, name: str) -> tuple[Entries, Mapping[str, Any]]:
    """Tensors of a pickle file by torch's `weights_only` reader, mapped into memory where the file allows it."""
    torch = import_torch()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # on protocols it may not take: what it does not take is told below
            loaded = torch.load(path, map_location="cpu", weights_only=True, mmap=_is_zip(path))
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as e:
        reason = str(e).strip().splitlines()[0] if str(e).strip() else type(e).__name__
        raise WeightsError(f"{path}: torch's safe reader does not take this file ({reason}). {CONVERT.format(name=name)}.") from e
    except OSError as e:
        raise WeightsError(f"{path} cannot be read: {e.strerror or e}.") from e
    state = loaded.get("state_dict", loaded) if isinstance(loaded, Mapping) else {}
    tensors = {str(k): v for k, v in state.items() if torch.is_tensor(v)}
    types = {torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16"}
    entries = {
        key: TensorEntry(key, types.get(t.dtype, str(t.dtype)), tuple(t.shape), path, 0, t.numel() * t.element_size())
        for key, t in tensors.items()
    }
    return entries, tensors


def _is_zip(path: Path) -> bool:
    """Whether torch wrote the file in its zip format (since 1.6), which alone can be mapped."""
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"
