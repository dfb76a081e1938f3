"""The Similarity pane: how alike the phrases of a prompt are, to each other and to the whole of it.

Cosines of texts are all high, so colours run from the least to the greatest of the prompt. What a preview encoder gives is bands.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Any

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Static

from promptlens.render._runs import Run, visible_text
from promptlens.spans import Span
from promptlens.tui.drawing import fit, text_of
from promptlens.tui.encoder_head import encoder_words
from promptlens.tui.encoder_pane import EncoderPane
from promptlens.tui.encoding import Message
from promptlens.tui.matrix import NOTHING, Cell, Matrix, Values
from promptlens.tui.messages import Picked
from promptlens.tui.palette import Palette

STEPS = 9
# Thirds of all pairs, for an encoder that only knows about that much: what is printed, and the step of the ramp.
BANDS = (("low", 1), ("med", 5), ("high", 9))
WHOLE = "whole"
NAMES = {"tag": "phrase", "word": "word"}


def similarity_values(answer: Message) -> Values:
    """The table: between each two, with the whole prompt first."""
    labels, whole, values = answer["labels"], answer["whole"], answer["values"]
    pairs = sorted(values[a][b] for a in range(len(labels)) for b in range(a))
    known, wholes = sorted([*pairs, *whole]), sorted(whole)

    def cell(row: int, column: int) -> Cell:
        if column == row + 1:
            return Cell("·")
        value = whole[row] if column == 0 else values[row][column - 1]
        scale = wholes if column == 0 else pairs
        return band_cell(value, scale) if answer["approximate"] else Cell(f"{value:.2f}", step_of(value, known))

    return Values(labels, [WHOLE, *(str(n + 1) for n in range(len(labels)))], cell)


def step_of(value: float, known: Sequence[float]) -> int:
    """The step of a value between the least and the greatest of some.

    >>> [step_of(v, [0.5, 0.75, 1.0]) for v in (0.5, 0.75, 1.0)]
    [1, 5, 9]
    """
    low, high = known[0], known[-1]
    return 1 + min(int(STEPS * (value - low) / (high - low)), STEPS - 1) if high > low else 1


def band_cell(value: float, scale: Sequence[float]) -> Cell:
    """A band by the place of a value among all of its kind, in order."""
    middle = (bisect_left(scale, value) + bisect_right(scale, value)) / 2  # of those that are equal
    return Cell(*BANDS[min(int(3 * middle / max(len(scale), 1)), 2)])


class SimilarityPane(EncoderPane):
    """The matrix, and in words what the cell under its cursor compares."""

    KIND = "similarity"
    EMPTY = "No prompt yet. How alike its phrases are appears here, a moment after you stop typing."

    def __init__(self, palette: Palette, **options: Any) -> None:
        super().__init__(palette, **options)
        self.unit = "tag"
        self.matrix = Matrix(palette, self.EMPTY, id="similarity-matrix")
        self.pair = Static(id="similarity-pair", markup=False)

    def compose_answer(self) -> ComposeResult:
        with Vertical(classes="encoder-body"):
            yield self.matrix
            yield self.pair

    @property
    def target(self) -> Widget:
        return self.matrix

    def asked(self) -> dict[str, Any]:
        return {"unit": self.unit}

    def show_hint(self, hint: str) -> None:
        self.matrix.show(NOTHING, hint=hint)

    def show_answer(self, answer: Message) -> None:
        name = NAMES[answer["unit"]]
        other = NAMES["word" if answer["unit"] == "tag" else "tag"]
        if len(answer["labels"]) < 2:
            self.show_hint(
                f"There is nothing to compare: this prompt has {len(answer['labels'])} {name}. {{encoder.unit}} compares each {other}."
            )
        else:
            self.matrix.show(similarity_values(answer))

    def facts(self, answer: Message) -> str:
        job = self.main.job
        encoder = encoder_words(answer) if answer["approximate"] else answer["encoder"]
        kind = "thirds of all pairs" if answer["approximate"] else "cosines; only their order says something"
        return f"{job.model.upper()} on {job.host} · each {NAMES[answer['unit']]} alone · {encoder} · {kind}"

    def use_palette(self, palette: Palette) -> None:
        self.matrix.use_palette(palette)
        super().use_palette(palette)

    def spans(self) -> list[Span]:
        """What the cell under the cursor compares: two phrases, or one with the whole."""
        if self.answered is None or not self.matrix.values.labels:
            return []
        column, row = self.matrix.cursor
        spans = [Span(*span) for span in self.answered.answer["spans"]]
        return [spans[row]] if column in (0, row + 1) else [spans[row], spans[column - 1]]

    @on(Matrix.Moved)
    def point(self, event: Matrix.Moved) -> None:
        event.stop()
        self.pair.display = bool(self.matrix.values.labels)
        if not self.matrix.values.labels:
            return
        column, row = self.matrix.cursor
        labels = self.matrix.values.labels
        room = max((self.size.width - 42) // 2, 8)
        one = fit(labels[row], room).rstrip()
        other = "the whole prompt" if column == 0 else "itself" if column == row + 1 else fit(labels[column - 1], room).rstrip()
        value = self.matrix.values.cell(row, column)
        runs = [Run(one, "title"), Run(" with ", "dim"), Run(visible_text(other), "title")]
        runs += [] if column == row + 1 else [Run("  "), Run(f" {value.text} ", f"heat{value.step}")]
        runs += [Run(f"  column {column} of {len(labels)}", "dim")] if column else []
        self.pair.update(text_of([runs], self.palette) if runs else Text(), layout=False)
        if self.matrix.has_focus and not self.stale:
            self.light(*self.spans())

    @on(Matrix.Chosen)
    def pick(self, event: Matrix.Chosen) -> None:
        event.stop()
        found = self.spans()
        if found and not self.stale:
            self.post_message(Picked(found[-1]))
