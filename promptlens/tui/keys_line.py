"""The last line: keys that work now, as many as fit. Whole keys go, those of help and of the commands last."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.app import ComposeResult
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

from promptlens.spans import cell_width

KEPT = ("app.help", "app.command_palette")  # actions that lead to all others


class KeysLine(Footer):
    """Textual's footer without keys that would be cut."""

    _composed_for = 0

    def compose(self) -> ComposeResult:
        keys = [key for key in super().compose() if isinstance(key, FooterKey)]
        self._composed_for = self.app.size.width
        yield from (keys[n] for n in that_fit([(key.action, key_cells(key)) for key in keys], self._composed_for))

    def on_resize(self, event: events.Resize) -> None:
        if self._composed_for and event.size.width != self._composed_for:
            self.call_after_refresh(self.recompose)


def key_cells(key: FooterKey) -> int:
    """The cells of a key: blanks around it, and one behind what it does."""
    return cell_width(key.key_display) + cell_width(key.description) + 3


def that_fit(keys: Sequence[tuple[str, int]], width: int) -> list[int]:
    """The numbers of the keys, as (action, cells), that fit in so many cells: the first ones, and those that lead to all others.

    >>> that_fit([("copy", 8), ("filter", 10), ("app.help", 8), ("model", 8)], 20)
    [0, 2]
    """
    left = width - sum(cells for action, cells in keys if action in KEPT)
    shown = []
    for number, (action, cells) in enumerate(keys):
        if action not in KEPT:
            left -= cells
            if left < 0:
                break
        shown.append(number)
    return [*shown, *(n for n in range(len(shown), len(keys)) if keys[n][0] in KEPT)]
