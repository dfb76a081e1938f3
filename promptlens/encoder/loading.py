"""From a file or folder to a text encoder that is ready to run.

    load_encoder("models/checkpoints/sd_xl_base_1.0.safetensors", "clip-g")

A source is a safetensors file in any layout of layouts.py, the index of a file in parts, a folder that holds one (a text_encoder
folder, a whole CLIP repository, a diffusers pipeline), or a record of `find_encoders`. It leaves out looking for sources.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from promptlens.encoder.catalog import BUILDS, HEAD_WIDTH, get_build
from promptlens.encoder.files import FoundWeights, projection_beside, weight_files
from promptlens.encoder.header import Entries, read_entries
from promptlens.encoder.layouts import Holding, find_holdings, is_whole
from promptlens.encoder.pickled import is_pickled, read_pickled, refuse
from promptlens.encoder.preview import FILE as PREVIEW_FILE
from promptlens.encoder.preview import NAME as PREVIEW
from promptlens.encoder.preview import is_packed, unpack
from promptlens.encoder.reading import Get, check_tensors, checksum, open_tensors, plain_tensors
from promptlens.encoder.threads import import_torch
from promptlens.errors import WeightsError
from promptlens.models import ENCODERS

if TYPE_CHECKING:
    from promptlens.encoder.text_encoder import TextEncoder


@dataclass(frozen=True, slots=True)
class Source:
    """A text encoder in a file: `path` is the file or the index of its parts; `held` its tensors if it is pickled or packed."""

    path: Path
    entries: Entries
    holding: Holding
    held: Mapping[str, Any] | None = None

    def missing_layers(self, name: str) -> int:
        """Layers that the weights lack at the end: 1 in the diffusers folders of Stable Diffusion 2."""
        known = self.holding.width == ENCODERS[name].width
        return max(0, BUILDS[name].layers - self.holding.layers) if known else 0

    @contextmanager
    def tensors(self) -> Iterator[Get]:
        """A function that reads tensors by name."""
        if self.held is not None:
            yield self.held.__getitem__
        else:
            with open_tensors(self.entries) as get:
                yield get


def load_encoder(
    source: str | Path | FoundWeights,
    name: str | None = None,
    *,
    device: str = "auto",
    precision: str = "float32",
    threads: int | None = None,
    allow_pickle: bool = False,
) -> TextEncoder:
    """The text encoder `name` (a row of `ENCODERS`) of a source; a found record knows its own name, and "preview" is a source of its own.

    `device`: "auto" takes CUDA, then MPS, then the processor. `precision`: "float32", or "bfloat16" for the matrix products.
    `threads`: None finds the best count. Raises `WeightsError` with the way out for what cannot be used.
    """
    path, name = source_name(source, name)
    import_torch()
    from promptlens.encoder.assembly import assemble

    found = open_source(path, name, allow_pickle=allow_pickle)
    settings = _config(found.path)
    width = found.holding.width
    return assemble(
        found,
        name,
        heads=int(settings.get("num_attention_heads") or width // HEAD_WIDTH or 1),
        activation=str(settings.get("hidden_act") or BUILDS[name].activation),
        missing_layers=found.missing_layers(name),
        device=device,
        precision=precision,
        threads=threads,
    )


def source_name(source: str | Path | FoundWeights, name: str | None) -> tuple[Path, str]:
    """Path and encoder that a source means; an unknown name raises `UnknownNameError`, none at all `WeightsError`."""
    if isinstance(source, FoundWeights):
        return source.path, get_build(name or source.encoder).name
    if str(source) == PREVIEW and name in (None, PREVIEW):
        return PREVIEW_FILE, PREVIEW
    if name is None:
        raise WeightsError(f"Say which text encoder to read from {source}: {', '.join(BUILDS)}.")
    return Path(source), get_build(name).name


def open_source(path: Path, name: str, *, allow_pickle: bool = False) -> Source:
    """The place of encoder `name` in a file or folder; `WeightsError` says what is there instead."""
    if not path.exists():
        raise WeightsError(f"{path} does not exist. `promptlens encoders` lists the weights that were found.")
    others: list[str] = []
    pickles: list[Path] = []
    for file in weight_files(path):
        if is_pickled(file):
            pickles.append(file)
            continue
        entries = read_entries(file)
        unpacked: Mapping[str, Any] | None = None
        if is_packed(entries):
            entries, unpacked = unpack(file, entries)
        if source := _pick(file, entries, unpacked, name, others):
            return _with_projection(source)
    if pickles and not allow_pickle and not others:
        raise refuse(pickles[0], name)
    for file in pickles if allow_pickle else ():
        entries, tensors = read_pickled(file, name)
        if source := _pick(file, entries, tensors, name, others):
            return source
    held = f"It holds {', '.join(dict.fromkeys(others))}." if others else "No text encoder of a known layout is in it."
    raise WeightsError(f"{path} has no {name} weights. {held} `promptlens encoders` lists the weights that were found.")


def _pick(file: Path, entries: Entries, tensors: Mapping[str, Any] | None, name: str, others: list[str]) -> Source | None:
    """The first text encoder in a file that is, or may be, the one asked for; the names of the others go to `others`."""
    for holding in find_holdings(entries):
        if not is_whole(holding):
            others.append(f"a text encoder of {holding.positions} positions")
        elif holding.encoder in (None, name):
            check_tensors(entries, holding, file)
            return Source(file, entries, holding, tensors)
        else:
            others.append(str(holding.encoder))
    return None


def _with_projection(source: Source) -> Source:
    """The same with the projection from a file beside it, as `promptlens encoders pull` leaves it where hosts' files have none."""
    beside = projection_beside(source.path)
    if source.holding.projection is not None or not beside.exists():
        return source
    extra = read_entries(beside)
    name = "text_projection.weight"
    if name not in extra or extra[name].shape[-1] != source.holding.width:
        return source
    return replace(source, entries=source.entries | {name: extra[name]}, holding=replace(source.holding, projection=name))


def source_checksum(source: Source) -> str:
    """sha256 that names the weights of a source."""
    with source.tensors() as get:
        return checksum(plain_tensors(source.holding, get))


def _config(path: Path) -> dict[str, Any]:
    """What a config.json beside the weights says of the text encoder; nothing if there is none."""
    try:
        settings = json.loads((path.parent / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    text = settings.get("text_config", settings) if isinstance(settings, dict) else {}
    return text if isinstance(text, dict) and text.get("hidden_size") else {}
