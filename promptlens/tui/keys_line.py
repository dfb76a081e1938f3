"""The last line: the keys that work where one is, as many as fit, and what each does; a click on one presses it. Whole keys go, those of
help and of the commands last.

It is one widget that draws its line. Textual's footer makes a widget for each key and makes them all anew on each change of the focus, for
which the screen waits a tenth of a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from promptlens.spans import cell_width

KEPT = ("app.help", "app.command_palette")  # actions that lead to all others


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it is bound, as it is written, what it does in a word, and the action. One that is not enabled does nothing now."""

    key: str
    written: str
    does: str
    action: str
    enabled: bool

    @property
    def width(self) -> int:
        """Its cells: blanks around it, and one behind what it does."""
        return cell_width(self.written) + cell_width(self.does) + 3


def keys_of(screen: Screen[Any]) -> tuple[Key, ...]:
    """The keys that are shown, one for each action, in the order of the bindings."""
    shown: dict[str, Key] = {}
    for _, binding, enabled, _ in screen.active_bindings.values():
        if binding.show:
            shown.setdefault(
                binding.action, Key(binding.key, screen.app.get_key_display(binding), binding.description, binding.action, enabled)
            )
    return tuple(shown.values())


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


class KeysLine(Widget, can_focus=False):
    """The line."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"keys-line--key", "keys-line--does", "keys-line--hover", "keys-line--off"}

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._all: tuple[Key, ...] = ()
        self.keys: tuple[Key, ...] = ()
        self._hovered: Key | None = None

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self.take)

    def take(self, screen: Screen[Any]) -> None:
        """The keys may be others now. While another window has the focus they stay."""
        if not screen.app.app_focus:
            return
        self._all = keys_of(screen)
        self._fit()

    def on_resize(self) -> None:
        self._fit()

    def _fit(self) -> None:
        """Show those for which there is room."""
        keys = tuple(self._all[n] for n in that_fit([(key.action, key.width) for key in self._all], self.size.width))
        if keys != self.keys:
            self.keys = keys
            self.refresh()

    def render_line(self, y: int) -> Strip:
        ground, width = self.rich_style, self.size.width
        style = self.get_component_rich_style
        segments: list[Segment] = []
        for key in self.keys if y == 0 else ():
            over = style("keys-line--hover") if key is self._hovered else ground
            if not key.enabled:
                over += style("keys-line--off", partial=True)
            segments.append(Segment(f" {key.written} ", over + style("keys-line--key", partial=True)))
            segments.append(Segment(f"{key.does} ", over + style("keys-line--does", partial=True)))
        return Strip(segments).adjust_cell_length(width, Style.from_color(bgcolor=ground.bgcolor))

    def _key_at(self, x: int) -> Key | None:
        at = 0
        for key in self.keys:
            at += key.width
            if x < at:
                return key
        return None

    def _hover(self, key: Key | None) -> None:
        if key is not self._hovered:
            self._hovered = key
            self.refresh()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        self._hover(self._key_at(event.x))

    def on_leave(self) -> None:
        self._hover(None)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        key = self._key_at(event.x)
        if key is not None and key.enabled:
            self.app.simulate_key(key.key)
