"""The editor and its switches, driven as a user drives them."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from driving import drive, until
from textual import events
from textual.pilot import Pilot

import promptlens
from promptlens.models import MODELS
from promptlens.report import Report
from promptlens.tui.app import PromptLensApp
from promptlens.tui.standins import to_document, to_prompt

LOOKS = ("silver", "(glowing:1.2)", "[faded]", "hand-painted")
THINGS = ("lighthouse", "storm clouds", "35mm photograph")
LONG = ", ".join(f"{look} {thing} {number}" for number in range(20) for look in LOOKS for thing in THINGS)  # over 1,000 tokens


async def read(app: PromptLensApp, pilot: Pilot[None], text: str) -> None:
    """Wait until the report on screen is that of a text."""
    await until(pilot, lambda: app.main.report is not None and app.main.report.usage.prompt == text)


def lost_tokens(app: PromptLensApp) -> int:
    return app.main.report.usage.encoders[0].lost_count if app.main.report is not None else 0


def test_typing_is_analysed_and_coloured() -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        await pilot.press(*"red cat")
        await read(app, pilot, "red cat")
        assert app.main.positive.coloring.styles == ["0a"] * 3 + ["syntax"] + ["0b"] * 3

    drive(act)


def test_switching_the_host_reads_the_prompt_anew() -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        app.main.use_host("diffusers")
        await until(pilot, lambda: lost_tokens(app) > 0)
        assert "lost" in app.main.positive.coloring.styles

    drive(act, "a very long prompt, " * 40)


def test_every_model_is_taken_or_refused_in_words() -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        for name in MODELS:
            app.main.use_job(replace(app.main.job, model=name))
            await until(pilot, lambda: app.main.report is not None and app.main.report.usage.model.name == app.main.job.model)

    drive(act, "a (red:1.2) cat")


@pytest.mark.parametrize("text", ["a\x1b[31m", "\t\u202e\u2028\x85", "\U00100000 \udc80", "[red] 日本 👍🏽"])
def test_stand_ins_lose_nothing(text: str) -> None:
    held = to_document(text)
    assert to_prompt(held) == text
    assert len(held) == len(text)


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (160, 50)])
def test_every_size_draws_an_odd_prompt(size: tuple[int, int]) -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: "[red]" in "".join(s.text for s in app.main.positive.render_line(0)))

    drive(act, "[red] 日本 👍🏽 \x1b[31m", size=size)


def test_a_thousand_tokens_can_be_pasted_switched_and_taken_back() -> None:

    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        app.post_message(events.Paste(LONG))
        await read(app, pilot, LONG)
        report = app.main.report
        assert report is not None
        assert report.usage.encoders[0].used >= 1000
        assert len(report.usage.encoders[0].chunks) == len([s for s in {*app.main.positive.coloring.places} if s[1] == 1])
        assert app.main.positive.coloring.styles.count("lost") == 0
        app.main.use_host("diffusers")
        await until(pilot, lambda: lost_tokens(app) > 0)
        assert app.main.report is not None
        assert app.main.report.usage.encoders[0].used == 75
        assert app.main.positive.coloring.styles.count("lost") > 4000
        await pilot.press("ctrl+z")
        await until(pilot, lambda: app.main.positive.prompt == "")

    drive(act)


def test_each_text_is_analysed_once() -> None:
    seen: list[str] = []

    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        analysis = app.main.positive.analysis

        def noted(text: str) -> Report:
            seen.append(text)
            return analysis(text)

        app.main.positive.analysis = noted
        await pilot.press(*"red", "backspace")
        await read(app, pilot, "re")
        await pilot.press("ctrl+z")
        await read(app, pilot, "red")

    drive(act)
    assert seen == ["r", "re", "red", "re", "red"]


def test_an_empty_screen_does_not_wait_for_the_vocabulary() -> None:
    code = "from promptlens.job import Job; from promptlens.tui.coloring import coloring; from promptlens.vocab import load; import sys; "
    code += "coloring(Job('a1111', 'sdxl').report(sys.argv[1])); print(load.cache_info().currsize)"
    root = str(Path(promptlens.__file__).parents[1])
    for text, loaded in (("", "0"), ("a cat", "1")):
        command = [sys.executable, "-c", code, text]
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": root}, check=True)
        assert done.stdout.strip() == loaded
