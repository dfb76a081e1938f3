"""A prompt drawn in heat: each word on the step of the ramp that it has, with the steps as digits below where there is room for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from promptlens.render._runs import Row, Run, wrap
from promptlens.spans import Span, cell_width
from promptlens.tui.coloring import cluster_edges
from promptlens.tui.drawing import segments_of
from promptlens.tui.palette import Palette

# Behind a style's name: the number of the unit, so that the one that is pointed at is found in rows that are wrapped already.
UNIT = "*"


def heat_runs(prompt: str, heats: Sequence[tuple[Span, int]]) -> list[Run]:
    """The prompt as runs: "heat3*0" for the first unit, which is on step 3; "syntax" for what belongs to none."""
    text = "".join(" " if c in "\n\r\t" else c for c in prompt)
    edges = cluster_edges(text)
    runs: list[Run] = []
    at = 0
    for n, (span, step) in sorted(enumerate(heats), key=lambda h: (h[1][0].start, -h[1][0].end)):
        start = edges[span.start].start if span.start in edges else span.start
        end = edges[span.end - 1].end if span.end - 1 in edges else span.end
        start = max(start, at)
        if start >= end:
            continue
        runs.append(Run(text[at:start], "syntax"))
        runs.append(Run(text[start:end], f"heat{step}{UNIT}{n}"))
        at = end
    runs.append(Run(text[at:], "syntax"))
    return [run for run in runs if run.text]


def mark_row(row: Row) -> Row:
    """The steps below a line: a digit a cell, a dot for what does no more than a comma."""

    def mark(run: Run) -> str:
        step, _, unit = run.style.removeprefix("heat").partition(UNIT)
        return " " if not unit else "·" if step == "0" else step

    return [Run(mark(run) * cell_width(run.text), "dim") for run in row]


class HeatStrip(ScrollView, can_focus=False):
    """The drawing. It scrolls to the unit that is pointed at."""

    def __init__(self, palette: Palette, **options: Any) -> None:
        super().__init__(**options)
        self.palette = palette
        self._prompt = ""
        self._heats: Sequence[tuple[Span, int]] = ()
        self._pointed = ""
        self._rows: list[Row] = []
        self._laid_out: object = None

    def show(self, prompt: str, heats: Sequence[tuple[Span, int]]) -> None:
        """Draw another prompt."""
        self._prompt, self._heats, self._pointed, self._laid_out = prompt, heats, "", None
        self._lay_out()

    def point(self, span: Span | None) -> None:
        """Underline a unit and bring it into view; None: none."""
        pointed = next((f"{UNIT}{n}" for n, (unit, _) in enumerate(self._heats) if unit == span), "")
        if pointed != self._pointed:
            self._pointed = pointed
            self.refresh()
            at = next((n for n, row in enumerate(self._rows) if any(self._is_pointed(run) for run in row)), None)
            if at is not None:
                self.scroll_to_region(Region(0, at, 1, 2), animate=False, force=True, immediate=True)

    def _is_pointed(self, run: Run) -> bool:
        return bool(self._pointed) and run.style.endswith(self._pointed)

    def use_palette(self, palette: Palette) -> None:
        self.palette = palette
        self.refresh()

    def on_resize(self) -> None:
        self._lay_out()

    def _lay_out(self) -> None:
        """Break it into rows, once it has a size; each with its digits below if all fit so."""
        if not self.size or self._laid_out == self.size:
            return
        self._laid_out = self.size
        width, height = max(self.size.width - 1, 8), self.size.height
        rows = wrap(heat_runs(self._prompt, self._heats), width)
        if 2 * len(rows) <= height:
            rows = [each for row in rows for each in (row, mark_row(row))]
        self._rows = rows
        self.virtual_size = Size(self.size.width, len(rows))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        ground = self.rich_style
        number = y + self.scroll_offset.y
        if number >= len(self._rows):
            return Strip.blank(width, ground)
        segments: list[Segment] = []
        for run in self._rows[number]:
            (segment,) = segments_of([Run(run.text, run.style.partition(UNIT)[0])], self.palette)
            pointed = self._is_pointed(run)
            segments.append(segment._replace(style=(segment.style or Style()) + Style(underline=True, bold=True)) if pointed else segment)
        return Strip(segments).adjust_cell_length(width, ground).apply_style(ground)
