"""To read: a page for a prompt, with bars, chunk boundaries and what is lost; of many prompts in files what is found, with its place.

Plain text without colours; with them the same page, drawn by rich, which is imported only then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from promptlens.render import Entry, Item
from promptlens.render._listing import listed, pages_or_lists
from promptlens.render._page import page
from promptlens.render._runs import Row, Run, plain, wrap
from promptlens.render._tally import Tally
from promptlens.terminal import Screen

tells_trouble = False
tells_clean = False

# Signs of the page for places that take nothing but ASCII; what else is left is written as an escape.
_ASCII = str.maketrans({"·": "-", "…": "...", "◌": "o", "█": "#"})


def write(entries: Iterable[Item], screen: Screen) -> Iterator[str]:
    """A page for a single prompt and for each text; of the prompts of files what is found, and a closing line."""
    draw, tally = drawer(screen), Tally()
    between, in_list, on_page = "", False, False
    for way, item in pages_or_lists(entries, tally):
        if way == "page" and isinstance(item, Entry):
            on_page = True
            yield between + draw(page(item, screen))
            between = "\n"
        else:
            in_list = in_list or way == "list"
            for rows in listed(item, screen.width):
                yield between + draw(rows)
                between = "\n"
    if tally.files and (in_list or not on_page):
        yield between + draw(wrap([Run(tally.sentence(), "title")], screen.width))


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
