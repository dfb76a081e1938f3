"""Jump mode: a letter over each pane, and one key goes there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Offset
from textual.widget import Widget
from textual.widgets import Static

from promptlens.tui.inspect import TABS
from promptlens.tui.key_names import with_keys
from promptlens.tui.modal import Dialog

if TYPE_CHECKING:
    from promptlens.tui.screen import MainScreen

LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Target:
    """Where one can jump: the letter, the place of its mark, and what going there is."""

    letter: str
    name: str
    place: Offset
    go: Callable[[], object]


def targets(main: MainScreen) -> list[Target]:
    """The places of the screen that are in view, each with a letter of its name that no other has."""
    taken: set[str] = set()
    found = []
    for name, place, go in _places(main):
        letter = next(c for c in [*name.lower(), *LETTERS] if c in LETTERS and c not in taken)
        taken.add(letter)
        found.append(Target(letter, name, place, go))
    return found


def _places(main: MainScreen) -> Iterator[tuple[str, Offset, Callable[[], object]]]:
    def at(widget: Widget) -> Offset:
        return widget.region.offset

    def seen(widget: Widget) -> bool:
        return widget.display and bool(widget.region) and widget in main._compositor.visible_widgets

    def show(name: str) -> Callable[[], None]:
        return lambda: main.inspect.show_tab(name)

    def act(action: str) -> Callable[[], object]:
        return lambda: main.call_later(main.run_action, action)

    if seen(main.positive):
        yield "prompt", at(main.positive), main.positive.focus
    for name, title, _ in TABS:
        if seen(tab := main.inspect.get_tab(name)):
            yield title, at(tab), show(name)
    line = main.query_one("#negative-line")
    if seen(main.negative):
        yield "negative", at(main.negative), main.negative.focus
    elif seen(line):
        yield "negative", at(line), act("negative")
    for name, action in (("model", "choose_model"), ("host", "choose_host"), ("file", "show_files")):
        if seen(button := main.query_one(f"#top-{name}")):
            yield name, at(button), act(action)


class Jump(Dialog[Target]):
    """Shows the letters and gives the target of the one that is pressed; any other key gives none."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Close", id="dialog.close")]

    def __init__(self, found: list[Target]) -> None:
        super().__init__()
        self._targets = {target.letter: target for target in found}

    def compose(self) -> ComposeResult:
        for target in self._targets.values():
            mark = Static(f" {target.letter} ", classes="jump-mark", markup=False)
            mark.styles.offset = target.place
            yield mark
        yield Static(with_keys(self, " Press a letter to go there; {dialog.close} stays. "), id="jump-hint", markup=False)

    def on_key(self, event: events.Key) -> None:
        if event.key == "escape":
            return
        event.stop()
        self.dismiss(self._targets.get((event.character or "").lower()))

    def on_click(self) -> None:
        self.dismiss(None)

    def on_resize(self, event: events.Resize) -> None:
        if event.size != self.app.size or self._resized:
            self.dismiss(None)
        self._resized = True

    _resized = False

    def action_leave(self) -> None:
        self.dismiss(None)
