"""What dialogs have in common: they answer once, and what is typed behind the answer goes to where it was meant for."""

from __future__ import annotations

from typing import TypeVar

from textual import events
from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen

Answer = TypeVar("Answer")


class Dialog(ModalScreen[Answer]):
    """A dialog. Keys that were on their way to it when it was answered are sent again, to whoever has the focus by then."""

    _answered = False

    def dismiss(self, result: Answer | None = None) -> AwaitComplete:
        """Close it with this answer; of several only the first counts."""
        if self._answered:
            return AwaitComplete()
        self._answered = True
        return super().dismiss(result)

    async def on_event(self, event: events.Event) -> None:
        if self._answered and isinstance(event, events.Key):
            event.stop()
            self.app.post_message(events.Key(event.key, event.character))
            return
        await super().on_event(event)

    async def _on_key(self, event: events.Key) -> None:
        """Do what the key is bound to now, not when the application comes to it: a key behind it would by then be past the dialog."""
        if not self._answered and await self.app._check_bindings(event.key):
            event.stop()
