"""The last line: whole keys, help and commands always among them, and nothing that cannot be done."""

from __future__ import annotations

import pytest
from driving import asked, drive, until
from textual.pilot import Pilot

from promptlens.tui.app import PromptLensApp
from promptlens.tui.help import HelpScreen
from promptlens.tui.inspect import TABS
from promptlens.tui.keys_line import KeysLine, that_fit


def names(app: PromptLensApp) -> list[str]:
    return [key.does for key in app.main.query_one(KeysLine).keys]


def drawn(app: PromptLensApp) -> str:
    return app.main.query_one(KeysLine).render_line(0).text


@pytest.mark.parametrize("size", [(60, 24), (80, 24), (120, 36), (160, 50)])
def test_in_every_pane_all_keys_are_whole(size: tuple[int, int]) -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        for name, _, _ in TABS:
            app.main.inspect.show_tab(name)
            await until(pilot, lambda n=name: app.focused is not None and app.main.inspect.panes[n] in app.focused.ancestors)  # type: ignore[misc]
            await until(pilot, lambda: {"Help", "Commands", "Select"} <= {*names(app)})
            await until(pilot, lambda: all(f" {name} " in drawn(app) for name in names(app)) and len(drawn(app)) == size[0])

    drive(act, size=size)


def test_a_click_on_a_key_presses_it() -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: "f1 Help" in drawn(app))
        at = (drawn(app).index("Help"), 0)
        await pilot.hover(KeysLine, offset=at)
        await until(pilot, lambda: len({segment.style for segment in app.main.query_one(KeysLine).render_line(0)}) > 3)
        await pilot.click(KeysLine, offset=at)
        await asked(pilot, HelpScreen)

    drive(act)


def test_another_width_shows_other_keys() -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: "Save" in names(app))
        await pilot.resize_terminal(60, 24)
        await until(pilot, lambda: names(app) and "Save" not in names(app))
        await pilot.resize_terminal(120, 36)
        await until(pilot, lambda: "Save" in names(app))

    drive(act, "a cat")


def test_what_is_done_with_a_pin_is_offered_while_there_is_one() -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        app.main.inspect.show_tab("compare")
        await until(pilot, lambda: "Select" in names(app))
        assert not {"Swap A and B", "Unpin"} & {*names(app)}
        await pilot.press("f8")
        await until(pilot, lambda: {"Swap A and B", "Unpin"} <= {*names(app)})
        await pilot.press("u")
        await until(pilot, lambda: app.main.pinned is None and not {"Swap A and B", "Unpin"} & {*names(app)})

    drive(act, "a cat")


def test_where_nothing_fits_help_is_left() -> None:
    keys = [("copy", 30), ("app.help", 8), ("model", 8), ("app.command_palette", 12)]
    assert that_fit(keys, 10) == [1, 3]
    assert that_fit(keys, 200) == [0, 1, 2, 3]
    assert that_fit([], 80) == []
