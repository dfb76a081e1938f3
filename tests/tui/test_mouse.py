"""What can be clicked: gauges, what is lost, the negative line, tables."""

from __future__ import annotations

import pytest
from driving import drive, until
from textual.pilot import Pilot

from promptlens import analyze
from promptlens.render._runs import plain
from promptlens.render._words import encoder_name
from promptlens.spans import Span, cell_width
from promptlens.tui.app import PromptLensApp
from promptlens.tui.budget import BudgetPane
from promptlens.tui.gauge_places import span_at
from promptlens.tui.gauges import budget_rows, compact_rows

LONG = "[red] 日本 👍🏽, " + "a quiet lake at dawn, " * 40
WIDE = 38


def starts(host: str, model: str, number: int) -> list[int]:
    """Where the chunks of an encoder begin in the prompt."""
    use = analyze(LONG, host, model).usage.encoders[number]
    return [use.tokens[chunk.start].span.start for chunk in use.chunks]


@pytest.mark.parametrize(("host", "model"), [("a1111", "sdxl"), ("comfyui", "sd15"), ("diffusers", "sd3")])
def test_each_gauge_stands_for_its_chunk(host: str, model: str) -> None:
    report = analyze(LONG, host, model)
    rows = budget_rows(report, WIDE)
    found = []
    for y, row in enumerate(rows):
        if row and row[0].style.startswith("mark"):
            span = span_at(report, rows, 10, y, compact=False)
            assert span is not None
            found.append(span.start)
    shown = [n for n, use in enumerate(report.usage.encoders) if any(plain(row).startswith(encoder_name(use)) for row in rows)]
    assert found[: len(starts(host, model, shown[0]))] == starts(host, model, shown[0])
    assert {span_at(report, rows, -1, y, compact=False) for y in (-1, len(rows))} == {None}


def test_what_is_lost_and_what_stands_below_a_gauge_can_be_hit_too() -> None:
    report = analyze(LONG, "diffusers", "sd15")
    rows = budget_rows(report, WIDE)
    lost = next(y for y, row in enumerate(rows) if plain(row).strip().startswith("lost"))
    use = report.usage.encoders[0]
    assert span_at(report, rows, 2, lost, compact=False) == Span(use.lost[0].span.start, use.lost[-1].span.end)
    gauge = next(y for y, row in enumerate(rows) if row[0].style.startswith("mark"))
    assert span_at(report, rows, 2, gauge + 1, compact=False) == span_at(report, rows, 2, gauge, compact=False)
    assert span_at(report, rows, 2, 0, compact=False) is None


def test_on_the_one_line_of_a_narrow_screen_the_cell_says_which_chunk() -> None:
    report = analyze(LONG, "a1111", "sdxl")
    (row,) = rows = compact_rows(report, 78)
    at, found = 0, []
    for run in row:
        if run.style.startswith("mark"):
            span = span_at(report, rows, at, 0, compact=True)
            assert span is not None
            found.append((int(run.text), span.start))
        at += cell_width(run.text)
    assert found == [(n, starts("a1111", "sdxl", 0)[n - 1]) for n, _ in found]
    assert len(found) > 1


def test_nothing_is_hit_where_nothing_is_counted() -> None:
    report = analyze("a cat", "comfyui", "flux")
    for compact, rows in ((False, budget_rows(report, WIDE)), (True, compact_rows(report, 78))):
        for y in range(len(rows)):
            span_at(report, rows, 5, y, compact=compact)
    empty = analyze("", "a1111", "sdxl")
    rows = budget_rows(empty, WIDE)
    assert {span_at(empty, rows, 5, y, compact=False) for y in range(len(rows))} == {None}


@pytest.mark.parametrize("size", [(120, 36), (80, 24)])
def test_a_click_on_a_gauge_goes_to_its_chunk_and_lights_it(size: tuple[int, int]) -> None:
    second = starts("a1111", "sdxl", 0)[1]

    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        pane = next(p for p in app.main.query(BudgetPane) if p.display)
        await until(pilot, lambda: any(run.style == "mark1" for row in pane._rows for run in row) and pane.body.size)
        rows = pane._rows
        y, row = next((y, row) for y, row in enumerate(rows) if any(r.style == "mark1" for r in row))
        at = next(n for n, run in enumerate(row) if run.style == "mark1")
        x = sum(cell_width(run.text) for run in row[:at])
        app.main.inspect.show_tab("tokens")
        await until(pilot, lambda: app.main.inspect.panes["tokens"].query_one("#token-list").has_focus)
        await pilot.click(pane.body, offset=(x, y))
        await until(pilot, lambda: app.main.positive.has_focus and app.main.positive.cursor_index == second)
        await until(pilot, lambda: app.main.positive.lit)
        assert app.main.positive.lit[0].start == second
        assert app.main.positive.selected_text == ""

    drive(act, LONG, size=size)


def test_a_click_on_the_negative_line_opens_the_negative_prompt() -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: "none" in str(app.main.query_one("#negative-line").render()))
        assert not app.main.negative.display
        await pilot.click("#negative-line")
        await until(pilot, lambda: app.main.negative.has_focus)
        await until(pilot, lambda: not app.main.query_one("#negative-line").display)

    drive(act, "a cat")


def test_what_can_be_clicked_says_so_under_the_mouse() -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        for name in ("#top-model", "#top-host", "#top-file", "#negative-line", "#budget"):
            assert app.main.query_one(name).tooltip is not None, name
        assert str(app.main.query_one("#top-model").tooltip) == "Choose the model: f2"

    drive(act, "a cat")
