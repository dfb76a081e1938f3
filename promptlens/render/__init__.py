"""Output formats: how the reports of a run are written.

Each format is one file of this folder with a `write(entries, screen)` that yields text; `FORMATS` is made by walking the folder, and a
format is imported when it is first used. Files that begin with an underscore are what formats share.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, cast

from promptlens.errors import UnknownNameError
from promptlens.terminal import Screen

if TYPE_CHECKING:  # the help names the formats; it need not wait for what reports are made of
    from promptlens.report import Finding, Report
    from promptlens.sources import Prompt

Role = Literal["positive", "negative", "caption"]


class Entry(NamedTuple):
    """A report and the prompt it is of: `name` says where that came from, `id` is that of a JSON line.

    `source` is the prompt of a file that it is of, None for texts: `place(offset)` says where a character stands. `fixable` counts the
    findings, by code, that --fix would take away, and those that --unsafe-fixes would besides; None where nobody tried.
    """

    report: Report
    name: str
    role: Role = "positive"
    id: Any = None
    source: Prompt | None = None
    fixable: tuple[Mapping[str, int], Mapping[str, int]] | None = None

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column, counted from 1, of a character of the prompt: in its file, or in the text where there is none."""
        if self.source is not None:
            return self.source.locate(offset)
        from promptlens.spans import line_column

        return line_column(self.report.usage.prompt, offset)


class Note(NamedTuple):
    """A finding about a file besides those of its prompts: at `line` and `column` stands `text`, the finding's span is within that."""

    finding: Finding
    name: str
    line: int
    column: int = 1
    text: str = ""


class Unchecked(NamedTuple):
    """A prompt of a file that is not analysed, and why: made by the host at run time, switched off, or of another encoder."""

    source: Prompt
    name: str
    why: str


class Clean(NamedTuple):
    """So many prompts of a file in which nothing is found, told as a number to formats that say nothing about each of them."""

    prompts: int
    name: str


class Trouble(NamedTuple):
    """A prompt or a file that could not be read or analysed, and why; `code` is the rule that says so ("TB501"), "" for wrong use.

    `message` is whole without `name`, `line` and `column`; these say where it is, as far as that is known. `hint` is the way out.
    """

    message: str
    name: str
    line: int | None = None
    id: Any = None
    column: int | None = None
    code: str = ""
    hint: str = ""


Item = Entry | Note | Unchecked | Clean | Trouble


class Format(Protocol):
    """A module of this folder.

    `tells_trouble`: it writes `Trouble` itself; else it passes it over, for it is said on stderr. `tells_clean`: it says something about
    each prompt; else it takes `Clean` for those in which nothing is found.
    """

    tells_trouble: bool
    tells_clean: bool

    def write(self, entries: Iterable[Item], screen: Screen) -> Iterator[str]:
        """The output, piece by piece, each as soon as it is known."""
        ...


FORMATS: tuple[str, ...] = tuple(sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_")))


def load_format(name: str) -> Format:
    """The format of that name; an unknown one raises `UnknownNameError`."""
    if name not in FORMATS:
        raise UnknownNameError("format", name, FORMATS)
    return cast(Format, importlib.import_module(f"{__name__}.{name}"))
