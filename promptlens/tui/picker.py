"""A dialog that lets one of a few rows be chosen: a host, a model, a recent file, a prompt of a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from promptlens.tui.drawing import escaped
from promptlens.tui.key_names import with_keys
from promptlens.tui.listing import Column, Entry, Listing
from promptlens.tui.modal import Dialog
from promptlens.tui.palette import Palette

KEYS = "{table.choose} choose · {table.filter} filter · {dialog.close} close"


class Picker(Dialog[Any]):
    """Gives the value of the entry that was chosen, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Close", id="dialog.close")]

    def __init__(
        self, title: str, palette: Palette, columns: Sequence[Column], entries: Sequence[Entry], *, hint: str = "", current: Any = None
    ) -> None:
        super().__init__()
        self._title = title
        self._entries = entries
        self._current = current
        self.listing = Listing(palette, columns, hint, id="picker-list")

    def compose(self) -> ComposeResult:
        with Vertical(id="picker"):
            yield self.listing

    def on_mount(self) -> None:
        box = self.query_one("#picker")
        box.border_title = escaped(self._title)
        box.border_subtitle = escaped(with_keys(self.listing, KEYS))
        box.styles.height = min(len(self._entries) + 4, max(self.app.size.height - 4, 6))
        self.listing.show(self._entries)
        self.listing.cursor = next((n for n, e in enumerate(self._entries) if e.value == self._current), 0)
        self.listing.focus()

    @on(Listing.Chosen)
    def choose(self, event: Listing.Chosen) -> None:
        event.stop()
        self.dismiss(event.entry.value)

    def action_leave(self) -> None:
        self.dismiss(None)
