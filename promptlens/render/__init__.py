"""Output formats: how the reports of a run are written.

Each format is one file of this folder with a `write(entries, screen)` that yields text; `FORMATS` is made by walking the folder, and a
format is imported when it is first used. Files that begin with an underscore are what formats share.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, cast

from promptlens.errors import UnknownNameError
from promptlens.terminal import Screen

if TYPE_CHECKING:  # the help names the formats; it need not wait for what reports are made of
    from promptlens.report import Report

Role = Literal["positive", "negative"]


class Entry(NamedTuple):
    """A report and the prompt it is of: `name` says where that came from, `id` is that of a JSON line."""

    report: Report
    name: str
    role: Role = "positive"
    id: Any = None


class Trouble(NamedTuple):
    """A prompt that could not be read or analysed, and why."""

    message: str
    name: str
    line: int | None = None
    id: Any = None


class Format(Protocol):
    """A module of this folder. `tells_trouble`: it writes `Trouble` itself; else it passes it over, for it is said on stderr."""

    tells_trouble: bool

    def write(self, entries: Iterable[Entry | Trouble], screen: Screen) -> Iterator[str]:
        """The output, piece by piece, each as soon as it is known."""
        ...


FORMATS: tuple[str, ...] = tuple(sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_")))


def load_format(name: str) -> Format:
    """The format of that name; an unknown one raises `UnknownNameError`."""
    if name not in FORMATS:
        raise UnknownNameError("format", name, FORMATS)
    return cast(Format, importlib.import_module(f"{__name__}.{name}"))
