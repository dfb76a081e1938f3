"""Asks for a value as a text: Enter takes it where it will do, and else it says what is wrong and stays."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from promptlens.render._runs import visible_text
from promptlens.tui.drawing import escaped
from promptlens.tui.key_names import with_keys
from promptlens.tui.modal import Dialog

KEYS = "enter take · {dialog.close} close"


class ValueDialog(Dialog[None]):
    """`take` is given the text and says why it will not do, "" when it has been taken."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Close", id="dialog.close")]

    def __init__(self, title: str, about: str, text: str, hint: str, take: Callable[[str], str]) -> None:
        super().__init__()
        self._title, self._about, self._text, self._hint = title, about, text, hint
        self._take = take

    def compose(self) -> ComposeResult:
        with Vertical(id="value") as box:
            box.border_title = escaped(self._title)
            box.border_subtitle = escaped(with_keys(self, KEYS))
            yield Static(self._about, markup=False)
            yield Input(self._text, placeholder=self._hint, id="value-text")
            yield Static("", id="value-error", markup=False)

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        why = self._take(event.value)
        if not why:
            self.dismiss(None)
            return
        line = self.query_one("#value-error", Static)
        line.display = True
        line.update(visible_text(why))

    def action_leave(self) -> None:
        self.dismiss(None)
