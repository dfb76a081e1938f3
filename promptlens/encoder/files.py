"""Weight files and folders: which files a path stands for, and the record of weights that were found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from promptlens.encoder.header import INDEX_SUFFIX
from promptlens.encoder.pickled import is_pickled

# Folders of a diffusers pipeline that hold text encoders.
PIPELINE_FOLDERS = ("text_encoder", "text_encoder_2")
# In a folder: whole files before the same in parts, full precision before others.
PREFERRED = ("model.safetensors", "model.fp16.safetensors", "model.safetensors.index.json")
PART = "-of-"  # "model-00001-of-00002.safetensors": read by way of its index


@dataclass(frozen=True, slots=True)
class FoundWeights:
    """Weights of one text encoder on this machine.

    `bytes` is what the text encoder takes in the file, `precision` how it is stored ("fp16"), `source` where it was found in words
    ("Hugging Face cache"), `layout` what kind of file it is in.
    """

    encoder: str
    path: Path
    layout: str
    bytes: int
    precision: str
    source: str

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON takes it."""
        return {
            "encoder": self.encoder,
            "bytes": self.bytes,
            "precision": self.precision,
            "layout": self.layout,
            "source": self.source,
            "path": str(self.path),
        }


def weight_files(path: Path) -> Iterator[Path]:
    """The weight files that a path given by the user stands for: itself, those of a folder, those of a pipeline's text encoders."""
    if not path.is_dir():
        yield path
        return
    for folder in (path, *(path / name for name in PIPELINE_FOLDERS)):
        if folder.is_dir():
            yield from folder_files(folder)


def folder_files(folder: Path) -> Iterator[Path]:
    """Weight files right in a folder, safetensors before pickles, the most usual names first."""
    files = sorted(f for f in folder.iterdir() if f.is_file())
    tensors = [f for f in files if f.name.endswith(INDEX_SUFFIX) or (f.suffix == ".safetensors" and PART not in f.name)]
    ranked = {name: rank for rank, name in enumerate(PREFERRED)}
    yield from sorted(tensors, key=lambda f: ranked.get(f.name, len(ranked)))
    yield from (f for f in files if is_pickled(f))


def projection_beside(path: Path) -> Path:
    """Where a projection would lie that belongs to weights without one: clip-l.safetensors -> clip-l.projection.safetensors."""
    return path.with_name(f"{path.stem}.projection.safetensors")
