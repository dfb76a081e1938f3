"""Pictures and pages of influence: well-formed for any prompt, the same facts in each, and the way out where one cannot be drawn."""

from __future__ import annotations

import builtins
import re
import struct
import zlib
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sharing_fake import sd1, sdxl

from promptlens.__main__ import main
from promptlens.errors import InputError
from promptlens.influences import influence
from promptlens.influences._boxes import boxes
from promptlens.influences._card import card
from promptlens.influences._html import document, fragment
from promptlens.influences._page import prompt_lines
from promptlens.influences._png import MAX_HEIGHT, drawer, png

SVG = "{http://www.w3.org/2000/svg}"
ODD = 'a (red:1.2) [cat], 🦊 é 東京, <b>&"x"</b> \x1b[31m \x00 שלום (עולם) ok'


def texts(svg: str) -> list[str]:
    return ["".join(e.itertext()) for e in ElementTree.fromstring(svg).iter(f"{SVG}text")]


class Tags(HTMLParser):
    """Raises where a tag is closed that is not open; `open` are those left."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "br"):
            self.open.append(tag)
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def read_html(text: str) -> Tags:
    tags = Tags()
    tags.feed(text)
    tags.close()
    assert tags.open == []
    return tags


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=60) | st.lists(st.sampled_from(ODD.split(" ")), max_size=40).map(" ".join))
def test_any_prompt_makes_a_picture_and_a_page_that_parse(prompt: str) -> None:
    found = influence(prompt, "a1111", "sd15", encoders=sd1())
    drawn = ElementTree.fromstring(card(found))
    _, _, width, height = map(float, drawn.attrib["viewBox"].split())
    for element in drawn.iter():
        assert 0 <= float(element.get("x", 0)) <= width
        assert 0 <= float(element.get("y", 0)) <= height
    page = read_html(document(found))
    assert page.fetched == []
    assert read_html(fragment(found)).open == []


def test_every_word_is_drawn_once_with_its_step_and_its_numbers() -> None:
    prompt = "a red cat, oil painting of a castle"
    found = influence(prompt, "a1111", "sdxl", encoders=sdxl())
    drawn = ElementTree.fromstring(card(found))
    words = [e.text for e in drawn.iter(f"{SVG}text") if str(e.get("class")).startswith("word")]
    assert words == ["a", "red", "cat", ",", "oil", "painting", "of", "a", "castle"]
    steps = [e.text for e in drawn.iter(f"{SVG}text") if str(e.get("class")).startswith("step")]
    assert "9" in steps
    hovered = [e.text or "" for e in drawn.iter(f"{SVG}title")]
    strongest = found.ranking[0]
    assert any(h.startswith(f"influence {found.scores[strongest]:.4g}, clip-l ") for h in hovered)
    assert f"{found.scores[strongest]:.4g}" in texts(card(found))
    assert f"influence {found.scores[strongest]:.4g}" in document(found)
    assert f"influence {found.scores[strongest]:.4g}" in found._repr_html_()


def test_the_page_says_in_words_what_the_report_says() -> None:
    found = influence(" ".join(["cat"] * 75 + ["lost", "words"]), "diffusers", "sd15", encoders=sd1())
    said = "These 2 words do nothing measurable: 2 tokens"
    assert said in texts(card(found))
    assert said in read_html(document(found)).texts
    assert any("never reaches the encoder" in (e.text or "") for e in ElementTree.fromstring(card(found)).iter(f"{SVG}title"))


@pytest.mark.parametrize(
    ("prompt", "order"),
    [
        ("a red cat", ["a", "red", "cat"]),
        ("שלום עולם cat", ["עולם", "שלום", "cat"]),
        ("cat שלום dog עולם", ["cat", "שלום", "dog", "עולם"]),
        ("שלום, (עולם) cat", ["(", "עולם", ")", ",", "שלום", "cat"]),
        ("شمس جميلة 24 dog", ["جميلة", "شمس", "24", "dog"]),
    ],
)
def test_words_of_a_right_to_left_script_stand_from_right_to_left(prompt: str, order: list[str]) -> None:
    found = influence(prompt, "a1111", "sd15", encoders=sd1())
    (line,) = prompt_lines(found, 80)
    placed = list(boxes(line))
    assert [box.text for box, _ in placed] == order
    starts = [cell for _, cell in placed]
    assert starts == sorted(starts)


def pixels(content: bytes) -> tuple[int, int, bytes]:
    """Width, height and the packed pixels of a PNG."""
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", content[16:24])
    data, at = b"", 8
    while at < len(content):
        length, kind = struct.unpack(">I4s", content[at : at + 8])
        data += content[at + 8 : at + 8 + length] if kind == b"IDAT" else b""
        at += 12 + length
    return width, height, zlib.decompress(data)


def test_png_is_the_picture_in_pixels() -> None:
    pytest.importorskip("resvg_py")
    try:
        drawer()
    except InputError as e:  # a machine without fonts
        pytest.skip(str(e))
    one, other = (influence(p, "a1111", "sd15", encoders=sd1()) for p in (ODD, ODD.replace("cat", "dog")))
    width, height, drawn = pixels(png(card(one)))
    assert (width, height) == tuple(2 * int(v) for v in re.findall(r'viewBox="0 0 (\d+) (\d+)"', card(one))[0])
    assert len(set(drawn)) > 50
    assert pixels(png(card(other)))[2] != drawn


def test_a_picture_too_high_for_pixels_is_refused_with_the_way_out() -> None:
    with pytest.raises(InputError, match=rf"{MAX_HEIGHT + 1:,} pixels high.*Take \.svg or \.html"):
        png(f'<svg viewBox="0 0 1200 {MAX_HEIGHT + 1}"></svg>')


def test_without_the_extra_png_is_refused_before_anything_is_computed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = builtins.__import__

    def missing(name: str, *arguments: Any, **named: Any) -> Any:
        if name == "resvg_py":
            raise ImportError(name)
        if name == "promptlens.commands_preview":
            raise AssertionError("nothing is computed before")
        return real(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", missing)
    assert main(["influence", "--plot", "x.png", "a cat"]) == 2
    assert "pip install 'promptlens[plot]'" in capsys.readouterr().err
    assert not Path("x.png").exists()


@pytest.mark.parametrize(
    ("plot", "said"),
    [
        ("x.jpg", "--plot writes .svg, .png or .html, not 'x.jpg'"),
        ("x", "--plot writes .svg, .png or .html"),
        ("nowhere/x.svg", "nowhere/x.svg cannot be written: there is no folder nowhere"),
    ],
)
def test_a_plot_that_cannot_be_written_is_told_first(plot: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["influence", "--plot", plot, "a cat"]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.encoder
def test_a_picture_that_fails_late_takes_no_result_away(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch")

    def full(_path: Any, _content: bytes) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("promptlens.commands_influence.write_atomically", full)
        assert main(["influence", "--encoder", "preview", "--plot", "x.svg", "a red cat"]) == 2
    said = capsys.readouterr()
    assert "influence of each word" in said.out
    assert said.err == "error: x.svg cannot be written: No space left on device.\n"
    assert main(["influence", "--encoder", "preview", "--plot", "x.svg", "a red cat"]) == 0
    assert ElementTree.parse("x.svg").getroot().tag == f"{SVG}svg"
