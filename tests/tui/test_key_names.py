"""Texts name the keys as they are bound now, with keys of one's own as without."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from driving import Drive, until
from driving import drive as run
from textual.pilot import Pilot

from promptlens.errors import WeightsError
from promptlens.tui.app import PromptLensApp
from promptlens.tui.encoding import Encoding, Message
from promptlens.tui.help import HelpScreen, help_for
from promptlens.tui.jump import Jump, targets
from promptlens.tui.key_names import key_of, with_keys
from promptlens.tui.listing import Listing
from promptlens.tui.path_dialog import PathDialog
from promptlens.tui.picker import Picker

OWN = {
    "app.commands": "ctrl+t",
    "compare.pin": "alt+a",
    "compare.swap": "z",
    "compare.unpin": "left_square_bracket",
    "dialog.close": "ctrl+l",
    "encoder.pull": "v",
    "encoder.restart": "t",
    "encoder.weights": "b",
    "finding.fix": "alt+f",
    "finding.next": "ctrl+n",
    "help.close": "f11",
    "host.choose": "alt+h,alt+i",
    "negative.toggle": "shift+f4",
    "path.complete": "ctrl+f",
    "table.choose": "space",
    "table.filter": "s",
}


class Failing(Encoding):
    async def ask(self, question: Message, progress: Any = None) -> Message:
        raise WeightsError("No weights.")


def drive(act: Drive, keymap: dict[str, str]) -> None:
    run(act, host="diffusers", model="sd15", encoding=Failing(), keymap=keymap)


async def texts(app: PromptLensApp, pilot: Pilot[None]) -> dict[str, str]:
    """What names keys, by where it stands."""
    main, panes, found = app.main, app.main.inspect.panes, {}

    async def pane(tab: str, said: Callable[[], str]) -> None:
        main.inspect.show_tab(tab)
        await until(pilot, lambda: panes[tab].is_mounted and said().strip())
        found[tab] = said()

    def hint(tab: str) -> str:
        return " ".join(row.strip() for row in drawn(panes[tab].query(Listing).first()))

    found["negative"] = str(main.query_one("#negative-line").render())
    await pane("tokens", lambda: hint("tokens"))
    await pane("compare", lambda: hint("compare"))
    await pane("hosts", lambda: hint("hosts"))
    main.positive.insert("a quiet lake, cat, cat")
    await pane("findings", lambda: hint("findings") and str(panes["findings"].query_one("#finding-detail").render()))
    found["fix"] = hint("findings")
    await pane("influence", lambda: hint("influence") if "No weights." in hint("influence") else "")
    found["help"] = next(row for row in help_for(main).said.splitlines())
    main.positive.focus()
    main.positive.move_cursor((0, 0))
    for action, said in ((main.action_unpin, "Nothing is pinned"), (main.finder.fix, "No finding with an edit")):
        action()
        await until(pilot, lambda w=said: any(w in notice.message for notice in app._notifications))  # type: ignore[misc]
    found["notices"] = " ".join(notice.message for notice in app._notifications)
    for dialog, where in (
        (HelpScreen(help_for(main), app.palette), "#help"),
        (Jump(targets(main)), "#jump-hint"),
        (PathDialog("A path", app.palette), "#path"),
        (Picker("A row", app.palette, (), ()), "#picker"),
    ):
        await app.push_screen(dialog)
        await until(pilot, lambda d=dialog, w=where: d.query(w) and d.query_one(w).size)  # type: ignore[misc]
        box = dialog.query_one(where)
        found[where] = str(box.border_subtitle or box.render())
        dialog.dismiss(None)
        await until(pilot, lambda: app.screen is main)
    return found


def drawn(table: Listing) -> Iterator[str]:
    return (table.render_line(y).text for y in range(table.size.height))


# How the texts name the keys: as they come, and as someone bound them.
AS_THEY_COME = {
    "negative": ["(f4 opens it)"],
    "tokens": ["a file: ctrl+p, then"],
    "compare": ["Press f8 to pin"],
    "hosts": ["and enter switches to one"],
    "findings": ["\nctrl+r: "],
    "fix": [" ^r "],
    "influence": ["w chooses weights, or the preview · p pulls weights · r tries again"],
    "notices": ["f8 pins the prompt", "ctrl+g goes to"],
}
BORDERS = {
    "#help": "↑ ↓ scroll · esc closes",
    "#jump-hint": "Press a letter to go there; esc stays.",
    "#path": "tab complete · ↑ ↓ choose · enter take · esc close",
    "#picker": "enter choose · / filter · esc close",
}
OF_ONES_OWN = {
    "negative": ["(shift+f4 opens it)"],
    "tokens": ["a file: ctrl+t, then"],
    "compare": ["Press alt+a to pin"],
    "hosts": ["and space switches to one"],
    "findings": ["\nalt+f: "],
    "fix": [" alt+f "],
    "influence": ["b chooses weights, or the preview · v pulls weights · t tries again"],
    "notices": ["alt+a pins the prompt", "ctrl+n goes to"],
}
OWN_BORDERS = {
    "#help": "↑ ↓ scroll · f11 closes",
    "#jump-hint": "Press a letter to go there; ctrl+l stays.",
    "#path": "ctrl+f complete · ↑ ↓ choose · enter take · ctrl+l close",
    "#picker": "space choose · s filter · ctrl+l close",
}


@pytest.mark.parametrize(
    ("keymap", "parts", "whole"),
    [pytest.param({}, AS_THEY_COME, BORDERS, id="as they come"), pytest.param(OWN, OF_ONES_OWN, OWN_BORDERS, id="of one's own")],
)
def test_texts_name_the_keys(keymap: dict[str, str], parts: dict[str, list[str]], whole: dict[str, str]) -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        said = await texts(app, pilot)
        for where, wanted in parts.items():
            for part in wanted:
                assert part in said[where]
        assert {where: said[where].strip() for where in whole} == whole
        assert [where for where, text in said.items() if "{" in text] == []

    drive(act, keymap)


def test_of_several_keys_the_first_is_named_and_signs_as_signs() -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        pane = app.main.inspect.panes["compare"]
        assert with_keys(pane, "{host.choose} {compare.unpin} {compare.pin}") == "alt+h [ alt+a"

    drive(act, OWN)


def test_a_name_that_no_binding_has_is_left_as_it_is() -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        assert with_keys(app.main, "{no.such} {table.choose} {} {a}") == "{no.such} {table.choose} {} {a}"
        assert key_of(app.main, "table.choose") == ""

    drive(act, {})
