"""The Similarity pane: values in cells, the pair in the editor, bands for the preview."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from answers import Answering, similarity
from driving import drive_pane, until
from textual.pilot import Pilot

from promptlens.spans import Span
from promptlens.tui.app import PromptLensApp
from promptlens.tui.encoding import Encoding
from promptlens.tui.key_names import with_keys
from promptlens.tui.similarity_pane import SimilarityPane, similarity_values

Drive = Callable[[PromptLensApp, SimilarityPane, Pilot[None]], Awaitable[None]]


def drive(act: Drive, text: str, encoding: Encoding, size: tuple[int, int] = (120, 36)) -> None:
    async def shown(app: PromptLensApp, pane: SimilarityPane, pilot: Pilot[None]) -> None:
        await pilot.press("shift+f9")
        await act(app, pane, pilot)

    drive_pane(SimilarityPane, shown, text, size=size, encoding=encoding)


def line(pane: SimilarityPane, y: int) -> str:
    return "".join(segment.text for segment in pane.matrix.render_line(y)).rstrip()


def test_values_are_printed_and_the_pair_lights_up() -> None:
    lit: list[tuple[Span, ...]] = []

    async def act(app: PromptLensApp, pane: SimilarityPane, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: pane.matrix.values.labels)
        app.main.positive.light = lambda *spans: lit.append(spans)  # type: ignore[method-assign]
        await until(pilot, lambda: line(pane, 0).split() == ["whole", "1", "2", "3"])
        await until(pilot, lambda: line(pane, 1).split() == ["1", "[red]", "1.00", "·", "0.90", "0.80"])
        await until(pilot, lambda: pane.matrix.has_focus)
        await pilot.press("right", "right")
        await until(pilot, lambda: lit and lit[-1] == (Span(0, 5), Span(7, 9)))
        await until(pilot, lambda: "[red] with 日本" in str(pane.pair.render()) and "0.90" in str(pane.pair.render()))
        await pilot.press("enter")
        await until(pilot, lambda: app.main.positive.selected_text == "日本")

    drive(act, "[red], 日本, a cat", Answering())


def test_what_is_behind_the_labels_comes_into_view() -> None:
    async def act(app: PromptLensApp, pane: SimilarityPane, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: pane.matrix.values.labels)
        await until(pilot, lambda: pane.matrix.has_focus and pane.matrix.size)
        await pilot.press("end", *["pagedown"] * 12)
        await until(pilot, lambda: line(pane, 0).split()[-1:] == ["30"])
        await until(pilot, lambda: line(pane, pane.matrix.size.height - 1).split()[:1] == ["30"])
        await pilot.press("home")
        await until(pilot, lambda: line(pane, 0).split()[0] == "whole")

    drive(act, ", ".join(f"phrase {n:02}" for n in range(30)), Answering(), size=(80, 24))


def test_a_single_phrase_has_nothing_to_be_compared_with() -> None:
    async def act(app: PromptLensApp, pane: SimilarityPane, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: "nothing to compare" in pane.matrix.hint)
        assert "u compares each word" in with_keys(pane.matrix, pane.matrix.hint)

    drive(act, "a cat", Answering())


def test_bands_are_thirds_of_all_pairs() -> None:
    values = similarity_values(similarity("a, b, c, d", approximate=True))
    texts = {(row, column): values.cell(row, column).text for row in range(4) for column in range(1, 5)}
    assert texts[0, 1] == "·"
    assert (texts[0, 2], texts[0, 3], texts[0, 4]) == ("high", "med", "low")
    assert {values.cell(row, 0).text for row in range(4)} == {"high", "med", "low"}


@pytest.mark.encoder
def test_the_preview_gives_bands() -> None:
    pytest.importorskip("torch")

    async def act(app: PromptLensApp, pane: SimilarityPane, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: pane.answered)
        assert str(pane.head.render()).startswith("approximate preview, not CLIP; ")
        await until(pilot, lambda: len(line(pane, 1).split()) > 4)
        assert set(line(pane, 1).split()[2:]) <= {"high", "med", "low", "·"}

    drive(act, "cat, dog, 👍🏽", Encoding())
