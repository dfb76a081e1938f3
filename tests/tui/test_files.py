"""Files and drafts of the terminal UI: nothing is lost, nothing is overwritten silently."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from driving import asked, drive, told, until
from textual.pilot import Pilot

from promptlens.tui.app import PromptLensApp
from promptlens.tui.drafts import Draft, DraftFile, orphans
from promptlens.tui.files import ChangedOnDisk, open_file, save
from promptlens.tui.picker import Picker


def test_saving_writes_the_file_and_keeps_its_newline(tmp_path: Path) -> None:
    path = tmp_path / "hero.txt"
    path.write_bytes(b"a cat\r\n")

    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: app.main.positive.prompt == "a cat")
        await pilot.press("end", *", red", "ctrl+s")
        await until(pilot, lambda: path.read_bytes() == b"a cat, red\r\n")

    drive(act, path=path)


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


def test_the_command_needs_a_terminal() -> None:
    code = "from promptlens.__main__ import main; raise SystemExit(main(['tui', '--isolated']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60, check=False)
    assert done.returncode == 2
    assert "needs a terminal" in done.stderr


def test_of_a_file_of_several_prompts_one_is_chosen_at_the_start(tmp_path: Path) -> None:
    path = tmp_path / "styles.csv"
    path.write_text('name,prompt,negative_prompt\nfilm,"film grain, 35mm",blurry\nink,"ink, paper",\n')

    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        await asked(pilot, Picker)
        await pilot.press("down", "down", "enter")
        await until(pilot, lambda: app.main.positive.prompt == "ink, paper")

    drive(act, path=path)


def test_a_file_that_cannot_be_read_is_said_and_the_screen_is_there(tmp_path: Path) -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        await pilot.press(*"cat")
        await until(pilot, lambda: app.main.positive.prompt == "cat")
        await told(app, pilot, "folder")

    drive(act, path=tmp_path)
