"""The tabs below the editor: Tokens, Findings and the others. Only the one in view works."""

from __future__ import annotations

from typing import Any

from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import TabbedContent, TabPane

from promptlens.report import Finding
from promptlens.tui.compare_pane import ComparePane
from promptlens.tui.finding_pane import FindingPane
from promptlens.tui.hosts_pane import HostsPane
from promptlens.tui.influence_pane import InfluencePane
from promptlens.tui.palette import Palette
from promptlens.tui.pane import Pane
from promptlens.tui.token_pane import TokenPane

TABS: tuple[tuple[str, str, type[Pane]], ...] = (
    ("tokens", "Tokens", TokenPane),
    ("findings", "Findings", FindingPane),
    ("influence", "Influence", InfluencePane),
    ("compare", "Compare", ComparePane),
    ("hosts", "Hosts", HostsPane),
)


class Inspect(TabbedContent):
    """The panes by tab."""

    def __init__(self, palette: Palette, **options: Any) -> None:
        super().__init__(initial="tokens", **options)
        self._count = 0
        self.panes: dict[str, Pane] = {name: make(palette, id=f"{name}-pane") for name, _, make in TABS}

    def compose(self) -> ComposeResult:
        for name, title, _ in TABS:
            self.compose_add_child(TabPane(title, self.panes[name], id=name))
        yield from super().compose()

    def count_findings(self, count: int) -> None:
        """Say in the tab how many findings there are."""
        if count != self._count:
            self._count = count
            self.get_tab("findings").label = f"Findings ●{count}" if count else "Findings"

    def chosen_finding(self) -> Finding | None:
        """The finding under the cursor of the findings pane, if that is where one is."""
        pane = self.panes["findings"]
        if isinstance(pane, FindingPane) and self.active == "findings" and pane.listing.has_focus:
            return pane.finding
        return None

    def show_tab(self, name: str) -> None:
        """Bring a tab to the front and go into it."""
        self.active = name
        target: Widget | None = next((w for w in self.panes[name].query("*") if w.can_focus and w.display), None)
        if target is not None:
            self.call_after_refresh(target.focus)

    def use_palette(self, palette: Palette) -> None:
        for pane in self.panes.values():
            pane.use_palette(palette)
