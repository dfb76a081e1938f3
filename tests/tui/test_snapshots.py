"""The few screens as they look, in textual's SVG snapshots. `pytest --snapshot-update` writes them anew; look at them before committing.

They hold for the version of textual that constraints.txt names.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import textual
from answers import Answering
from driving import asked, until

pytest.importorskip("pytest_textual_snapshot")

from textual.widgets import Input

from promptlens.job import Job
from promptlens.tui import weights_dialog
from promptlens.tui.app import PromptLensApp
from promptlens.tui.dialog import Question
from promptlens.tui.help import HelpScreen
from promptlens.tui.jump import Jump
from promptlens.tui.listing import Listing
from promptlens.tui.matrix import Matrix
from promptlens.tui.path_dialog import PathDialog
from promptlens.tui.picker import Picker
from promptlens.tui.screen import MainScreen
from promptlens.tui.settings_screen import SettingsScreen
from promptlens.tui.topbar import TopBar

if TYPE_CHECKING:
    from textual.pilot import Pilot

PINNED = (Path(__file__).parents[2] / "constraints.txt").read_text(encoding="utf-8")
pytestmark = pytest.mark.skipif(f"textual=={textual.__version__}\n" not in PINNED, reason="drawn by another version of textual")

TEXT = (
    "masterpiece, best quality, (a red fox:1.2) in the [snow], 猫耳 girl 😀, golden hour, soft bokeh, highly detailed, 8k, "
    "cinematic lighting, dramatic shadows, volumetric fog, shallow depth of field, 35mm photograph, film grain, "
    "intricate details, sharp focus, silver hair, "
    "long coat, standing on a rooftop at night, neon signs, heavy rain, reflections in puddles, looking over her shoulder"
)
QUIET = 8  # looks in a row at a screen that does not change
SIZES = ((80, 24), (120, 36), (160, 50))

USUAL = pytest.mark.parametrize("size", SIZES[:2], ids=lambda size: "x".join(map(str, size)))

Compare = Callable[..., bool]


def app(host: str = "a1111", text: str = TEXT) -> PromptLensApp:
    made = PromptLensApp(Job(host, "sdxl"), text, "blurry, low quality", encoding=Answering())
    made.main.positive.cursor_blink = made.main.negative.cursor_blink = False
    made.animation_level = "none"
    return made


async def begun(pilot: Pilot[None]) -> MainScreen:
    """Wait until the first screen is whole."""
    main = pilot.app.screen
    assert isinstance(main, MainScreen)
    await until(pilot, lambda: listed(main, "tokens") and main.query_one(TopBar).summary.text)
    return main


async def settled(pilot: Pilot[None]) -> None:
    """Wait until the screen stays as it is: what panes show comes after a repaint."""
    before, same = "", 0
    while same < QUIET:
        await pilot.pause()
        await pilot.app.workers.wait_for_complete()
        now = pilot.app.export_screenshot()
        before, same = now, same + 1 if now == before else 0


def listed(main: MainScreen, tab: str) -> bool:
    """Whether the table of a pane has rows."""
    return any(table.entries for table in main.inspect.panes[tab].query(Listing))


def shown(tab: str, holds: Callable[[MainScreen], object]) -> Callable[[Pilot[None]], Awaitable[None]]:
    """Show a pane and wait until what it is to show `holds`."""

    async def act(pilot: Pilot[None]) -> None:
        main = pilot.app.screen
        assert isinstance(main, MainScreen)
        await until(pilot, lambda: main.report is not None and main.positive.size)
        main.inspect.show_tab(tab)
        await until(pilot, lambda: holds(main) and main.focused in list(main.inspect.panes[tab].query("*")))
        await until(pilot, lambda: main.query_one(TopBar).summary.text)
        await settled(pilot)

    return act


@pytest.mark.parametrize("size", SIZES, ids=lambda size: "x".join(map(str, size)))
def test_a_long_prompt_in_two_chunks(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(app(), terminal_size=size, run_before=shown("tokens", lambda main: listed(main, "tokens")))


@USUAL
def test_lost_words_and_what_is_found(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(
        app("diffusers"),
        terminal_size=size,
        run_before=shown("findings", lambda main: listed(main, "findings")),
    )


def test_an_empty_prompt_says_what_to_do(snap_compare: Compare) -> None:
    done = shown("compare", lambda main: any(table.hint for table in main.inspect.panes["compare"].query(Listing)))
    assert snap_compare(app(text=""), terminal_size=SIZES[0], run_before=done)


@USUAL
def test_every_host_side_by_side(snap_compare: Compare, size: tuple[int, int]) -> None:
    done = shown("hosts", lambda main: listed(main, "hosts"))
    assert snap_compare(app(), terminal_size=size, run_before=done)


@USUAL
def test_influence(snap_compare: Compare, size: tuple[int, int]) -> None:
    done = shown("influence", lambda main: listed(main, "influence"))
    assert snap_compare(app(), terminal_size=size, run_before=done)


@USUAL
def test_similarity(snap_compare: Compare, size: tuple[int, int]) -> None:
    done = shown("similarity", lambda main: any(matrix.values.labels for matrix in main.inspect.panes["similarity"].query(Matrix)))
    assert snap_compare(app(), terminal_size=size, run_before=done)


@USUAL
def test_what_became_another_since_it_was_pinned(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def act(pilot: Pilot[None]) -> None:
        main = await begun(pilot)
        main.action_pin()
        await until(pilot, lambda: main.pinned and pilot.app._notifications)
        pilot.app.clear_notifications()
        main.positive.replace_all(TEXT.replace("golden hour, ", "").replace("8k", "(8k:1.3), 東京 at night"))
        await shown("compare", lambda main: listed(main, "compare"))(pilot)

    assert snap_compare(app(), terminal_size=size, run_before=act)


@USUAL
def test_opening_a_file_by_name(snap_compare: Compare, size: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "prompts").mkdir()
    for name, count in (
        ("hero [red].txt", 64),
        ("日本語の絵.txt", 1234),
        ("👍🏽.txt", 5),
        ("a long name of a file, " * 5 + ".txt", 1),
    ):
        (tmp_path / name).write_bytes(b"x" * count)
    monkeypatch.chdir(tmp_path)

    async def act(pilot: Pilot[None]) -> None:
        await begun(pilot)
        await pilot.app.run_action("open_file")
        dialog = await asked(pilot, PathDialog)
        dialog.query_one(Input).cursor_blink = False
        await until(pilot, lambda: len(dialog.listing.entries) == 5)
        await pilot.press("down", "down")
        await settled(pilot)

    assert snap_compare(app(), terminal_size=size, run_before=act)


@USUAL
def test_choosing_weights(snap_compare: Compare, size: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    preview = tmp_path / "preview"
    preview.write_bytes(b"x" * 1_000_000)
    monkeypatch.setattr(weights_dialog, "PREVIEW_FILE", preview)

    async def act(pilot: Pilot[None]) -> None:
        main = await begun(pilot)
        weights_dialog.choose_weights(main, main.app.encoding)
        await asked(pilot, Picker)
        await settled(pilot)

    assert snap_compare(app(), terminal_size=size, run_before=act)


@USUAL
def test_a_question(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def act(pilot: Pilot[None]) -> None:
        main = await begun(pilot)
        main.positive.insert("1")
        await until(pilot, lambda: main.filing.changed)
        await pilot.app.run_action("quit")
        await asked(pilot, Question)
        await settled(pilot)

    assert snap_compare(app(), terminal_size=size, run_before=act)


@USUAL
def test_help(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def act(pilot: Pilot[None]) -> None:
        await shown("findings", lambda main: listed(main, "findings"))(pilot)
        await pilot.press("f1")
        await asked(pilot, HelpScreen)
        await settled(pilot)

    assert snap_compare(app("diffusers"), terminal_size=size, run_before=act)


def test_the_settings_under_the_prompt(snap_compare: Compare) -> None:
    async def act(pilot: Pilot[None]) -> None:
        main = pilot.app.screen
        assert isinstance(main, MainScreen)
        await until(pilot, lambda: main.query_one(TopBar).summary.text)
        await pilot.press("f12")
        screen = await asked(pilot, SettingsScreen)
        await until(pilot, lambda: screen.rows and screen.state.text)
        await pilot.press("down", "down", "right")
        await until(pilot, lambda: main.job.usual and screen.state.text.startswith("1 not saved"))
        await settled(pilot)

    assert snap_compare(app(), terminal_size=SIZES[0], run_before=act)


def test_jump_mode(snap_compare: Compare) -> None:
    async def act(pilot: Pilot[None]) -> None:
        await begun(pilot)
        await pilot.press("ctrl+o")
        await asked(pilot, Jump)
        await settled(pilot)

    assert snap_compare(app(), terminal_size=SIZES[0], run_before=act)
