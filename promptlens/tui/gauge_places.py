"""What a click on the Budget pane means: the chunk of the gauge that was hit, or the words that are lost, as a stretch of the prompt."""

from __future__ import annotations

from collections.abc import Sequence

from promptlens.hosts import EncoderUse
from promptlens.render._draw import drawing
from promptlens.render._runs import Row
from promptlens.report import Report
from promptlens.spans import Span, cell_width
from promptlens.tui.gauges import splits


def span_at(report: Report, rows: Sequence[Row], x: int, y: int, *, compact: bool) -> Span | None:
    """The stretch that the row and cell of the pane stand for; None where they stand for none."""
    uses = report.usage.encoders
    if report.usage.failure is not None or not 0 <= y < len(rows):
        return None
    if compact:
        shown = [use for n, use in enumerate(uses) if use.unknown or all(u.unknown or splits(u) != splits(use) for u in uses[:n])]
        return _in_row(report, shown[y], rows[y], x)
    titles = sum(row[0].style == "title" for row in rows[: y + 1] if row)
    if not 0 < titles <= len(uses):
        return None
    for row in reversed(rows[: y + 1]):  # the words below a gauge belong to it
        if any(run.style.startswith(("mark", "lost-mark", "title")) for run in row):
            return _in_row(report, uses[titles - 1], row, x)
    return None


def _in_row(report: Report, use: EncoderUse, row: Row, x: int) -> Span | None:
    """What of a row lies at a cell: the last mark up to there says it, and the first of the row for cells before it."""
    at, found = 0, ""
    for run in row:
        if at > x and found:
            break
        if run.style.startswith("mark"):
            found = run.text.strip()
        elif run.style == "lost-mark":
            found = "lost"
        at += cell_width(run.text)
    if found == "lost":
        return _tokens(report, use, *use.lost_places[0]) if use.lost_places else None
    if not found:
        return None
    chunk = use.chunks[int(found) - 1]
    return _tokens(report, use, chunk.start, chunk.stop)


def _tokens(report: Report, use: EncoderUse, start: int, stop: int) -> Span | None:
    """From the first of some tokens to the last, as far as they are placed."""
    tokens = drawing(report.usage.prompt, report.usage.fragments, use).tokens[start:stop]
    return Span(min(t.span.start for t in tokens), max(t.span.end for t in tokens)) if tokens else None
