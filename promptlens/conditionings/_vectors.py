"""Vectors of textual-inversion embeddings, by name and encoder.

An embedding is given as an array (vectors, width) for every encoder of the model, or as arrays by encoder: "clip-l", "clip_l" or "l", and
"" for the model's first. A folder is read as far as its files are .safetensors.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from promptlens.conditionings import FloatArray, Job
from promptlens.embeddings import find_embeddings
from promptlens.errors import InputError, OptionError
from promptlens.models import Encoder


def embedding_vectors(job: Job, name: str, encoder: Encoder) -> FloatArray:
    """(vectors, width) of the embedding `name` for an encoder, as many as the windows hold places for.

    Raises `OptionError` or `InputError` for what is not there, or is made for another model.
    """
    count = job.usage.options.embeddings[name]
    given = _from_folder(Path(job.embeddings), name) if isinstance(job.embeddings, (str, Path)) else job.embeddings[name]
    array = np.asarray(_for_encoder(job, name, given, encoder), dtype=np.float32)
    array = array.reshape(1, -1) if array.ndim == 1 else array
    width = job.encoders[encoder.name].width
    if array.ndim != 2 or array.shape[1] != width:
        raise OptionError(
            f"The embedding {name!r} is {array.shape[-1]} wide; {encoder.name} is {width} wide. It was made for another model, or "
            "belongs to another encoder: give {encoder: array}."
        )
    if len(array) != count:
        raise OptionError(f"The embedding {name!r} has {count} vectors for one encoder and {len(array)} for {encoder.name}.")
    return array


def base_name(names: Iterable[str], wanted: str) -> str:
    """The full name (`folder/name`) of an embedding that a host knows without its folder."""
    return next(name for name in names if wanted in (name, name.rpartition("/")[2]))


def _for_encoder(job: Job, name: str, given: Any, encoder: Encoder) -> Any:
    if isinstance(given, int):
        raise OptionError(f"Only the number of vectors of the embedding {name!r} was given; its array is needed to encode this prompt.")
    if not isinstance(given, Mapping):
        return given
    short = encoder.name.removeprefix("clip-")
    names = [encoder.name, encoder.name.replace("-", "_"), short, *([""] if encoder.name == job.usage.model.encoders[0].name else [])]
    found = next((key for key in names if key in given), None)
    if found is None:
        raise OptionError(f"The embedding {name!r} has no vectors for {encoder.name}; it has {', '.join(map(repr, given))}.")
    return given[found]


# Keys of a file that holds one array for any encoder.
_WHOLE = ("emb_params", "*", "string_to_param")


def _from_folder(folder: Path, name: str) -> Any:
    """What the file of an embedding holds: an array, or arrays by encoder."""
    path = next(e.path for e in find_embeddings(folder) if e.name == name)
    if path.suffix.lower() != ".safetensors":
        raise InputError(f"{path}: pickled embeddings are not read; convert it to .safetensors, or give its array.")
    from safetensors import SafetensorError  # of the encoder extra
    from safetensors.numpy import load_file

    try:
        tensors = load_file(path)
    except (OSError, SafetensorError, TypeError, KeyError) as e:
        raise InputError(f"{path} cannot be read as an embedding ({e}).") from e
    whole = next((key for key in _WHOLE if key in tensors), None)
    by_encoder = {key: value for key, value in tensors.items() if key.startswith("clip")}
    if whole is None and by_encoder:
        return by_encoder
    return tensors[whole] if whole else next(iter(tensors.values()))
