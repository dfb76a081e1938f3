"""A page for each prompt, to read: bars, the prompt with its chunk boundaries, what is lost.

Plain text without colours; with them the same page, drawn by rich, which is imported only then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from promptlens.render import Entry, Trouble
from promptlens.render._page import page
from promptlens.render._runs import Row, plain
from promptlens.terminal import Screen

tells_trouble = False

# Signs of the page for places that take nothing but ASCII; what else is left is written as an escape.
_ASCII = str.maketrans({"·": "-", "…": "...", "◌": "o"})


def write(entries: Iterable[Entry | Trouble], screen: Screen) -> Iterator[str]:
    """A page for each prompt, with an empty line between pages."""
    draw = drawer(screen)
    between = ""
    for entry in entries:
        if isinstance(entry, Entry):
            yield between + draw(page(entry, screen))
            between = "\n"


def drawer(screen: Screen) -> Callable[[Iterable[Row]], str]:
    """A function that turns rows into text for a screen, in colour or plain."""
    if screen.color:
        from promptlens.render._paint import painter  # rich, 60 ms: only for colours

        return painter(screen)
    return _ascii if screen.ascii else _plain


def _plain(rows: Iterable[Row]) -> str:
    return "".join(f"{plain(row).rstrip()}\n" for row in rows)


def _ascii(rows: Iterable[Row]) -> str:
    return _plain(rows).translate(_ASCII).encode("ascii", "backslashreplace").decode()
