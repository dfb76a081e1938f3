"""Bars: a row for each chunk with how much of it is used and why it ended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from promptlens.render._draw import Drawing, chunk_style
from promptlens.render._runs import Row, Run, wrap
from promptlens.render._words import many, why_ended

BAR_CELLS = 25  # three tokens a cell
FIRST_BARS, LAST_BARS = 10, 2


class Glyphs(NamedTuple):
    """The signs of a page: the mark's bar; a cell of a bar that is used, half used, free; the end of a line of the prompt."""

    mark: str
    full: str
    half: str
    free: str
    newline: str


LINES = Glyphs("┃", "━", "╸", "─", "↵")
ASCII = Glyphs("|", "#", "#", ".", "\\n")


def some(count: int, first: int, last: int, *others: int) -> Iterator[tuple[int, int]]:
    """The numbers from 0 of the first and last of a long list, and some others, each with the one that is shown before it (-1: none).

    >>> [n for _, n in some(100, 2, 1, 50)]
    [0, 1, 50, 99]
    """
    numbers = sorted({*range(min(first, count)), *range(max(count - last, 0), count), *others})
    yield from zip([-1, *numbers[:-1]], numbers, strict=True)


def bars(drawn: Drawing, width: int, glyphs: Glyphs) -> Iterator[Row]:
    """A row for each chunk, or for the first and last of very many. Where the line is short, the reason goes below its bar."""
    use = drawn.use
    cells = BAR_CELLS if width >= 60 else max(width - 16, 6) if width < 40 else 15
    for before, n in some(len(use.chunks), FIRST_BARS, LAST_BARS):
        if n > before + 1:
            left_out = use.chunks[before + 1 : n]
            tokens = many(sum(c.used for c in left_out), "token")
            yield from wrap([Run(f"… {many(len(left_out), 'more chunk')}, {tokens} …", "dim")], width, first="  ", indent="  ")
        yield from _bar(drawn, n, cells, width, glyphs)


def _bar(drawn: Drawing, number: int, cells: int, width: int, glyphs: Glyphs) -> Iterator[Row]:
    use = drawn.use
    digits = len(str(len(use.chunks)))
    chunk, capacity = use.chunks[number], use.encoder.capacity
    halves = min(2 * cells * chunk.used // capacity, 2 * cells) or min(chunk.used, 1)  # one token is seen, and full is full
    bar = glyphs.full * (halves // 2) + glyphs.half * (halves % 2)
    style = chunk_style(number)
    used = f"{chunk.used}/{capacity}"
    row = [
        Run(f"  {number + 1:>{digits}} ", f"{style}-mark"),
        Run(bar, style),
        Run(glyphs.free * (cells - len(bar)), "dim"),
        Run(f" {used:>5}"),
    ]
    reason = Run(why_ended(use, number, drawn.cut_word(chunk.stop)), "dim")
    at = 3 + digits + cells + 1 + max(len(used), 5) + 2
    if width - at >= 24:
        first, *rest = wrap([reason], width - at)
        yield [*row, Run("  "), *first]
        yield from ([Run(" " * at), *more] for more in rest)
    else:
        yield row
        yield from wrap([reason], width, first=" " * (3 + digits), indent=" " * (3 + digits))
