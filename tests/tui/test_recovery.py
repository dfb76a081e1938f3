"""What was typed comes back after a crash, and typing goes on at once."""

from __future__ import annotations

import pytest
from driving import asked, back, drive, told, until
from textual import events
from textual.pilot import Pilot

from promptlens.tui import dialog
from promptlens.tui.app import PromptLensApp
from promptlens.tui.dialog import Question
from promptlens.tui.drafts import Draft, DraftFile, orphans


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Letters are answers from the first moment on."""
    monkeypatch.setattr(dialog, "GRACE_S", 0)


def crashed(positive: str, negative: str = "", host: str = "a1111") -> None:
    """Leave a draft behind, as a program does that was killed."""
    draft = DraftFile()
    draft.keep(Draft(positive, negative, host=host, model="sdxl"))
    draft.close()


def type_at_once(app: PromptLensApp, text: str) -> None:
    """All keys before the first of them is answered, as they come out of a busy terminal."""
    for char in text:
        name = {" ": "space", ",": "comma", "\r": "enter"}.get(char, char)
        app.post_message(events.Key(name, char))


def test_what_was_typed_is_restored_with_its_host_and_can_be_undone() -> None:
    crashed("a [red] 日本 👍🏽 cat", "blurry", host="diffusers")

    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        await asked(pilot, Question)
        await pilot.press("r")
        await until(pilot, lambda: (app.main.positive.prompt, app.main.negative.prompt) == ("a [red] 日本 👍🏽 cat", "blurry"))
        assert app.main.job.host == "diffusers"
        await back(app, pilot)
        await until(pilot, lambda: app.main.positive.has_focus)
        await pilot.press("ctrl+z")
        await until(pilot, lambda: app.main.positive.prompt == "")

    drive(act)


def test_what_was_typed_before_the_answer_comes_back_by_one_undo() -> None:
    crashed("a red cat on a blue mat")

    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        await asked(pilot, Question)
        app.main.positive.insert("a dog, a hat")
        await pilot.press("r")
        await until(pilot, lambda: app.main.positive.prompt == "a red cat on a blue mat")
        await told(app, pilot, "comes back with ctrl+z")
        await until(pilot, lambda: app.screen is app.main and app.main.positive.has_focus)
        await pilot.press("ctrl+z")
        await until(pilot, lambda: app.main.positive.prompt == "a dog, a hat")

    drive(act)


def test_what_is_typed_right_behind_the_answer_is_taken() -> None:
    crashed("a cat")

    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        await asked(pilot, Question)
        type_at_once(app, "r, blue dog, red lamp")
        await until(pilot, lambda: app.main.positive.prompt == "a cat, blue dog, red lamp")

    drive(act)


def test_two_answers_at_once_are_one() -> None:
    crashed("a cat")

    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        await asked(pilot, Question)
        type_at_once(app, "\r\r")
        await back(app, pilot)
        await until(pilot, lambda: app.main.positive.prompt.strip() == "a cat")

    drive(act)


def test_later_keeps_the_draft_and_discard_throws_it_away() -> None:
    crashed("a cat")

    async def later(app: PromptLensApp, pilot: Pilot[None]) -> None:
        await asked(pilot, Question)
        await pilot.press("l")
        await back(app, pilot)

    async def discard(app: PromptLensApp, pilot: Pilot[None]) -> None:
        await asked(pilot, Question)
        await pilot.press("d")
        await until(pilot, lambda: list(orphans()) == [])

    drive(later)
    assert [draft.positive for _, draft in orphans()] == ["a cat"]
    drive(discard)
    assert list(orphans()) == []


def test_letters_typed_while_the_question_comes_up_are_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialog, "GRACE_S", 1000)
    crashed("a cat")

    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        question = await asked(pilot, Question)
        type_at_once(app, "lord")
        await until(pilot, lambda: app.main.positive.prompt == "lord")
        assert app.screen is question
        await pilot.press("enter")
        await until(pilot, lambda: app.main.positive.prompt == "a cat")

    drive(act)
