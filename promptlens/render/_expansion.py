"""The page of `promptlens expand`: how many prompts a template stands for, what its largest takes, and that one's own page."""

from __future__ import annotations

from collections.abc import Iterator

from promptlens.expanding import Expansion
from promptlens.render import Entry
from promptlens.render._page import page
from promptlens.render._runs import Row, Run, quoted, wrap
from promptlens.render._words import listed, many
from promptlens.report import Report
from promptlens.terminal import Screen

LISTED = 8


def expansion_page(found: Expansion, largest: Report, smallest: Report, screen: Screen) -> Iterator[Row]:
    """The rows of the page."""
    width = screen.width
    if found.problem:
        yield from wrap([Run("Dynamic Prompts cannot read this template: ", "error"), Run(f"{found.problem}.")], width, indent="  ")
        yield from wrap([Run("It is taken as it stands.", "dim")], width, first="  ", indent="  ")
    elif found.variants == 1:
        yield from wrap([Run("There is nothing to choose: this is one prompt.", "ok")], width)
    else:
        yield from _variants(found, largest, smallest, width)
    if found.unknown:
        names = listed([quoted(f"__{name}__", 60)[1:-1] for name in found.unknown[:LISTED]])
        more = f" and {len(found.unknown) - LISTED} more" if len(found.unknown) > LISTED else ""
        yield from wrap([Run("No values for ", "warning"), Run(f"{names}{more}: left as they are.")], width, indent="  ")
    yield []
    yield from page(Entry(largest, "largest variant" if found.variants > 1 else "<text>"), screen)


def _variants(found: Expansion, largest: Report, smallest: Report, width: int) -> Iterator[Row]:
    read = "all of them read" if found.exact else "the largest of every choice put together"
    yield from wrap([Run(f"{_number(found.variants)} variants", "title"), Run(f" · {read}", "dim")], width, indent="  ")
    most, least = _taken(largest), _taken(smallest)
    yield from wrap([Run(f"The largest takes {most}, the smallest {least}. In the largest:")], width, indent="  ")
    dearest = sorted(found.picks, key=lambda pick: -pick.cost)
    for pick in dearest[:LISTED]:
        row = [Run(quoted(pick.source, 40)[1:-1], "syntax"), Run(f"  {many(pick.cost, 'token')}  ", "dim"), Run(quoted(pick.text, 120))]
        yield from wrap(row, width, first="  ", indent="    ")
    if len(dearest) > LISTED:
        yield [Run(f"  … and {many(len(dearest) - LISTED, 'more choice')}", "dim")]


def _number(count: int) -> str:
    """A count that may have thousands of digits."""
    return f"{count:,}" if count < 10**12 else f"some 10^{len(str(count)) - 1}" if count < 10**4000 else "more than 10^4000"


def _taken(report: Report) -> str:
    tokens = max((use.used + use.lost_count for use in report.usage.encoders), default=0)
    chunks = max((len(use.chunks) for use in report.usage.encoders), default=0)
    return f"{many(tokens, 'token')} in {many(chunks, 'chunk')}"
