"""The Tokens pane: every token with its place, id and weight; Enter selects it in the editor."""

from __future__ import annotations

from typing import Any

from textual import on
from textual.app import ComposeResult

from promptlens.render._draw import LOST
from promptlens.render._runs import Run
from promptlens.report import Report
from promptlens.spans import Span
from promptlens.tui.coloring import HUES, Coloring, coloring
from promptlens.tui.late_pane import LatePane
from promptlens.tui.listing import Column, Entry, Listing, Made
from promptlens.tui.messages import Picked
from promptlens.tui.palette import Palette

COLUMNS = (
    Column("#", 5, right=True),
    Column("chunk", 5, right=True),
    Column("slot", 4, right=True),
    Column("source", 20),
    Column("piece", 20),
    Column("id", 6, right=True),
    Column("weight", 6, right=True),
    Column("", 0),
)
HINT = "No tokens yet. Type a prompt above, or open a file: {app.commands}, then File: Open."


def token_entries(found: Coloring) -> Made:
    """A row for each token of the text that counts."""

    def entry(n: int) -> Entry:
        token, (chunk, slot) = found.tokens[n], found.places[n]
        lost = chunk == LOST
        style = "lost" if lost else f"hue{chunk % HUES}"
        weight = Run(f"{token.weight:.4g}", "title" if token.weight != 1.0 else "dim")
        where = (Run("-", "lost-mark"), Run("lost", "lost-mark")) if lost else (Run(str(chunk + 1), style), Run(str(slot)))
        source = Run(token.span.of(found.text), style)
        cells = (Run(str(n + 1), "dim"), *where, source, Run(token.piece), Run(str(token.id), "dim"), weight, Run(""))
        return Entry(cells, token.span)

    return Made(len(found.tokens), entry)


class TokenPane(LatePane):
    """The table of tokens."""

    def __init__(self, palette: Palette, **options: Any) -> None:
        super().__init__(palette, **options)
        self.listing = Listing(palette, COLUMNS, HINT, id="token-list")

    def compose(self) -> ComposeResult:
        yield self.listing

    def show_report(self, report: Report) -> None:
        self.listing.show(token_entries(coloring(report)))

    @on(Listing.Chosen)
    def pick(self, event: Listing.Chosen) -> None:
        event.stop()
        self.post_message(Picked(event.entry.value))

    @on(Listing.Highlighted)
    def point(self, event: Listing.Highlighted) -> None:
        event.stop()
        span: Span | None = event.entry.value if event.entry is not None and self.listing.has_focus else None
        self.light(*([span] if span is not None else []))
