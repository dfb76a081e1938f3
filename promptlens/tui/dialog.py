"""A question with a few answers, each a button and a letter."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Static

from promptlens.tui.drawing import escaped
from promptlens.tui.modal import Dialog

GRACE_S = 0.5  # that a question nobody asked for is on screen before a letter is taken for an answer to it


class Question(Dialog[str]):
    """Gives the key of the answer; Escape gives the last one's. `answers` are (key, what the button says); the key is its letter too.

    `unasked`: it may come up in the middle of a word, so the first letters go on to where they were typed.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Close", id="dialog.close"),
        Binding("left", "app.focus_previous", show=False, id="dialog.previous"),
        Binding("right", "app.focus_next", show=False, id="dialog.next"),
    ]

    def __init__(self, title: str, said: str, answers: Sequence[tuple[str, str]], *, unasked: bool = False) -> None:
        super().__init__()
        self._title = title
        self._said = said
        self._answers = tuple(answers)
        self._unasked = unasked
        self._shown_at = 0.0

    def compose(self) -> ComposeResult:
        with Vertical(id="question") as box:
            box.border_title = escaped(self._title)
            yield Static(Text(self._said), markup=False)
            with Horizontal(id="answers"):
                for key, label in self._answers:
                    yield Button(f"{label} ({key})", id=f"answer-{key}", compact=True)

    def on_mount(self) -> None:
        self.query(Button).first().focus()
        self._shown_at = time.monotonic()

    @on(Button.Pressed)
    def answer(self, event: Button.Pressed) -> None:
        self.dismiss((event.button.id or "").removeprefix("answer-"))

    def on_key(self, event: events.Key) -> None:
        if self._unasked and event.is_printable and time.monotonic() - self._shown_at < GRACE_S:
            event.stop()
            typing = self.app.screen_stack[-2].focused
            if typing is not None:
                typing.post_message(events.Key(event.key, event.character))
        elif event.character and event.character.lower() in dict(self._answers):
            event.stop()
            self.dismiss(event.character.lower())

    def action_leave(self) -> None:
        self.dismiss(self._answers[-1][0])
