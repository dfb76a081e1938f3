"""F1: what the pane in use shows, and the keys that work in it, as they are bound now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from promptlens.render._runs import Row, Run, wrap
from promptlens.tui.drawing import escaped, text_of
from promptlens.tui.key_names import with_keys
from promptlens.tui.modal import Dialog
from promptlens.tui.palette import Palette

if TYPE_CHECKING:
    from promptlens.tui.screen import MainScreen

KEY_CELLS = 12
COLOURS = (
    "Each chunk has its hue, each token one of its two shades by turns. A bar stands where a chunk begins. Words struck through in red "
    "never reach the model; grey is syntax, from which no token comes. Underlined words weigh more, underlined italics less."
)

# What each pane shows, by its name.
PANES = {
    "prompt": ("Prompt", f"The prompt, as the model reads it. {COLOURS} The lower border names the token under the cursor."),
    "negative": ("Negative prompt", f"The negative prompt, with a budget of its own. {COLOURS}"),
    "tokens": (
        "Tokens",
        "Every token in order: the chunk and slot it is in, the words it comes from, the piece as the vocabulary writes it, its id and "
        "its weight.",
    ),
    "findings": (
        "Findings",
        "What looks wrong, most of it with a way out: {finding.fix} behind a rule's name says that it can be mended, a ? behind that, that "
        "the edit is a guess. "
        "The whole message stands below the list.",
    ),
    "influence": (
        "Influence",
        "What changes in the text embedding when a word is taken out: the more, the hotter. What does no more than a comma is noise. A "
        "result for an older text is dimmed until the new one is there.",
    ),
    "similarity": (
        "Similarity",
        "How near the phrases of the prompt are to each other for the text encoder: the cosine of each pair, 1 for the same. This says "
        "nothing of influence.",
    ),
    "compare": ("Compare", "A is the prompt that was pinned, B the one being written: what differs in tokens, and which phrases moved."),
    "hosts": ("Hosts", "This prompt in every host that runs the model: chunks, lost words, and where each cuts."),
}


@dataclass(frozen=True, slots=True)
class Help:
    """What is said: a title, a paragraph, and groups of (title, rows of (keys, what they do))."""

    title: str
    said: str
    groups: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]


def help_for(main: MainScreen) -> Help:
    """The help of whatever has the focus on the main screen."""
    focused = main.focused
    inside = focused is not None and main.inspect in focused.ancestors_with_self
    name = main.inspect.active if inside else (focused.id if focused is not None else "") or "prompt"
    title, said = PANES.get(name, (name.capitalize(), (main.inspect.panes[name].__doc__ or "") if name in main.inspect.panes else ""))
    active = list(main.active_bindings.values())
    nodes = (main, main.app)
    own = [b for b in active if b.node not in nodes and b.binding.id]
    theirs = [b for b in active if b.node not in nodes and not b.binding.id and b.binding.description]
    everywhere = [b for b in active if b.node in nodes and b.binding.id]
    groups = [("Keys here", own), ("Keys everywhere", everywhere), ("Moving and editing", theirs)]
    return Help(title, with_keys(main, said), tuple((name, tuple(_rows(main, found))) for name, found in groups if found))


def _rows(main: MainScreen, found: list[ActiveBinding]) -> Iterator[tuple[str, str]]:
    """Keys of one action together, in the order of the bindings."""
    keys: dict[str, list[Binding]] = {}
    for active in found:
        keys.setdefault(active.binding.description or active.binding.action, []).append(active.binding)
    for description, bindings in keys.items():
        yield " ".join(dict.fromkeys(main.app.get_key_display(b) for b in bindings)), description


def help_rows(found: Help, width: int) -> list[Row]:
    """The help as rows."""
    rows = wrap([Run(found.said)], width)
    for title, keys in found.groups:
        rows += [[], [Run(title, "title")]]
        for key, said in keys:
            blank = " " * (KEY_CELLS + 1)
            rows += wrap([Run(said)], width, first=f"{key:>{KEY_CELLS}} " if len(key) <= KEY_CELLS else f"{key} ", indent=blank)
    return rows


class HelpScreen(Dialog[None]):
    """Shows a help; any of its keys closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,q,enter", "leave", "Close", id="help.close"),
    ]

    def __init__(self, found: Help, palette: Palette) -> None:
        super().__init__()
        self._help = found
        self._palette = palette

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help") as box:
            box.border_title = f"{self._help.title}: help"
            box.border_subtitle = escaped(with_keys(self, "↑ ↓ scroll · {help.close} closes"))
            yield Static(id="help-text", markup=False)

    def on_mount(self) -> None:
        self.query_one("#help").focus()

    def on_resize(self) -> None:
        width = self.query_one("#help").scrollable_content_region.width - 1  # not right up to the scrollbar
        if width > 8:
            self.query_one("#help-text", Static).update(text_of(help_rows(self._help, width), self._palette))

    def action_leave(self) -> None:
        self.dismiss(None)
