"""What all dialogs have in common: they answer once, however often Enter comes, and the application goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from driving import drive, until
from textual import events
from textual.pilot import Pilot
from textual.screen import ModalScreen

from promptlens.render._runs import Run
from promptlens.tui.app import PromptLensApp
from promptlens.tui.dialog import Question
from promptlens.tui.help import HelpScreen, help_for
from promptlens.tui.jump import Jump, targets
from promptlens.tui.keys import bound
from promptlens.tui.listing import Column, Entry
from promptlens.tui.modal import Dialog
from promptlens.tui.path_dialog import PathDialog
from promptlens.tui.picker import Picker
from promptlens.tui.settings_screen import SettingsScreen
from promptlens.tui.value_dialog import ValueDialog

ENTER = ("enter", "\r")

# How each dialog is made, given a file that is there, and a key that answers it.
MAKERS: dict[str, tuple[Callable[[PromptLensApp, str], ModalScreen[Any]], tuple[str, str]]] = {
    "HelpScreen": (lambda app, name: HelpScreen(help_for(app.main), app.palette), ENTER),
    "Jump": (lambda app, name: Jump(targets(app.main)), ("p", "p")),
    "PathDialog": (lambda app, name: PathDialog("A [path]", app.palette, name), ENTER),
    "Picker": (lambda app, name: Picker("A [row]", app.palette, [Column("", 0)], [Entry((Run("one"),), 1)]), ENTER),
    "Question": (lambda app, name: Question("A [question]", "Well?", [("y", "Yes"), ("n", "No")]), ENTER),
    "SettingsScreen": (lambda app, name: SettingsScreen(app.main), ("escape", "\x1b")),
    "ValueDialog": (lambda app, name: ValueDialog("A [value]", "What it is.", "1", "a number", lambda text: ""), ENTER),
}


def test_every_dialog_is_one_of_these() -> None:
    assert {b.scope for b in bound() if b.dialog} == set(MAKERS)


@pytest.mark.parametrize("name", MAKERS)
def test_a_key_that_comes_twice_answers_once(name: str, tmp_path: Path) -> None:
    file = tmp_path / "hero.txt"
    file.write_text("a cat")
    make, (key, character) = MAKERS[name]
    answers: list[object] = []

    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        dialog = make(app, str(file))
        assert isinstance(dialog, Dialog)
        await app.push_screen(dialog, answers.append)
        await until(pilot, lambda: dialog.focused is not None or name == "Jump")
        for _ in range(2):
            app.post_message(events.Key(key, character))
        await until(pilot, lambda: answers and app.screen is app.main)
        await pilot.pause()
        assert len(answers) == 1

    drive(act, "a cat")


def test_what_is_typed_behind_the_answer_arrives_where_it_was_meant_for() -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        await pilot.press("end")
        await app.push_screen(HelpScreen(help_for(app.main), app.palette))
        await until(pilot, lambda: app.screen.focused)
        for key in ("q", "s", "q"):
            app.post_message(events.Key(key, key))
        await until(pilot, lambda: app.main.positive.prompt == "a catsq")

    drive(act, "a cat")
