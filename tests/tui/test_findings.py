"""Findings in the terminal UI: going to them, fixing them, and those that concern both prompts."""

from __future__ import annotations

import asyncio

import pytest
from driving import drive, until
from textual.pilot import Pilot

from promptlens.job import Job
from promptlens.spans import Span
from promptlens.tui.app import PromptLensApp
from promptlens.tui.finding_pane import FindingPane


def test_a_fix_is_one_step_of_undo() -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: app.main.findings)
        await pilot.press("ctrl+g", "ctrl+r")
        await until(pilot, lambda: app.main.positive.prompt == "1girl, solo")
        await pilot.press("ctrl+z")
        await until(pilot, lambda: app.main.positive.prompt == "1girl, solo, 1girl")

    drive(act, "1girl, solo, 1girl")


LONG, SHORT = "a red cat on a mat, " * 20, "blurry"


def test_a_finding_on_both_prompts_lights_both() -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: "TB104" in [finding.code for finding in app.main.findings])
        found = [finding.code for finding in app.main.findings]
        app.main.inspect.show_tab("findings")
        pane = app.main.inspect.panes["findings"]
        assert isinstance(pane, FindingPane)
        await until(pilot, lambda: pane.listing.has_focus and pane.listing.entries)
        await pilot.press(*["down"] * found.index("TB104"))
        lit = (Span(0, len(LONG)),), (Span(0, len(SHORT)),)
        await until(pilot, lambda: (app.main.positive.lit, app.main.negative.lit) == lit)
        await pilot.press("escape")
        await until(pilot, lambda: not app.main.positive.lit and not app.main.negative.lit)

    drive(act, LONG, SHORT)


def test_a_finding_on_both_prompts_is_told_of_the_negative_one_too() -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        app.main.negative.focus()
        await until(pilot, lambda: [f.span for f in app.main.findings if f.code == "TB104"] == [Span(0, len(SHORT))])

    drive(act, LONG, SHORT)


def test_without_a_negative_prompt_nothing_concerns_both() -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: app.main.findings)
        assert "TB104" not in [finding.code for finding in app.main.findings]

    drive(act, LONG)


def test_a_repeated_tag_is_lit_where_it_stands_the_first_time_too() -> None:
    both = (Span(13, 18), Span(0, 5))

    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        app.main.inspect.show_tab("findings")
        pane = app.main.inspect.panes["findings"]
        assert isinstance(pane, FindingPane)
        await until(pilot, lambda: pane.listing.has_focus and pane.listing.entries)
        await until(pilot, lambda: app.main.positive.lit == both)
        await pilot.press("escape", "ctrl+g")
        await until(pilot, lambda: app.main.positive.selected_text == "1girl" and app.main.positive.lit == both[1:])

    drive(act, "1girl, solo, 1girl")


@pytest.mark.parametrize("size", [(80, 24), (80, 20), (120, 36)])
def test_the_key_that_mends_is_in_view(size: tuple[int, int]) -> None:
    text = "masterpiece, [a very long tag that goes on (and on:1.2) until its message needs more than one row of the pane], cat " * 2

    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        app.main.inspect.show_tab("findings")
        pane = app.main.inspect.panes["findings"]
        assert isinstance(pane, FindingPane)
        await until(pilot, lambda: pane.listing.has_focus and pane.listing.entries)
        for number, entry in enumerate(pane.listing.entries):
            pane.listing.cursor = number
            await until(pilot, lambda f=entry.value: pane.finding == f)  # type: ignore[misc]
            if entry.value.edit is None:
                continue
            await until(pilot, lambda: "\nctrl+r" in str(pane.detail.render()) and pane.detail.size.height)
            rows = str(pane.detail.render()).splitlines()
            at = next(n for n, row in enumerate(rows) if row.startswith("ctrl+r"))
            await until(pilot, lambda a=at: a < pane.detail.size.height)  # type: ignore[misc]
            assert all(len(row) <= size[0] for row in rows)

    drive(act, text, host="diffusers", size=size)


def test_who_leaves_while_the_rules_are_loaded_is_let_go() -> None:
    async def run() -> None:
        app = PromptLensApp(Job("a1111", "sdxl"), LONG)
        async with app.run_test() as pilot:
            await until(pilot, lambda: app.main.report)
        assert app.main.report is not None
        await app.main.finder._load(app.main.report)

    asyncio.run(run())
