"""Findings one after the other, as compilers list them: the place in the file, what is wrong, the text with a mark under it, the hint.

    prompts/hero.txt:3:17: warning TB201 the end of chunk 1 cuts the word 'volumetric'
      3 | ... lighting, volumetric fog
        |               ^^^^^^^^^^
        = Put a comma before it.

A run of one prompt is shown as a page instead: `pages_or_lists` tells which it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from promptlens.render import Clean, Entry, Item, Note, Unchecked
from promptlens.render._runs import Row, Run, cluster_start, visible, visible_text, wrap
from promptlens.render._tally import Tally
from promptlens.report import Finding
from promptlens.spans import Span, cell_width, clusters

# A clipped line is measured from so many characters around the mark; lines are at most 120 cells wide.
AROUND = 240
HELD_NOTES = 20

Way = Literal["page", "list"]


def pages_or_lists(items: Iterable[Item], tally: Tally) -> Iterator[tuple[Way, Item]]:
    """Each item, and how to show it: a text, and a file's prompt that is the only one of the run, on a page; else in a list.

    The first prompt of a file waits for the next item, so that it is known whether it is the only one. All items are counted.
    """
    held: list[Item] = []
    listing = False
    for item in items:
        tally.add(item)
        if isinstance(item, Entry) and item.source is None:
            yield from (("page", waiting) for waiting in held)
            held = []
            yield "page", item
        elif listing or len(held) >= HELD_NOTES or isinstance(item, (Unchecked, Clean)) or not _goes_with(item, held):
            listing = True
            yield from (("list", waiting) for waiting in (*held, item))
            held = []
        else:
            held.append(item)
    yield from (("page", waiting) for waiting in held)


def _goes_with(item: Item, held: Sequence[Item]) -> bool:
    """Whether an item may stand on one page with others: it is of the same file, and there is only one prompt."""
    if held and held[0].name != item.name:
        return False
    return not isinstance(item, Entry) or not any(isinstance(other, Entry) for other in held)


def listed(item: Item, width: int) -> Iterator[list[Row]]:
    """The findings of an item, each as rows."""
    if isinstance(item, Note):
        yield block(item.name, (item.line, item.column), item.finding, item.text, width)
    elif isinstance(item, Entry):
        prompt, failure = item.report.usage.prompt, item.report.usage.failure
        if failure is not None:
            host = item.report.usage.host
            finding = Finding(host.name, "error", failure.span, f"{host.title} fails on this prompt ({failure.name}). {failure.message}")
            yield block(item.name, item.place(failure.span.start), finding, prompt, width)
        for finding in item.report.findings:
            yield block(item.name, item.place(finding.span.start), finding, prompt, width)


def block(name: str, place: tuple[int, int], finding: Finding, text: str, width: int) -> list[Row]:
    """One finding: its head, the text that it is about, and the hint."""
    line, column = place
    style = "title" if finding.severity == "info" else finding.severity
    head = [Run(f"{visible_text(name)}:{line}:{column}: ", "dim"), Run(f"{finding.severity} {finding.code}", style)]
    head.append(Run(f" {finding.message}"))
    rows = wrap(head, width, indent="  ")
    gutter = max(len(str(line)), 3)
    shown = excerpt(text, finding.span, width - gutter - 3)
    if shown is not None:
        excerpted, before, marked = shown
        rows.append([Run(f"{line:>{gutter}} | ", "dim"), Run(excerpted)])
        rows.append([Run(f"{'':>{gutter}} | {' ' * before}", "dim"), Run("^" * marked, style)])
    if finding.hint:
        rows += wrap([Run(finding.hint, "dim")], width, first=f"{'':>{gutter}} = ", indent=" " * (gutter + 3))
    return rows


def excerpt(text: str, span: Span, width: int) -> tuple[str, int, int] | None:
    """The line that a span begins in, cut to `width` cells, with the cells before the span and those it takes; None for an empty line.

    >>> excerpt("a cat", Span(2, 5), 20)
    ('a cat', 2, 3)
    """
    start = text.rfind("\n", 0, span.start) + 1
    end = text.find("\n", span.start)
    end = len(text) if end < 0 else end
    if start >= end:
        return None
    low = cluster_start(text, max(start, span.start - AROUND))
    high = cluster_start(text, min(end, span.start + AROUND))
    cells = [(s.start + low, visible(s.of(text[low:high]))) for s in clusters(text[low:high])]
    widths = [cell_width(shown) for _, shown in cells]
    first = next((i for i, (at, _) in enumerate(cells) if at >= span.start), len(cells))
    if first and first < len(cells) and cells[first][0] > span.start:
        first -= 1
    beginning = _beginning(widths, first, width, whole=low == start and high == end)
    parts, used, before, marked = [], 0, 0, 0
    if beginning or low > start:
        parts, used = ["…"], 1
    before = used
    for i in range(beginning, len(cells)):
        last = i == len(cells) - 1 and high == end
        if used + widths[i] > width - (0 if last else 1):
            parts.append("…")
            break
        parts.append(cells[i][1])
        used += widths[i]
        if i < first:
            before = used
        elif cells[i][0] < span.end:
            marked += widths[i]
    return "".join(parts), before, max(marked, 1)


def _beginning(widths: list[int], first: int, width: int, *, whole: bool) -> int:
    """Index of the first cluster to show, so that a third of the line stands before the mark when all of it does not fit."""
    if whole and sum(widths) <= width:
        return 0
    room, at = width // 3, first
    while at > 0 and room >= widths[at - 1]:
        at -= 1
        room -= widths[at]
    return at
