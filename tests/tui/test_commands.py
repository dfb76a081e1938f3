"""Help, the command palette, jump mode, and the commands that ask for a file."""

from __future__ import annotations

import re
import xml.etree.ElementTree
from pathlib import Path

import pytest
from driving import asked, back, drive, told, until
from textual.command import Command, CommandList, CommandPalette
from textual.pilot import Pilot
from textual.widgets import Input

from promptlens.tui.app import PromptLensApp
from promptlens.tui.commands import commands
from promptlens.tui.dialog import Question
from promptlens.tui.help import PANES, HelpScreen, help_for
from promptlens.tui.inspect import TABS
from promptlens.tui.jump import Jump, targets
from promptlens.tui.key_names import with_keys
from promptlens.tui.keys import bound
from promptlens.tui.listing import Listing
from promptlens.tui.path_dialog import PathDialog, completed, matching
from promptlens.tui.weights_dialog import FILE, _chosen

PROMPT = "1girl, solo, (red:1.2) cat, 1girl"


def test_every_binding_has_an_id_and_every_dialog_can_be_left() -> None:
    assert [b for b in bound() if not b.id] == []
    dialogs = {b.scope for b in bound() if b.dialog}
    assert {b.scope for b in bound() if b.dialog and "escape" in b.keys} == dialogs


@pytest.mark.parametrize("name", [name for name, _, _ in TABS])
def test_f1_explains_the_pane_in_use_with_its_keys(name: str) -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        app.main.inspect.show_tab(name)
        await until(pilot, lambda: help_for(app.main).title == PANES[name][0])
        found = help_for(app.main)
        title, said = PANES[name]
        assert (found.title, found.said) == (title, with_keys(app.main, said))
        everywhere = dict(row[::-1] for title, rows in found.groups if title == "Keys everywhere" for row in rows)
        assert everywhere["Help"] == "f1"
        await pilot.press("f1")
        await asked(pilot, HelpScreen)
        await pilot.press("escape")
        await until(pilot, lambda: len(app.screen_stack) == 1)

    drive(act, PROMPT)


def test_help_of_the_editor_tells_its_own_keys_too() -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: [title for title, _ in help_for(app.main).groups] == ["Keys everywhere", "Moving and editing"])

    drive(act, PROMPT)


def test_commands_are_named_noun_verb_once_and_end_on_the_main_screen_or_a_dialog() -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        found = list(commands(app))
        names = [c.name for c in found]
        assert len(names) == len(set(names))
        assert [n for n in names if not re.fullmatch(r"[A-Z]\w+: \S.*", n)] == []
        for command in found:
            if command.name == "App: Quit":
                continue
            done = command.run()
            if done is not None and hasattr(done, "__await__"):
                await done
            await pilot.pause()
            while app.screen is not app.main:
                await pilot.press("escape")
                await pilot.pause()

    drive(act, PROMPT)


def test_every_action_with_a_key_is_in_the_palette() -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        said = " ".join(c.help for c in commands(app))
        passing = {"app.commands", "editor.focus"}  # the palette itself, and going back to the editor
        missing = [
            b.id
            for b in bound()
            if not b.dialog and b.scope not in ("Listing", "Matrix", "SettingList") and f"({b.keys})" not in said and b.id not in passing
        ]
        assert missing == []

    drive(act)


def test_the_palette_runs_what_is_chosen_and_has_none_of_textuals_entries() -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        def first() -> str:
            """The entry that Enter runs."""
            found = palette.query_one(CommandList).highlighted_option
            return found.hit.text or "" if isinstance(found, Command) else ""

        await pilot.press("ctrl+p")
        palette = await asked(pilot, CommandPalette)
        await pilot.press(*"host: comfy")
        await until(pilot, lambda: "ComfyUI" in first())
        await pilot.press("enter")
        await until(pilot, lambda: app.main.job.host == "comfyui")

    drive(act, PROMPT)


def test_jump_goes_by_one_letter_and_its_letters_differ() -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: {"Findings", "negative"} <= {t.name for t in targets(app.main)})
        letters = {t.name: t.letter for t in targets(app.main)}
        assert len(set(letters.values())) == len(letters)
        await pilot.press("ctrl+o")
        await asked(pilot, Jump)
        await pilot.press(letters["Findings"])
        await until(
            pilot, lambda: app.main.inspect.active == "findings" and app.focused in list(app.main.inspect.panes["findings"].query("*"))
        )
        await pilot.press("ctrl+o")
        await asked(pilot, Jump)
        await pilot.press(letters["negative"])
        await until(pilot, lambda: app.focused is app.main.negative)
        await pilot.press("ctrl+o")
        await asked(pilot, Jump)
        await pilot.press("9")
        await back(app, pilot)
        await until(pilot, lambda: app.focused is app.main.negative)

    drive(act, PROMPT)


def test_a_path_is_completed_and_a_folder_entered(tmp_path: Path) -> None:
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "hero [red].txt").write_text("a cat\n")
    (tmp_path / "prompts" / "hero two.txt").write_text("a dog\n")
    (tmp_path / ".hidden").write_text("")

    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        await app.run_action("open_file")
        dialog = await asked(pilot, PathDialog)
        field = dialog.query_one(Input)
        before = dialog.listing.entries

        async def listed(*names: str) -> None:
            """Wait until just these are listed, anew since the last time."""
            nonlocal before
            await until(pilot, lambda: dialog.listing.entries is not before and [e.value.name for e in dialog.listing.entries] == [*names])
            before = dialog.listing.entries

        field.value = f"{tmp_path}/pr"
        await listed("prompts")
        await pilot.press("tab")
        await until(pilot, lambda: field.value == f"{tmp_path}/prompts/")
        await listed("hero [red].txt", "hero two.txt")
        await pilot.press("tab")
        await until(pilot, lambda: field.value == f"{tmp_path}/prompts/hero ")
        await listed("hero [red].txt", "hero two.txt")
        await pilot.press("down", "down", "enter")
        await until(pilot, lambda: app.main.positive.prompt == "a dog")

    drive(act)


def test_matching_lists_folders_first_and_hidden_files_when_asked(tmp_path: Path) -> None:
    for name in ("b.txt", ".c.txt", "A.png"):
        (tmp_path / name).write_text("")
    (tmp_path / "z").mkdir()
    assert [f.name for f in matching(f"{tmp_path}/")] == ["z", "A.png", "b.txt"]
    assert [f.name for f in matching(f"{tmp_path}/.")] == [".c.txt"]
    assert [f.name for f in matching(f"{tmp_path}/", [".png"])] == ["z", "A.png"]
    assert [f.name for f in matching(f"{tmp_path}/a")] == ["A.png"]
    assert matching("no/such/folder/") == []
    assert matching("nul\0/") == []
    assert completed("no", []) == "no"


def test_a_path_that_cannot_be_one_is_refused_in_the_dialog() -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        await app.run_action("import_image")
        dialog = await asked(pilot, PathDialog)

        def error() -> str:
            return str(dialog.query_one("#path-error").render())

        for typed, said in (
            ("nul\0", "null byte"),
            ("not-there.png", "is not there"),
            ("~nobody-of-this-name/x", "home"),
            ("x" * 300, "too long"),
        ):
            dialog.query_one(Input).value = typed
            await pilot.press("enter")
            await until(pilot, lambda said=said: said in error())  # type: ignore[misc]
            assert app.screen is dialog

    pytest.importorskip("sd_parsers")
    drive(act)


def test_a_home_that_is_not_there_is_said_in_the_dialog_for_weights() -> None:
    chosen: list[str] = []

    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        app.encoding.choose = chosen.extend  # type: ignore[method-assign,assignment]
        _chosen(app.main, app.encoding, FILE)
        await until(pilot, lambda: app.screen.query("#value-text"))
        field = app.screen.query_one("#value-text", Input)
        field.value = "~nobody-of-this-name/x"
        await pilot.press("enter")
        line = app.screen.query_one("#value-error")
        await until(pilot, lambda: "there is no user 'nobody-of-this-name'" in str(line.render()) and line.size.height)
        assert chosen == []
        field.value = "~/clip_l.safetensors"
        await pilot.press("enter")
        await until(pilot, lambda: len(app.screen_stack) == 1)
        assert chosen == ["~/clip_l.safetensors"]

    drive(act, size=(80, 24))


def test_import_takes_both_prompts_and_leaves_the_picture_alone(tmp_path: Path) -> None:
    pytest.importorskip("sd_parsers")
    from PIL import Image, PngImagePlugin

    info = PngImagePlugin.PngInfo()
    info.add_text("parameters", "a [red] cat\nNegative prompt: blurry\nSteps: 20, Sampler: Euler, Seed: 1, Size: 8x8")
    path = tmp_path / "cat.png"
    Image.new("RGB", (8, 8)).save(path, pnginfo=info)
    before = path.read_bytes()

    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        await app.run_action("import_image")
        (await asked(pilot, PathDialog)).query_one(Input).value = str(path)
        await pilot.press("enter")
        await until(pilot, lambda: (app.main.positive.prompt, app.main.negative.prompt) == ("a [red] cat", "blurry"))
        assert app.main.filing.file is None
        assert app.main.filing.changed

    drive(act)
    assert path.read_bytes() == before


def test_without_the_images_extra_import_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("promptlens.sources.images.can_be_read", lambda: False)

    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        await app.run_action("import_image")
        await told(app, pilot, "pip install 'promptlens[images]'")
        assert app.screen is app.main

    drive(act)


def test_a_text_file_is_no_picture_to_import(tmp_path: Path) -> None:
    pytest.importorskip("sd_parsers")
    path = tmp_path / "cat.png"
    path.write_text("a cat")

    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        from promptlens.tui.filing_actions import import_picture

        import_picture(app.main.filing, path)
        await told(app, pilot, "does not begin like a PNG, JPEG or WebP")
        assert app.main.positive.prompt == PROMPT

    drive(act, PROMPT)


def test_the_view_is_exported_as_svg_and_a_file_there_is_asked_about(tmp_path: Path) -> None:
    path = tmp_path / "view.svg"

    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        for answer in ((), ("c",), ("r",)):
            await app.run_action("export_svg")
            (await asked(pilot, PathDialog)).query_one(Input).value = str(path)
            await pilot.press("enter")
            for key in answer:
                await asked(pilot, Question)
                await pilot.press(key)
            await back(app, pilot)
            if answer == ("c",):
                assert path.read_text() == "old"
            else:
                await until(pilot, lambda: path.exists() and path.read_text() != "old")
                texts = "".join(xml.etree.ElementTree.fromstring(path.read_text()).itertext()).replace("\xa0", " ")
                assert "[red]" in texts
                assert "Export the view" not in texts
                path.write_text("old")

    drive(act, "a [red] 日本 👍🏽 \x1b[31m cat")


def test_copying_the_view_gives_its_table_with_a_header() -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: any(table.entries for table in app.main.inspect.panes["tokens"].query(Listing)))
        await app.run_action("copy_view")
        assert app.clipboard.splitlines()[0].startswith("#\tchunk\tslot")
        await app.run_action("copy_prompt")
        assert app.clipboard == PROMPT

    drive(act, PROMPT)


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
def test_compact_gives_the_prompt_more_room_and_takes_it_back(size: tuple[int, int]) -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        def area() -> int:
            return app.main.positive.scrollable_content_region.size.area

        before = area()
        await app.run_action("compact")
        await until(pilot, lambda: area() > before)
        await app.run_action("compact")
        await until(pilot, lambda: area() == before)

    drive(act, PROMPT, size=size)


def test_of_tabs_asked_for_in_a_row_the_last_is_shown() -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        inspect = app.main.inspect
        for _ in range(3):
            for name, _, _ in TABS:
                inspect.show_tab(name)
                await until(pilot, lambda n=name: app.focused is not None and inspect.panes[n] in app.focused.ancestors)  # type: ignore[misc]
        for name, _, _ in TABS:
            inspect.show_tab(name)
        await until(
            pilot, lambda: app.focused is not None and inspect.panes["hosts"] in app.focused.ancestors and inspect.active == "hosts"
        )

    drive(act)
