"""The picture: well-formed, nothing in it that a prompt could smuggle in, and every letter in its cell."""

from __future__ import annotations

import itertools
import re
from xml.etree import ElementTree

import pytest
from rich.cells import cell_len

from promptlens import analyze
from promptlens.render import Entry
from promptlens.render._page import page
from promptlens.render._runs import plain
from promptlens.render.svg import write
from promptlens.report import Report
from promptlens.terminal import Screen

CELL = 12.2  # width of a cell in the picture, in its own units
NAMESPACE = "{http://www.w3.org/2000/svg}"


def entry(text: str, host: str = "a1111") -> Entry:
    return Entry(Report(analyze(text, host=host).usage, ()), "<text>")


@pytest.mark.parametrize(
    "text", ["a cat", '<script>x</script> & "it\'s"', "\x1b[31m \x00 \ud800 \ufffe", "日本 👍🏽 👨‍👩‍👧‍👦 [red]", ""], ids=ascii
)
def test_a_picture_is_well_formed(text: str) -> None:
    root = ElementTree.fromstring("".join(write([entry(text)], Screen())))
    assert root.tag == f"{NAMESPACE}svg"
    assert not root.findall(f".//{NAMESPACE}script")


def test_letters_stand_in_their_cells() -> None:
    """Each piece of text begins where the text before it in its line ends."""
    root = ElementTree.fromstring("".join(write([entry("日本の桜 a 👍🏽 b 👨‍👩‍👧‍👦 c")], Screen())))
    texts = [(float(t.get("y", "0")), float(t.get("x", "0")), t.text or "") for t in root.iter(f"{NAMESPACE}text") if t.get("textLength")]
    line = [t for t in texts if t[0] == next(y for y, _, text in texts if text.startswith("日")) and t[2].strip()]
    assert [text for _, _, text in line][:4] == ["日", "本", "の", "桜"]
    for (_, x, text), (_, following, _) in itertools.pairwise(line):
        assert following == pytest.approx(x + CELL * cell_len(text), abs=CELL * 1.01)  # a blank between may be left out
        assert following >= x + CELL * cell_len(text) - 0.01


def test_the_picture_shows_the_page() -> None:
    found = entry("one " * 80, "diffusers")
    root = ElementTree.fromstring("".join(write([found], Screen())))
    shown = "".join(t.text or "" for t in root.iter(f"{NAMESPACE}text"))
    for row in page(found, Screen()):
        assert re.sub(r"\s", "", plain(row)) in re.sub(r"\s", "", shown)


def test_nothing_to_draw_is_no_picture() -> None:
    assert list(write([], Screen())) == []
