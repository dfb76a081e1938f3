"""Panes whose work can wait: it is done once the new colours are on screen, and for a report that is no longer shown not at all."""

from __future__ import annotations

from promptlens.tui.pane import Pane, in_view


class LatePane(Pane):
    """A pane that shows a report after the repaint."""

    def update_view(self) -> None:
        """Show the report soon, unless the pane is hidden or shows it already."""
        if self._is_behind():
            self.call_after_refresh(self._catch_up, self.report)

    def _is_behind(self) -> bool:
        return self.report is not None and self._shown is not self.report and in_view(self)

    def _catch_up(self, report: object) -> None:
        if report is self.report and self.report is not None and self._is_behind():
            self._shown = report
            self.show_report(self.report)
