"""The Influence pane: the prompt in the heat of what each word does to the text embedding, and the words in order beside it.

The digits in the ranking say what the colours say. What a preview encoder gives is bands, and no numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Static

from promptlens.render._runs import Row, Run
from promptlens.tui.drawing import text_of
from promptlens.tui.encoder_head import encoder_words, span_of
from promptlens.tui.encoder_pane import EncoderPane
from promptlens.tui.encoding import Message
from promptlens.tui.heat_strip import HeatStrip
from promptlens.tui.listing import Column, Entry, Listing, Made
from promptlens.tui.messages import Picked
from promptlens.tui.palette import Palette

STEPS = range(1, 10)
METHODS = {"delete": "mask", "mask": "delete"}
METHOD_WORDS = {"delete": "taken out", "mask": "hidden"}
LENSES = {"pooled": "conditioning", "conditioning": "pooled"}
LENS_WORDS = {"pooled": "pooled vector", "conditioning": "all the model gets"}


def ranking_entries(units: Sequence[Message], approximate: bool) -> Made:
    """A row for each unit: its place, its step on the ramp, the unit, its score or band, its tokens and what is special."""

    def entry(n: int) -> Entry:
        unit = units[n]
        step = Run(f" {unit['step']}", f"heat{unit['step']}") if unit["step"] else Run(" ·", "dim")
        score = unit["band"] if approximate else figure(unit["score"])
        special = Run("lost", "lost-mark") if unit["lost"] else Run("cut", "warning") if unit["moved"] else Run("")
        tokens = Run(str(unit["tokens"]), "dim")
        return Entry((Run(str(n + 1), "dim"), step, Run(unit["label"]), Run(score), tokens, special), span_of(unit))

    return Made(len(units), entry)


def ranking_columns(unit: str, approximate: bool) -> tuple[Column, ...]:
    score = Column("band", 6) if approximate else Column("score", 7, right=True)
    return (Column("#", 3, right=True), Column("", 3), Column(unit, 0), score, Column("tok", 3, right=True), Column("", 4))


def figure(score: float | None) -> str:
    """A score with four decimals; what is smaller shows its size.

    >>> figure(0.12345), figure(0.00002), figure(None)
    ('0.1235', '2e-05', '-')
    """
    return "-" if score is None else f"{score:.4f}" if score >= 0.00005 or not score else f"{score:.0e}"


def legend_row(approximate: bool) -> Row:
    """What the colours mean."""
    if approximate:
        swatches = [
            Run("1", "heat1"),
            Run(" low  ", "dim"),
            Run("5", "heat5"),
            Run(" medium  ", "dim"),
            Run("9", "heat9"),
            Run(" high", "dim"),
        ]
        return [Run("· comma  ", "dim"), *swatches]
    return [Run("· comma ", "dim"), *(Run(str(step), f"heat{step}") for step in STEPS), Run(" strongest", "dim")]


class InfluencePane(EncoderPane):
    """The heat strip with its legend, and the ranking."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l", "lens", "Lens", show=False, id="influence.lens"),
        Binding("m", "method", "Method", show=False, id="influence.method"),
    ]
    KIND = "influence"
    EMPTY = "No prompt yet. What each word does to the text embedding appears here, a moment after you stop typing."

    def __init__(self, palette: Palette, **options: Any) -> None:
        super().__init__(palette, **options)
        self.method, self.lens = "delete", "pooled"
        self.strip = HeatStrip(palette, id="influence-strip")
        self.legend = Static(id="influence-legend", markup=False)
        self.ranking = Listing(palette, ranking_columns("word", False), self.EMPTY, id="influence-ranking")
        self.left = Vertical(self.strip, self.legend, id="influence-left")

    def compose_answer(self) -> ComposeResult:
        with Horizontal(classes="encoder-body"):
            yield self.left
            yield self.ranking

    @property
    def target(self) -> Widget:
        return self.ranking

    def asked(self) -> dict[str, Any]:
        return {"unit": self.unit, "method": self.method, "lens": self.lens}

    def show_hint(self, hint: str) -> None:
        self._show_strip(False)
        self.ranking.show((), hint=hint)

    def show_answer(self, answer: Message) -> None:
        units, approximate = answer["units"], answer["approximate"]
        report = self.answered.report if self.answered is not None else None
        self._show_strip(bool(units))
        if report is not None:
            self.strip.show(report.usage.prompt, [(span_of(u), u["step"]) for u in units])
        self.legend.update(text_of([legend_row(approximate)], self.palette), layout=False)
        hint = f"There is no {answer['unit']} in this prompt that could be taken out."
        self.ranking.show(ranking_entries(units, approximate), columns=ranking_columns(answer["unit"], approximate), hint=hint)

    def _show_strip(self, there: bool) -> None:
        self.left.display = there
        self.set_class(not there, "-alone")

    def facts(self, answer: Message) -> str:
        job = self.main.job
        skip = f", clip skip {job.clip_skip}" if job.clip_skip is not None and answer["lens"] == "conditioning" else ""
        how = f"each {answer['unit']} {METHOD_WORDS[answer['method']]} · {LENS_WORDS[answer['lens']]}{skip} · {encoder_words(answer)}"
        without = f", without {' and '.join(answer['left_out'])}" if answer["left_out"] else ""
        floor = "".join(f" · {line.rstrip('.')}" for line in answer["floor"])
        return f"{job.model.upper()} on {job.host} · {how}{without}{floor}"

    def use_palette(self, palette: Palette) -> None:
        self.strip.use_palette(palette)
        super().use_palette(palette)
        if self.answered is not None:
            self.show_answer(self.answered.answer)

    def action_method(self) -> None:
        """Words taken out, or hidden from attention."""
        self.method = METHODS[self.method]
        self.ask_again()

    def action_lens(self) -> None:
        """The pooled vector, or all that the model gets."""
        self.lens = LENSES[self.lens]
        self.ask_again()

    @on(Listing.Chosen)
    def pick(self, event: Listing.Chosen) -> None:
        event.stop()
        if not self.stale:
            self.post_message(Picked(event.entry.value))

    @on(Listing.Highlighted)
    def point(self, event: Listing.Highlighted) -> None:
        event.stop()
        span = event.entry.value if event.entry is not None else None
        self.strip.point(span if self.ranking.has_focus else None)
        if self.ranking.has_focus and not self.stale:
            self.light(*([span] if span is not None else []))
