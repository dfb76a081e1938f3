"""The table that panes and dialogs show: its filter is seen, and its rows fit."""

from __future__ import annotations

import pytest
from driving import drive, until
from textual.pilot import Pilot

from promptlens.tui.app import PromptLensApp
from promptlens.tui.listing import Listing


def header_of(listing: Listing) -> str:
    return listing.render_line(0).text


@pytest.mark.parametrize("size", [(60, 24), (120, 36)])
def test_the_filter_is_seen_while_it_is_typed(size: tuple[int, int]) -> None:
    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        app.main.inspect.show_tab("tokens")
        listing = app.main.inspect.panes["tokens"].query_one("#token-list", Listing)
        await until(pilot, lambda: listing.has_focus and listing.entries)
        await pilot.press("slash", "[", "r")
        await until(pilot, lambda: "/[r▏  0 of 5" in header_of(listing))
        assert "Nothing matches" in listing.render_line(1).text
        await pilot.press("backspace", "backspace", "c")
        await until(pilot, lambda: "/c▏  1 of 5" in header_of(listing))
        assert "cat" in listing.render_line(1).text
        await pilot.press("escape")
        await until(pilot, lambda: "/" not in header_of(listing))
        assert len(listing.entries) == 5

    drive(act, "[red] (blue:1.2), 日 cat", size=size)


def test_under_the_cursor_a_ground_that_text_is_made_for_stays() -> None:
    from textual.color import Color

    from promptlens.render._runs import Run
    from promptlens.tui.listing import Column, Entry
    from promptlens.tui.palette import Palette

    palette = Palette(Color.parse("#181c23"), Color.parse("#d9dee8"))

    async def act(app: PromptLensApp, pilot: Pilot[None]) -> None:
        listing = Listing(palette, [Column("step", 4), Column("word", 0)], "")
        await app.main.mount(listing)
        listing.show([Entry((Run("9", "heat9"), Run("cat"))), Entry((Run("1", "heat1"), Run("dog")))])
        await until(pilot, lambda: listing.size.height > 2 and listing.size.width)
        chosen, other = ([s for s in listing.render_line(y) if s.text.strip()] for y in (1, 2))
        assert chosen[0].style == palette.style("heat9")
        assert chosen[1].style is not None
        assert other[1].style is not None
        assert chosen[1].style.bgcolor != other[1].style.bgcolor

    drive(act)
