"""Rows in colour: the styles of a page, and rich to draw them. Importing this imports rich."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from typing import Literal

from rich.console import Console
from rich.text import Text

from promptlens.render._runs import Row
from promptlens.terminal import Screen

# Two hues that colour-blind people tell apart, readable on dark and on light; hue is never the only sign.
STYLES = {
    "": "none",
    "title": "bold",
    "dim": "dim",
    "syntax": "dim",
    "even": "#4c9be8",
    "odd": "#2fb39a",
    "even-mark": "bold #4c9be8",
    "odd-mark": "bold #2fb39a",
    "lost": "strike #e5484d",
    "lost-words": "#e5484d",
    "lost-mark": "bold #e5484d",
    "error": "bold #e5484d",
    "warning": "bold #d6a84a",
    "ok": "#2fb39a",
    # influence, weak to strong: one hue that gets deeper on light and on dark
    "heat-1": "#8c93a8",
    "heat-2": "#9a8f96",
    "heat-3": "#a98a84",
    "heat-4": "#b78572",
    "heat-5": "#c57f60",
    "heat-6": "#d2794f",
    "heat-7": "#de713f",
    "heat-8": "#e86a30",
    "heat-9": "bold #f26322",
}


def painter(screen: Screen) -> Callable[[Iterable[Row]], str]:
    """A function that draws rows with the colours that the terminal has."""
    buffer = io.StringIO()
    console = console_for(screen, buffer)

    def paint(rows: Iterable[Row]) -> str:
        draw(console, rows)
        text = buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
        return text

    return paint


def console_for(screen: Screen, file: io.StringIO, *, record: bool = False) -> Console:
    """A console that colours whatever the environment says, for that was asked before; `record`: in all colours."""
    depths: tuple[Literal["auto", "truecolor", "standard"], ...] = ("truecolor",) if record else ("auto", "standard")
    for depth in depths:
        console = Console(
            file=file,
            force_terminal=True,
            no_color=False,
            color_system=depth,
            width=screen.width,
            highlight=False,
            legacy_windows=False,
            record=record,
        )
        if console.color_system:  # None: a dumb terminal
            break
    return console


def draw(console: Console, rows: Iterable[Row]) -> None:
    """Print rows as they are: wrapped already, and never read as markup."""
    for row in rows:
        text = Text(no_wrap=True, overflow="ignore", end="\n")
        for run in row:
            text.append(run.text, STYLES[run.style])
        console.print(text, soft_wrap=True, crop=False, markup=False, emoji=False)
