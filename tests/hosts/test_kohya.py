"""kohya: one to three windows that a caption fills in order, and what it never reads."""

from __future__ import annotations

import pytest
from windows import said, use, weighed, words

from promptlens import analyze
from promptlens.errors import OptionError

END = 49407

# caption, max_token_length, tokens of it in each window, tokens lost
WINDOWS: dict[str, tuple[str, int | None, list[int], int]] = {
    "a short caption still takes three": (words(3), 225, [3, 0, 0], 0),
    "or two": (words(3), 150, [3, 0], 0),
    "or one": (words(3), 75, [3], 0),
    "by default of the script one": (words(3), None, [3], 0),
    "75 fill the first": (words(75), 225, [75, 0, 0], 0),
    "76 begin the second": (words(76), 225, [75, 1, 0], 0),
    "a comma moves nothing": (f"{words(60)}, {words(20)}", 225, [75, 6, 0], 0),
    "225 fill all three": (words(225), 225, [75, 75, 75], 0),
    "the 226th is lost": (words(226), 225, [75, 75, 75], 1),
    "the 151st of two": (words(151), 150, [75, 75], 1),
    "the 76th of one": (words(80), None, [75], 5),
    "a long word is cut": (f"{words(74)} photogrammetrically", 225, [75, 3, 0], 0),
    "BREAK is a word": ("a BREAK b", 225, [3, 0, 0], 0),
}


@pytest.mark.parametrize(("caption", "length", "sizes", "lost"), WINDOWS.values(), ids=WINDOWS)
def test_windows(caption: str, length: int | None, sizes: list[int], lost: int) -> None:
    got = use(caption, "kohya", max_token_length=length)
    assert [chunk.used for chunk in got.chunks] == sizes
    assert len(got.lost) == lost
    assert got.shown_count == sum(sizes) + lost
    assert {len(chunk.ids) for chunk in got.chunks} == {77}


# what stands at the beginning and at the end of each window: caption, ids
EDGES: dict[str, tuple[str, int, str, int, list[tuple[int, ...]]]] = {
    "SD1 pads with end tokens": ("sd15", 0, words(1), 150, [(49406, 2368, END, END), (49406, END, END, END)]),
    "so does SDXL's first encoder": ("sdxl", 0, words(75), 150, [(49406, 2368, 2368, END), (49406, END, END, END)]),
    "its second pads with 0": ("sdxl", 1, words(1), 150, [(49406, 2368, END, 0), (49406, END, 0, 0)]),
    "and ends full windows": ("sdxl", 1, words(75), 150, [(49406, 2368, 2368, END), (49406, END, 0, 0)]),
    "so does SD2": ("sd21", 0, words(77), 150, [(49406, 2368, 2368, END), (49406, 2368, 2368, 0)]),
    "one window is padded as it is": ("sdxl", 1, words(1), 75, [(49406, 2368, END, 0)]),
}


@pytest.mark.parametrize(("model", "encoder", "caption", "length", "edges"), EDGES.values(), ids=EDGES)
def test_edges(model: str, encoder: int, caption: str, length: int, edges: list[tuple[int, ...]]) -> None:
    got = use(caption, "kohya", model, encoder, max_token_length=length)
    assert [(*chunk.ids[:3], chunk.ids[-1]) for chunk in got.chunks] == edges


def test_an_exclamation_mark_that_opens_a_window_of_sd2_is_overwritten() -> None:
    """Its id is 0, which pads: the window is taken for an empty one."""
    got = use(f"{words(75)} ! dog", "kohya", "sd21")
    assert got.chunks[1].ids[:4] == (49406, END, 1929, END)
    assert [token.piece for token in got.lost] == ["!"]


@pytest.mark.parametrize(
    ("model", "encoder", "text"),
    [
        pytest.param("sdxl", 0, "wow !!! | | ", id="not special for SDXL's first encoder"),
        pytest.param("sdxl", 1, "wow !!! | | ", id="nor for its second, whose pad id is set later"),
        pytest.param("sd21", 0, "wow ! ! ! | | ", id="special for SD2"),
    ],
)
def test_exclamation_marks(model: str, encoder: int, text: str) -> None:
    assert said(use("wow!!!", "kohya", model, encoder)) == text.replace("| |", "|  |")


def test_only_the_first_line_is_the_caption() -> None:
    caption = "a cat\na dog\n"
    usage = analyze(caption, host="kohya").usage
    assert [line.text for line in usage.lines] == ["a cat"]
    assert [(f.kind, f.span.of(caption)) for f in usage.removed] == [("ignored", "a dog\n")]


def test_nothing_but_blanks_after_the_first_line_is_nothing_ignored() -> None:
    assert analyze("a cat\n \n", host="kohya").usage.removed == ()


def test_an_empty_first_line_is_an_empty_caption() -> None:
    assert use("\na cat", "kohya").shown_count == 0


def test_places_of_empty_windows_are_free() -> None:
    got = use(words(100), "kohya")
    assert (got.free, got.wasted) == (125, 0)


WEIGHTED: dict[str, tuple[str, str]] = {
    "round brackets": ("a (red) cat", "a · red 1.1 · cat"),
    "square ones": ("[x]", "x 0.9091"),
    "a number": ("(x:1.25)", "x 1.25"),
    "no blank before it": ("(x: 1.25)", "x : 1 . 2 5 1.1"),
    "pieces are read apart": ("house(boat)s", "house · boat 1.1 · s"),
    "BREAK is a word": ("a BREAK b", "a break b"),
    "escapes": (r"\(x\)", "( x )"),
    "weights have six decimals": ("([rim]:0.001)", "rim 0.000909"),
}


@pytest.mark.parametrize(("caption", "text"), WEIGHTED.values(), ids=WEIGHTED)
def test_weighted_captions(caption: str, text: str) -> None:
    assert weighed(use(caption, "kohya", max_token_length=75, weighted_captions=True)) == text


def test_weights_are_text_by_default() -> None:
    assert weighed(use("(x:1.2)", "kohya", max_token_length=75)) == "( x : 1 . 2 )"


def test_a_weight_that_is_no_number_stops_the_host() -> None:
    assert analyze("(x:1.2.3)", host="kohya", weighted_captions=True).usage.host_error == "ValueError"


def test_an_unknown_length_is_refused() -> None:
    with pytest.raises(OptionError, match="max_token_length must be one of None, 75, 150, 225, not 100"):
        analyze("a", host="kohya", max_token_length=100)
