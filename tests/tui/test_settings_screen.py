"""The settings screen, driven as its users do: a change holds at once, saving keeps what else the file says, nothing is lost on the way."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

from driving import Drive, asked, back, told, until
from textual.pilot import Pilot
from textual.widgets import Input, Static

from promptlens.config import load_settings
from promptlens.job import make_job
from promptlens.tui.app import PromptLensApp
from promptlens.tui.dialog import Question
from promptlens.tui.picker import Picker
from promptlens.tui.session import as_usual
from promptlens.tui.settings_screen import SettingsScreen
from promptlens.tui.value_dialog import ValueDialog

# Its last comma but one is 7 tokens before the end of a chunk.
TEXT = ", ".join(["a red fox in the snow"] * 11) + ", 猫耳 girl 😀 [detail]"


def drive(act: Drive, text: str = TEXT, *, path: Path | None = None, size: tuple[int, int] = (80, 24)) -> None:
    """Start with the settings that hold here."""

    async def run() -> None:
        settings = load_settings()
        app = PromptLensApp(as_usual(make_job(settings)), text, path=path, settings=settings)
        async with app.run_test(size=size) as pilot:
            await until(pilot, lambda: app.main.report is not None and app.main.positive.size)
            await act(app, pilot)

    asyncio.run(run())


async def opened(pilot: Pilot[None]) -> SettingsScreen:
    await pilot.press("f12")
    screen = await asked(pilot, SettingsScreen)
    await until(pilot, lambda: screen.rows and screen.state.text)
    return screen


async def go_to(pilot: Pilot[None], screen: SettingsScreen, key: str) -> None:
    number = next(n for n, row in enumerate(screen.rows) if row.key == key)
    screen.listing.cursor = number
    await until(pilot, lambda: screen.row is not None and screen.row.key == key)


def chunks(app: PromptLensApp) -> list[int]:
    """Tokens in each chunk of the first encoder, as the main screen shows them."""
    report = app.main.report
    assert report is not None
    return [chunk.used for chunk in report.usage.encoders[0].chunks]


def says(dialog: ValueDialog, words: str) -> bool:
    """Whether a dialog says why it does not take what was typed."""
    line = dialog.query_one("#value-error", Static)
    return line.display and words in str(line.render())


def test_a_changed_option_cuts_the_prompt_anew_at_once_and_is_saved_with_the_comments_kept() -> None:
    file = Path("promptlens.toml")
    file.write_bytes(b"# mine\r\nhost = 'a1111'\r\n\r\n[options] # of the host\r\ncomma_padding_backtrack = 20  # as ever\r\n")

    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        before = chunks(app)
        screen = await opened(pilot)
        await go_to(pilot, screen, "options.comma_padding_backtrack")
        assert screen.row is not None
        assert screen.row.source == str(file.absolute())
        await pilot.press("enter")
        await asked(pilot, ValueDialog)
        await pilot.press("ctrl+u", "0", "enter")
        await asked(pilot, SettingsScreen)
        await until(pilot, lambda: chunks(app) != before)
        assert chunks(app)[0] == 75
        await until(pilot, lambda: screen.state.text == "1 not saved in promptlens.toml")
        assert b"= 20 " in file.read_bytes()
        await pilot.press("ctrl+s")
        await told(app, pilot, "Saved in promptlens.toml: comma_padding_backtrack.")
        await until(pilot, lambda: screen.state.text == "Nothing to save in promptlens.toml.")
        await pilot.press("escape")
        await back(app, pilot)

    drive(act)
    kept = b"# mine\r\nhost = 'a1111'\r\n\r\n[options] # of the host\r\ncomma_padding_backtrack = 0  # as ever\r\n"
    assert file.read_bytes() == kept


def test_steps_choices_and_taking_back() -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        screen = await opened(pilot)
        await go_to(pilot, screen, "options.comma_padding_backtrack")
        await pilot.press("right", "right", "left")
        await until(pilot, lambda: app.main.job.usual == {"comma_padding_backtrack": 21})
        await pilot.press("backspace")
        await until(pilot, lambda: app.main.job.usual == {})
        await go_to(pilot, screen, "host")
        await pilot.press("enter")
        await asked(pilot, Picker)
        await pilot.press("end", "enter")
        await until(pilot, lambda: app.main.job.host == "swarmui" and app.screen is screen)
        await until(pilot, lambda: "options.steps" in [row.key for row in screen.rows])
        assert "options.emphasis" not in [row.key for row in screen.rows]
        await pilot.press("escape")
        await told(app, pilot, "Not saved, for this session only: host. Settings (f12) can save it.")

    drive(act)
    assert not Path("promptlens.toml").exists()


def test_a_new_file_is_made_only_after_asking() -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        screen = await opened(pilot)
        await go_to(pilot, screen, "clip_skip")
        await pilot.press("right", "right")
        await until(pilot, lambda: app.main.job.clip_skip == 2)
        await pilot.press("ctrl+s")
        await asked(pilot, Question)
        await pilot.press("escape")
        await asked(pilot, SettingsScreen)
        assert not Path("promptlens.toml").exists()
        await pilot.press("ctrl+s")
        await asked(pilot, Question)
        await pilot.press("m")
        await told(app, pilot, "Saved in promptlens.toml: clip-skip.")

    drive(act)
    assert Path("promptlens.toml").read_bytes() == b"clip-skip = 2\n"


def test_the_file_nearest_to_the_open_prompt_is_written(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.promptlens]\nmodel = 'sd15' # its\n\n[tool.mypy]\n")
    prompt = tmp_path / "sub" / "hero.txt"
    prompt.parent.mkdir()
    prompt.write_text("a red fox\n")

    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: app.main.filing.file is not None)
        screen = await opened(pilot)
        await until(pilot, lambda: app.main.job.model == "sd15")  # what that file says was taken over
        await go_to(pilot, screen, "limits.max_chunks")
        await pilot.press("right", "ctrl+s")
        await told(app, pilot, "Saved in")

    drive(act, "", path=prompt)
    assert (tmp_path / "pyproject.toml").read_text() == (
        "[tool.promptlens]\nmodel = 'sd15' # its\n\n[tool.mypy]\n\n[tool.promptlens.limits]\nmax-chunks = 1\n"
    )


def test_a_file_that_is_opened_is_read_with_the_settings_nearest_to_it(tmp_path: Path) -> None:
    (tmp_path / "promptlens.toml").write_text("host = 'comfyui'\n[options]\nsteps = 7\n")
    prompt = tmp_path / "hero.txt"
    prompt.write_text("a red fox\n")
    broken = tmp_path / "sub" / "hero.txt"
    broken.parent.mkdir()
    broken.write_text("a blue fox\n")
    (tmp_path / "sub" / "promptlens.toml").write_text("hots = 1\n")
    Path("promptlens.toml").write_text("host = 'forge'\nmodel = 'sd15'\n")

    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        screen = await opened(pilot)
        await go_to(pilot, screen, "clip_skip")
        await pilot.press("right", "escape")
        await back(app, pilot)
        app.main.filing.open(prompt)
        await told(app, pilot, "Read as ")
        assert (app.main.job.host, app.main.job.model, app.main.job.clip_skip) == ("comfyui", "sdxl", 1)
        app.main.filing.open(broken)
        await told(app, pilot, "Unknown setting 'hots'")
        await until(pilot, lambda: app.main.positive.prompt == "a blue fox")
        assert app.main.job.host == "comfyui"

    drive(act, "")


def test_a_file_that_was_changed_meanwhile_is_asked_about() -> None:
    file = Path("promptlens.toml")
    file.write_text("unit = 'file'\n")

    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        screen = await opened(pilot)
        await go_to(pilot, screen, "clip_skip")
        await pilot.press("right")
        file.write_text("unit = 'file'\nmodel = 'sd15' # theirs\n")
        await pilot.press("ctrl+s")
        await asked(pilot, Question)
        await pilot.press("c")
        await asked(pilot, SettingsScreen)
        assert "clip" not in file.read_text()
        await pilot.press("ctrl+s")
        await asked(pilot, Question)
        await pilot.press("w")
        await told(app, pilot, "Saved in promptlens.toml: clip-skip.")
        await until(pilot, lambda: app.main.job.model == "sd15")

    drive(act)
    assert file.read_text() == "unit = 'file'\nmodel = 'sd15' # theirs\nclip-skip = 1\n"


def test_a_read_only_or_broken_file_loses_nothing() -> None:
    file = Path("promptlens.toml")
    file.write_text("unit = 'file'\n")
    file.chmod(0o444)

    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        screen = await opened(pilot)
        await go_to(pilot, screen, "clip_skip")
        await pilot.press("right", "ctrl+s")
        await told(app, pilot, "is read-only")
        file.chmod(0o644)
        file.write_text("unit = 'file\n")
        await pilot.press("escape")
        await back(app, pilot)
        screen = await opened(pilot)
        await until(pilot, lambda: "is not TOML" in screen.state.text)
        await pilot.press("ctrl+s")
        await told(app, pilot, "Mend that first; nothing was written.")
        assert app.main.job.clip_skip == 1
        assert file.read_text() == "unit = 'file\n"

    drive(act, size=(200, 30))


def test_what_will_not_do_is_said_in_the_dialog_and_changes_nothing() -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        screen = await opened(pilot)
        for key, typed, said in (
            ("options.comma_padding_backtrack", "99", "from 0 to 74, not 99"),
            ("options.embeddings", "[nowhere] 👍", "[nowhere] 👍"),
            ("clip_skip", "0", "from 1, the last layer, not 0"),
        ):
            await go_to(pilot, screen, key)
            await pilot.press("enter")
            dialog = await asked(pilot, ValueDialog)
            dialog.query_one(Input).value = typed
            await pilot.press("enter")
            await until(pilot, partial(says, dialog, said))
            await pilot.press("escape")
            await asked(pilot, SettingsScreen)
        assert app.session.changes == {}
        assert (app.main.job.usual, app.main.job.clip_skip) == ({}, None)

    drive(act)


def test_a_model_that_the_host_does_not_run_is_refused() -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        screen = await opened(pilot)
        await go_to(pilot, screen, "model")
        await pilot.press("enter")
        picker = await asked(pilot, Picker)
        picker.listing.cursor = next(n for n, e in enumerate(picker.listing.entries) if e.cells[0].text == "flux")
        await pilot.press("enter")
        await told(app, pilot, "How AUTOMATIC1111 reads prompts for FLUX.1 dev is not known.")
        assert app.main.job.model == "sdxl"
        assert app.session.changes == {}

    drive(act)


def test_a_switch_on_the_main_screen_is_a_change_of_this_session() -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        app.main.use_host("comfyui")
        screen = await opened(pilot)
        row = next(row for row in screen.rows if row.key == "host")
        assert (row.value, row.source, row.changed) == ("comfyui", "this session", True)

    drive(act)


def test_embeddings_of_a_folder_count_at_once() -> None:
    from promptlens.embeddings import read_folder

    folder = Path("embeddings")
    folder.mkdir()
    assert read_folder(folder) == {}

    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        screen = await opened(pilot)
        await go_to(pilot, screen, "options.embeddings")
        await pilot.press("enter")
        dialog = await asked(pilot, ValueDialog)
        dialog.query_one(Input).value = "embeddings"
        await pilot.press("enter")
        await asked(pilot, SettingsScreen)
        await until(pilot, lambda: screen.row is not None and screen.row.shown == "embeddings")
        assert app.main.job.usual == {"embeddings": {}}

    drive(act)


def test_theme_and_compact_are_remembered_at_once() -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        screen = await opened(pilot)
        await go_to(pilot, screen, "compact")
        await pilot.press("enter")
        await until(pilot, lambda: app.main.has_class("-compact") and screen.row is not None and screen.row.shown == "yes")
        app.choose_theme("promptlens-light")
        await pilot.press("escape")
        await back(app, pilot)

    async def again(app: PromptLensApp, pilot: Pilot[None]) -> None:
        assert app.theme == "promptlens-light"
        assert app.main.has_class("-compact")

    drive(act)
    drive(again)
    assert not Path("promptlens.toml").exists()


def test_while_a_filter_is_typed_no_key_changes_a_row() -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        screen = await opened(pilot)
        await pilot.press("slash", "s", "t", "e", "p", "right", "plus", "backspace", "backspace")
        await until(pilot, lambda: [entry.value.key for entry in screen.listing.entries] == ["options.steps"])
        assert app.session.changes == {}
        await pilot.press("enter", "right")
        await until(pilot, lambda: app.main.job.usual == {"steps": 21})

    drive(act)


def test_a_narrow_and_low_terminal_shows_values() -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        screen = await opened(pilot)
        await until(pilot, lambda: screen.listing.size.height > 3)
        for y in range(1, 3):
            assert screen.listing.render_line(y).text.split() == [["model", "sdxl"], ["host", "a1111"]][y - 1]

    drive(act, size=(50, 14))


def test_the_mouse_chooses_saves_and_closes() -> None:
    Path("promptlens.toml").write_text("")

    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        screen = await opened(pilot)
        number = next(n for n, row in enumerate(screen.rows) if row.key == "options.steps")
        at = (4, number + 1)
        await pilot.click("#settings-list", offset=at)
        await until(pilot, lambda: screen.row is not None and screen.row.key == "options.steps")
        await pilot.click("#settings-list", offset=at)
        await asked(pilot, ValueDialog)
        await pilot.press("ctrl+u", "9", "enter")
        await asked(pilot, SettingsScreen)
        await until(pilot, lambda: app.main.job.usual == {"steps": 9})
        await pilot.click("#settings-save")
        await told(app, pilot, "Saved in promptlens.toml: steps.")
        await pilot.click("#settings-close")
        await back(app, pilot)

    drive(act)
    assert Path("promptlens.toml").read_text() == "[options]\nsteps = 9\n"
