"""The picture of the screen: each character in its cells."""

from __future__ import annotations

import re
import xml.etree.ElementTree
from html import unescape

import pytest
from rich.console import Console

from promptlens.spans import cell_width
from promptlens.tui.view_svg import CHAR_WIDTH, mended

DRAWN = re.compile(r'<text class="[^"]*-r\d+" x="([^"]*)" y="[^"]*" textLength="([^"]*)" [^>]*>([^<]*)</text>')


def picture(text: str) -> str:
    console = Console(record=True, width=80, file=open("/dev/null", "w"), color_system="truecolor", force_terminal=True)  # noqa: SIM115
    console.print(text, markup=False, highlight=False, no_wrap=True)
    console.file.close()
    return console.export_svg(title="")


def drawn(svg: str) -> list[tuple[str, float, float]]:
    """The texts with the cells they begin in and take."""
    found = [(content, float(x) / CHAR_WIDTH, float(length) / CHAR_WIDTH) for x, length, content in DRAWN.findall(svg)]
    return [(unescape(content).replace("\xa0", " ").rstrip("\n"), x, cells) for content, x, cells in found if content.strip()]


@pytest.mark.parametrize("text", ["日本語の絵.txt", "a 猫耳 girl", "👍🏽.png", "é <b> & 絵", "🇯🇵 日"])
def test_every_character_begins_in_its_cell(text: str) -> None:
    found = drawn(mended(picture(text)))
    assert "".join(content for content, _, _ in found).replace(" ", "") == text.replace(" ", "")
    for content, x, cells in found:
        at = cell_width(text[: text.index(content)])
        assert x == pytest.approx(at, abs=0.01), content
        assert cells == pytest.approx(cell_width(content), abs=0.01), content


def test_a_wide_character_has_two_cells_where_rich_gives_one() -> None:
    before, after = drawn(picture("絵.txt")), drawn(mended(picture("絵.txt")))
    assert [round(cells) for content, _, cells in before if "絵" in content] == [5]
    assert [(content, round(x), round(cells)) for content, x, cells in after] == [("絵", 0, 2), (".txt", 2, 4)]


def test_plain_text_is_left_as_it_is_and_the_picture_stays_well_formed() -> None:
    plain = picture("a red <cat> & 1girl")
    assert mended(plain) == plain
    xml.etree.ElementTree.fromstring(mended(picture("日 <本> & [red] 👍🏽")))
