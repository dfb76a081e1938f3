"""The preview encoder that comes with the package: a small approximation of CLIP ViT-B/32's text encoder, trained for this, and no CLIP.

Its file holds matrices in bytes with a scale for each row, and the token table narrow, beside the matrix that widens it. Here they become
the tensors that any text encoder's file holds, so the same loader and the same `TextEncoder` run it. `promptlens encoders --card preview`
says how far to trust it. It leaves out training, which is in the repository's training/preview.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from promptlens.encoder.files import FoundWeights
from promptlens.encoder.header import Entries, TensorEntry
from promptlens.errors import WeightsError

NAME = "preview"
LABEL = "approximate preview, not CLIP; `promptlens encoders pull clip-l` for the real one"
FILE = Path(__file__).parents[1] / "data" / "preview.safetensors"
CARD = FILE.with_name("preview-card.md")
SHA256 = "0f24cd05075a85f203dc241c07705d4f27d589b519bf5ca0d9b38f9126007874"

_TABLE = "text_model.embeddings.token_embedding.table"
_WIDEN = "text_model.embeddings.token_embedding.widen"
_TOKENS = "text_model.embeddings.token_embedding.weight"
_SCALE = ".scale"


def preview_weights() -> FoundWeights:
    """The record of the file that comes with the package. Raises `WeightsError` where it is not there."""
    try:
        size = FILE.stat().st_size
    except OSError as e:
        raise WeightsError(f"The preview encoder cannot be read: {FILE}: {e.strerror}. Install promptlens again.") from e
    return FoundWeights(NAME, FILE, "preview", size, "int8", "comes with promptlens")


def card() -> str:
    """What it learnt from, how it was judged, where it fails."""
    return CARD.read_text(encoding="utf-8")


def is_packed(entries: Entries) -> bool:
    """Whether a file is of this kind."""
    return _TABLE in entries and _WIDEN in entries


def unpack(path: Path, entries: Entries) -> tuple[Entries, Mapping[str, Any]]:
    """Its tensors as other files hold them. Raises `WeightsError` for a file that is damaged; the package's own must be the one it is."""
    if path == FILE and hashlib.sha256(path.read_bytes()).hexdigest() != SHA256:
        raise WeightsError(f"{path} is damaged: it is not the file that comes with this version. Install promptlens again.")
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        held = load_file(path)
        wide = {name: _widened(name, held) for name in held if not name.endswith(_SCALE)}
        wide[_TOKENS] = (wide.pop(_TABLE) @ wide.pop(_WIDEN).T).half()
    except (OSError, SafetensorError, KeyError, RuntimeError) as e:
        raise WeightsError(f"{path} is not a whole preview encoder: {e}.") from e
    return {name: _entry(path, name, tensor) for name, tensor in wide.items()}, wide


def _widened(name: str, held: Mapping[str, Any]) -> Any:
    """A tensor in fp32: bytes times the scale of their row."""
    tensor = held[name]
    return tensor.float() * held[name + _SCALE].float()[:, None] if tensor.dtype.itemsize == 1 else tensor.float()


def _entry(path: Path, name: str, tensor: Any) -> TensorEntry:
    dtype = "F16" if tensor.dtype.itemsize == 2 else "F32"
    return replace(TensorEntry(name, dtype, tuple(tensor.shape), path, 0, 0), end=tensor.numel() * tensor.dtype.itemsize)
