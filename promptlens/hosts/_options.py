"""Checks that the hosts' options share; each raises `OptionError` with the way out."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, get_args, get_type_hints

from promptlens.errors import OptionError, nearest


def check_range(options: Any, name: str, low: int, high: int) -> None:
    """A whole number from `low` to `high`."""
    value = getattr(options, name)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise OptionError(f"{name} must be a whole number from {low} to {high}, not {value!r}.")


def check_choice(options: Any, name: str) -> None:
    """One of the values of the option's Literal type."""
    value = getattr(options, name)
    kind: type = type(options)
    choices = _choices(kind, name)
    if value not in choices:
        guess = nearest(str(value), [str(c) for c in choices])
        hint = f" Did you mean {guess!r}?" if guess else ""
        raise OptionError(f"{name} must be one of {', '.join(map(repr, choices))}, not {value!r}.{hint}")


@lru_cache(maxsize=256)
def _choices(kind: type, name: str) -> tuple[Any, ...]:
    return get_args(get_type_hints(kind)[name])


def check_flag(options: Any, name: str) -> None:
    """True or False: a text like "no" would count as true."""
    value = getattr(options, name)
    if not isinstance(value, bool):
        raise OptionError(f"{name} must be true or false, not {value!r}.")


def check_embeddings(options: Any) -> None:
    """Names and numbers of vectors; a folder is read, arrays are counted. Replaces the value by {name: vectors}."""
    value = options.embeddings
    if isinstance(value, (str, Path)):
        from promptlens.embeddings import read_folder  # only for those who name a folder

        object.__setattr__(options, "embeddings", read_folder(Path(value)))
    elif isinstance(value, Mapping):
        if value:
            object.__setattr__(options, "embeddings", {str(k): vectors_of(k, v) for k, v in value.items()})
    else:
        raise OptionError(f"embeddings must be {{name: vectors}} or a folder, not {value!r}.")


def vectors_of(name: object, value: Any) -> int:
    """Vectors of an embedding given as a count, an array (vectors, width), or a mapping of encoder to array."""
    if not str(name).strip():
        raise OptionError(f"An embedding must have a name, not {name!r}.")
    if isinstance(value, int) and not isinstance(value, bool):
        if value < 1:
            raise OptionError(f"The embedding {name!r} must have at least one vector, not {value}.")
        return value
    if isinstance(value, Mapping) and value:
        return vectors_of(name, next(iter(value.values())))
    shape = getattr(value, "shape", None)
    if shape is not None and len(shape) in (1, 2):
        return vectors_of(name, int(shape[0]) if len(shape) == 2 else 1)
    raise OptionError(f"The embedding {name!r} must be a number of vectors or an array (vectors, width), not {type(value).__name__}.")
