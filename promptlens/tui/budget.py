"""The Budget pane: gauges beside the editor, or one line an encoder above it where the screen is narrow. A click goes to the chunk."""

from __future__ import annotations

from typing import Any

from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from promptlens.render._runs import Row
from promptlens.report import Report
from promptlens.spans import Span
from promptlens.tui.drawing import text_of
from promptlens.tui.gauges import budget_rows, compact_rows
from promptlens.tui.messages import Lit, Picked
from promptlens.tui.palette import Palette


class BudgetPane(VerticalScroll, can_focus=False):
    """The gauges of the screen's report."""

    def __init__(self, palette: Palette, **options: Any) -> None:
        super().__init__(**options)
        self.palette = palette
        self.body = Static(markup=False)
        self._rows: list[Row] = []

    def compose(self) -> ComposeResult:
        yield self.body

    def on_mount(self) -> None:
        self.watch(self.screen, "report", self.draw_soon)
        self.tooltip = "Click on a gauge: to its chunk. Click on what is lost: to the first lost word."

    def on_resize(self) -> None:
        self.draw()

    def draw_soon(self, report: Report | None) -> None:
        """Draw once the new colours are on screen, unless there is a newer report by then."""
        self.call_after_refresh(self._draw_if_current, report)

    def _draw_if_current(self, report: Report | None) -> None:
        if report is getattr(self.screen, "report", None):
            self.draw()

    def draw(self) -> None:
        report: Report | None = getattr(self.screen, "report", None)
        width = self.scrollable_content_region.width
        if report is None or not self.display or width < 8:
            return
        rows = compact_rows(report, width) if self.screen.has_class("-narrow") else budget_rows(report, width)
        if rows != self._rows:
            self.body.update(text_of(rows, self.palette), layout=len(rows) != len(self._rows))
            self._rows = rows

    def on_click(self, event: events.Click) -> None:
        """Go to where the chunk begins, and light all of it."""
        from promptlens.tui.gauge_places import span_at  # when first clicked

        event.stop()
        report: Report | None = getattr(self.screen, "report", None)
        offset = event.get_content_offset(self.body)
        if report is None or offset is None:
            return
        span = span_at(report, self._rows, offset.x, offset.y, compact=self.screen.has_class("-narrow"))
        if span is not None:
            self.post_message(Picked(Span(span.start, span.start)))
            self.post_message(Lit([span]))

    def use_palette(self, palette: Palette) -> None:
        self.palette = palette
        self._rows = []
        self.draw()
