"""The top line: model, host and file, each of which can be clicked, and the state of the prompt at a glance."""

from __future__ import annotations

from typing import Any

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Static

from promptlens.tui.drawing import fit


class Button(Static, can_focus=False):
    """A word that runs an action of the screen when it is clicked."""

    def __init__(self, action: str, **options: Any) -> None:
        super().__init__(markup=False, **options)
        self._action = action

    async def on_click(self, event: events.Click) -> None:
        event.stop()
        await self.screen.run_action(self._action)


class TopBar(Horizontal):
    """The line itself."""

    def compose(self) -> ComposeResult:
        yield Static("PromptLens", id="brand")
        yield Button("choose_model", id="top-model")
        yield Button("choose_host", id="top-host")
        yield Button("show_files", id="top-file")
        yield Static("", id="top-summary", markup=False)

    def show_model(self, title: str) -> None:
        self.query_one("#top-model", Static).update(Text(f" {title} ▾ "))

    def show_host(self, title: str) -> None:
        self.query_one("#top-host", Static).update(Text(f" {title} ▾ "))

    def show_file(self, name: str, *, changed: bool) -> None:
        room = max(self.app.size.width // 4, 12)
        shown = fit(name, room).rstrip()
        self.query_one("#top-file", Static).update(Text(f" {shown}{' ●' if changed else ''} "))

    def show_summary(self, summary: str) -> None:
        self.query_one("#top-summary", Static).update(Text(summary))
