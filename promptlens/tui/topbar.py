"""The top line: model, host and file, each of which can be clicked, and the state of the prompt at a glance.

It is written again on each key, so only what is another is drawn, and the layout is worked out anew only when a width changes. On a narrow
screen the name of the program goes first, then the end of the file's name, then what matters least of the summary.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Static

from promptlens.spans import cell_width
from promptlens.tui.drawing import fit
from promptlens.tui.key_names import with_keys

BRAND = "PromptLens"
FILE_CELLS = 8  # that the name of a file keeps whatever else there is


class Label(Static, can_focus=False):
    """One line of text."""

    def __init__(self, text: str = "", **options: Any) -> None:
        super().__init__(text, markup=False, **options)
        self.text = text

    def show(self, text: str, *, fills: bool = False) -> None:
        """Show another text. `fills`: the label fills what room there is, however wide its text."""
        if text != self.text:
            layout = not fills and cell_width(text) != cell_width(self.text)
            self.text = text
            self.update(Text(text), layout=layout)


class Button(Label):
    """A word that runs an action of the screen when it is clicked."""

    def __init__(self, action: str, **options: Any) -> None:
        super().__init__(**options)
        self._action = action

    def tell(self, text: str) -> None:
        """What a click does, shown while the mouse rests on it."""
        self.tooltip = Text(with_keys(self, text))

    async def on_click(self, event: events.Click) -> None:
        event.stop()
        await self.screen.run_action(self._action)


class TopBar(Horizontal):
    """The line itself."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.brand = Label(BRAND, id="brand")
        self.model = Button("choose_model", id="top-model")
        self.host = Button("choose_host", id="top-host")
        self.file = Button("show_files", id="top-file")
        self.summary = Label(id="top-summary")
        self._file = ("", False)
        self._summary: tuple[str, ...] = ()

    def compose(self) -> ComposeResult:
        yield from (self.brand, self.model, self.host, self.file, self.summary)

    def on_mount(self) -> None:
        self.model.tell("Choose the model: {model.choose}")
        self.host.tell("Choose the host: {host.choose}")
        self.file.tell("The prompts of this file, or the files opened last")

    def on_resize(self) -> None:
        self._fit()

    def show_model(self, title: str) -> None:
        self.model.show(f" {title} ▾ ")
        self._fit()

    def show_host(self, title: str) -> None:
        self.host.show(f" {title} ▾ ")
        self._fit()

    def show_file(self, name: str, *, changed: bool) -> None:
        self._file = (name, changed)
        self._fit()

    def show_summary(self, parts: Sequence[str]) -> None:
        """The parts of the summary, what matters most first."""
        self._summary = tuple(parts)
        self._fit()

    def _fit(self) -> None:
        """Share the width out."""
        name, changed = self._file
        width = self.size.width or self.app.size.width
        fixed = cell_width(self.model.text) + cell_width(self.host.text) + 2  # and a blank behind each
        mark = " ●" if changed else ""
        least = min(cell_width(name), FILE_CELLS) + 2 + len(mark)
        brand = len(BRAND) + 2
        whole = cell_width(summary_in(self._summary, width)) + 2
        shows_brand = brand + fixed + min(cell_width(name), 2 * FILE_CELLS) + 2 + len(mark) + whole <= width
        left = width - fixed - (brand if shows_brand else 0)
        said = summary_in(self._summary, left - least - 2)
        room = max(left - cell_width(said) - 4 - len(mark), FILE_CELLS)
        self.brand.display = shows_brand
        self.file.show(f" {fit(name, min(room, cell_width(name)))}{mark} ")
        self.summary.show(said, fills=True)


def summary_in(parts: Sequence[str], width: int) -> str:
    """As many of the parts as there is room for, the first ones first.

    >>> summary_in(["18 lost", "3 findings", "2 chunks"], 22)
    '18 lost · 3 findings'
    """
    kept = list(parts)
    while len(kept) > 1 and cell_width(" · ".join(kept)) > width:
        kept.pop()
    return " · ".join(kept)
