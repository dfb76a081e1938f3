"""The terminal UI driven as a user drives it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from promptlens.job import Job
from promptlens.models import MODELS
from promptlens.tui.app import PromptLensApp
from promptlens.tui.drafts import Draft, DraftFile, orphans
from promptlens.tui.files import ChangedOnDisk, open_file, save
from promptlens.tui.standins import to_document, to_prompt

Drive = Callable[[PromptLensApp, Pilot[None]], Awaitable[None]]


def drive(act: Drive, text: str = "", path: Path | None = None, size: tuple[int, int] = (120, 36)) -> None:
    async def run() -> None:
        app = PromptLensApp(Job("a1111", "sdxl"), text, path=path)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await act(app, pilot)

    asyncio.run(run())


def test_typing_is_analysed_and_coloured() -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        await pilot.press(*"red cat")
        await pilot.pause()
        report = app.main.report
        assert report is not None
        assert report.usage.prompt == "red cat"
        assert app.main.positive.coloring.styles == ["0a"] * 3 + ["syntax"] + ["0b"] * 3

    drive(act)


def test_switching_the_host_reads_the_prompt_anew() -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        app.main.use_host("diffusers")
        await pilot.pause()
        assert app.main.report is not None
        assert app.main.report.usage.encoders[0].lost_count > 0
        assert "lost" in app.main.positive.coloring.styles

    drive(act, "a very long prompt, " * 40)


def test_a_fix_is_one_step_of_undo() -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        await pilot.press("ctrl+g", "ctrl+r")
        await pilot.pause()
        assert app.main.positive.prompt == "1girl, solo"
        await pilot.press("ctrl+z")
        await pilot.pause()
        assert app.main.positive.prompt == "1girl, solo, 1girl"

    drive(act, "1girl, solo, 1girl")


def test_saving_writes_the_file_and_keeps_its_newline(tmp_path: Path) -> None:
    path = tmp_path / "hero.txt"
    path.write_bytes(b"a cat\r\n")

    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        await pilot.press("end", *", red", "ctrl+s")
        await pilot.pause()

    drive(act, path=path)
    assert path.read_bytes() == b"a cat, red\r\n"


def test_a_file_changed_on_disk_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "hero.txt"
    path.write_text("a cat\n")
    file = open_file(path)
    path.write_text("a dog\n")
    with pytest.raises(ChangedOnDisk):
        save(file, {0: "a red cat"})
    assert path.read_text() == "a dog\n"


def test_of_a_file_of_styles_only_the_edited_prompt_changes(tmp_path: Path) -> None:
    path = tmp_path / "styles.csv"
    path.write_text('name,prompt,negative_prompt\nfilm,"film grain, 35mm",blurry\nink,"ink, paper",\n')
    save(open_file(path), {2: "ink, rice paper"})
    assert path.read_text() == 'name,prompt,negative_prompt\nfilm,"film grain, 35mm",blurry\nink,"ink, rice paper",\n'


def test_a_draft_is_offered_when_its_owner_is_gone(tmp_path: Path) -> None:
    draft = DraftFile(tmp_path)
    draft.keep(Draft("a cat \udc80"))
    assert list(orphans(tmp_path)) == []
    draft.close()
    assert [d.positive for _, d in orphans(tmp_path)] == ["a cat \udc80"]


@pytest.mark.parametrize("text", ["a\x1b[31m", "\t\u202e\u2028\x85", "\U00100000 \udc80", "[red] 日本 👍🏽"])
def test_stand_ins_lose_nothing(text: str) -> None:
    held = to_document(text)
    assert to_prompt(held) == text
    assert len(held) == len(text)


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (160, 50)])
def test_every_size_draws_an_odd_prompt(size: tuple[int, int]) -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        assert "[red]" in "".join(s.text for s in app.main.positive.render_line(0))

    drive(act, "[red] 日本 👍🏽 \x1b[31m", size=size)


def test_every_model_is_taken_or_refused_in_words() -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        for name in MODELS:
            app.main.use_job(replace(app.main.job, model=name))
            await pilot.pause()
            assert app.main.report is not None
            assert app.main.report.usage.model.name == app.main.job.model

    drive(act, "a (red:1.2) cat")


def test_the_command_needs_a_terminal() -> None:
    code = "from promptlens.__main__ import main; raise SystemExit(main(['tui', '--isolated']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60, check=False)
    assert done.returncode == 2
    assert "needs a terminal" in done.stderr
