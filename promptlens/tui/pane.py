"""What the panes have in common: each shows the screen's report, and works only while it is in view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.dom import DOMNode
from textual.widget import Widget

from promptlens.report import Report
from promptlens.spans import Span
from promptlens.tui.listing import Listing
from promptlens.tui.messages import Lit
from promptlens.tui.palette import Palette

if TYPE_CHECKING:
    from promptlens.tui.screen import MainScreen

LEAST_TEXT = 20


class Pane(Vertical):
    """A pane. Children say in `show_report` what they make of a report; `palette` is the theme's."""

    def __init__(self, palette: Palette, **options: Any) -> None:
        super().__init__(**options)
        self.palette = palette
        self.report: Report | None = None
        self._shown: object = None

    def compose(self) -> ComposeResult:
        yield from ()

    @property
    def main(self) -> MainScreen:
        """The screen that the pane is on."""
        return cast("MainScreen", self.screen)

    @property
    def text_width(self) -> int:
        """The cells of a line of text in it."""
        return max(self.size.width - 2, LEAST_TEXT)

    def on_mount(self) -> None:
        self.watch(self.screen, "report", self.take)

    def on_show(self) -> None:
        self.update_view()

    def take(self, report: Report | None) -> None:
        """Another report is there; it is shown now or when the pane comes into view."""
        self.report = report
        self.update_view()

    def update_view(self) -> None:
        """Show the report, unless the pane is hidden or shows it already."""
        if self.report is not None and self._shown is not self.report and in_view(self):
            self._shown = self.report
            self.show_report(self.report)

    def show_report(self, report: Report) -> None:
        """Show it."""

    def use_palette(self, palette: Palette) -> None:
        """Another theme, for its tables too."""
        self.palette = palette
        for table in self.query(Listing):
            table.use_palette(palette)
        self._shown = None
        self.update_view()

    def light(self, *spans: Span) -> None:
        """Light up words in the editor."""
        self.post_message(Lit(spans))


def in_view(widget: Widget) -> bool:
    """Whether a widget and everything it is in are displayed."""
    node: DOMNode | None = widget
    while isinstance(node, Widget):
        if not node.display:
            return False
        node = node.parent if isinstance(node.parent, Widget) else None
    return True
