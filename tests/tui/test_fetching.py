"""Pulling weights out of a pane: a bar, a way to stop, and going on from there."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("safetensors")

from driving import asked, until
from loopback_hub import FakeHub, serve
from tiny_weights import tensors, write

from promptlens.job import Job
from promptlens.tui.app import PromptLensApp
from promptlens.tui.encoding import Encoding, Pull
from promptlens.tui.influence_pane import InfluencePane
from promptlens.tui.picker import Picker
from promptlens.tui.pulling import pull_rows
from promptlens.weights import Weights

pytestmark = pytest.mark.encoder
FILE = "comfyanonymous/flux_text_encoders/clip_l.safetensors"
HELD_AFTER = 3 << 20


def test_a_pull_can_be_stopped_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = FakeHub(files={FILE: write(tmp_path / "clip_l.safetensors", tensors()).read_bytes()}, hold_after=HELD_AFTER)

    async def run() -> None:
        app = PromptLensApp(Job("a1111", "sd15"), "a red cat", encoding=Encoding(Weights(("preview",), own=1)))
        async with app.run_test(size=(80, 24)) as pilot:
            pane = app.main.inspect.panes["influence"]
            assert isinstance(pane, InfluencePane)
            await pilot.press("f9")
            await until(pilot, lambda: pane.answered)
            await until(pilot, lambda: pane.ranking.has_focus)
            await pilot.press("p")
            await asked(pilot, Picker)
            await pilot.press("enter")
            await until(pilot, lambda: " of 14 MB · x stops" in str(pane.pull_line.render()))
            await pilot.press("x")
            await until(pilot, lambda: " of 14 MB · p goes on from there" in str(pane.pull_line.render()))
            hub.go_on.set()
            await pilot.press("p")
            await asked(pilot, Picker)
            await pilot.press("enter")
            await until(pilot, lambda: pane.answered and not pane.answered.answer["approximate"] and not pane.stale)
            await until(pilot, lambda: not pane.pull_line.display and "clip-l fp16" in str(pane.head.render()))

    with serve(hub):
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        asyncio.run(run())
    first, second = hub.gets()
    assert first.range == ""
    assert 0 < int(second.range.removeprefix("bytes=").partition("-")[0]) <= HELD_AFTER


def test_a_hub_that_refuses_is_said_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        app = PromptLensApp(Job("a1111", "sd15"), "a red cat", encoding=Encoding(Weights(("preview",), own=1)))
        async with app.run_test(size=(120, 36)) as pilot:
            pane = app.main.inspect.panes["influence"]
            assert isinstance(pane, InfluencePane)
            await pilot.press("f9")
            await until(pilot, lambda: pane.is_mounted)
            await app.encoding.pull("clip-l")
            await until(pilot, lambda: "p tries again" in str(pane.pull_line.render()))
            await until(pilot, lambda: "No place that is known to hold clip-l gave it" in str(pane.pull_line.render()))

    with serve(FakeHub(refuse_all=404)) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        asyncio.run(run())


def test_what_a_pull_says_fits_a_narrow_screen() -> None:
    pull = Pull("clip-l", 1_000_000, 246_000_000, running=False, error="The disk of /home/[me] is full. " * 9)
    assert all(sum(len(run.text) for run in row) <= 40 for row in pull_rows(pull, 40, str))
