"""The tabs below the editor: Tokens, Findings and the others. Each pane is imported and made when its tab is first looked at, and only the
one in view works.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import TabbedContent, TabPane

from promptlens.report import Finding
from promptlens.tui.palette import Palette
from promptlens.tui.pane import Pane

if TYPE_CHECKING:
    from promptlens.tui.finding_pane import FindingPane

# Name, title, and module and class of the pane.
TABS: tuple[tuple[str, str, str], ...] = (
    ("tokens", "Tokens", "token_pane.TokenPane"),
    ("findings", "Findings", "finding_pane.FindingPane"),
    ("influence", "Influence", "influence_pane.InfluencePane"),
    ("similarity", "Similarity", "similarity_pane.SimilarityPane"),
    ("compare", "Compare", "compare_pane.ComparePane"),
    ("hosts", "Hosts", "hosts_pane.HostsPane"),
)
FIRST = "tokens"
TRIES = 50  # refreshes that a pane may take to be there


class Panes(dict[str, Pane]):
    """The panes by the names of their tabs; one that is asked for and is not there is made."""

    def __init__(self, make: Callable[[str], Pane]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, name: str) -> Pane:
        pane = self[name] = self._make(name)
        return pane


class Inspect(TabbedContent):
    """The panes by tab."""

    def __init__(self, palette: Palette, **options: Any) -> None:
        super().__init__(initial=FIRST, **options)
        self.palette = palette
        self.panes = Panes(self._make)
        self._count = 0
        self._wanted = FIRST

    def _make(self, name: str) -> Pane:
        """The pane of a tab, put into it where the tab is there."""
        module, _, kind = next(place for tab, _, place in TABS if tab == name).partition(".")
        pane: Pane = getattr(import_module(f"promptlens.tui.{module}"), kind)(self.palette, id=f"{name}-pane")
        if self.is_mounted:
            self.get_pane(name).mount(pane)
        return pane

    def compose(self) -> ComposeResult:
        for name, title, _ in TABS:
            self.compose_add_child(TabPane(title, *([self.panes[name]] if name == FIRST else []), id=name))
        yield from super().compose()

    def watch_active(self, active: str) -> None:
        """Another tab is in front: its pane is there from now on."""
        if active and self.is_mounted:
            self.panes[active]

    def count_findings(self, count: int) -> None:
        """Say in the tab how many findings there are."""
        if count != self._count:
            self._count = count
            self.get_tab("findings").label = f"Findings ●{count}" if count else "Findings"

    def chosen_finding(self) -> Finding | None:
        """The finding under the cursor of the findings pane, if that is where one is."""
        if self.active != "findings":
            return None
        pane: FindingPane = self.panes["findings"]  # type: ignore[assignment]
        return pane.finding if pane.listing.has_focus else None

    def show_tab(self, name: str) -> None:
        """Bring a tab to the front and go into it."""
        self._wanted = self.active = name
        self.call_after_refresh(self._enter, name, self.panes[name])

    def _enter(self, name: str, pane: Pane, tries: int = TRIES) -> None:
        """Focus the first widget of a pane, which may just be on its way onto the screen, unless another was asked for since."""
        if name != self._wanted:
            return
        self.active = name  # news of a focus in the pane before may have come in between, and brought that one back
        target: Widget | None = next((w for w in pane.query("*") if w.can_focus and w.display), None)
        if target is not None:
            target.focus()
        elif tries:
            self.call_after_refresh(self._enter, name, pane, tries - 1)

    def use_palette(self, palette: Palette) -> None:
        self.palette = palette
        for pane in self.panes.values():
            pane.use_palette(palette)
