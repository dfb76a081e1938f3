"""Spans, the origin of rewritten text, lines and columns, grapheme clusters, cell widths.

An `Origin` is compared with a list that says, character by character, where a text came from.
"""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from promptlens.spans import Origin, Run, Span, cell_width, clusters, join_origins, line_column, whole_clusters

Place = tuple[int, int]  # where one character of a derived text came from

FAMILY = "👨‍👩‍👧"
GERMANY, FRANCE = "🇩🇪", "🇫🇷"


# --- Span ---


def test_a_span_is_half_open_and_counts_code_points() -> None:
    assert Span(2, 5).of("a cat") == "cat"
    assert Span(1, 2).of("a\U0001f600b") == "\U0001f600"
    assert len(Span(2, 5)) == 3


def test_an_empty_span_is_still_a_span() -> None:
    assert Span(3, 3)
    assert Span(3, 3).of("a cat") == ""


def test_spans_are_ordered_by_start_then_end() -> None:
    assert sorted([Span(2, 3), Span(0, 9), Span(0, 1)]) == [Span(0, 1), Span(0, 9), Span(2, 3)]


# --- Origin ---


def runs_and_places(edits: list[tuple[str, int, int]], shift: int = 0) -> tuple[list[Run], list[Place], int]:
    """Runs of a rewrite, the place of each derived character, and the length of the source.

    An edit keeps `n` characters, drops `n`, or turns `n` into `m` as a whole.
    """
    runs: list[Run] = []
    places: list[Place] = []
    at, source = 0, shift
    for kind, n, m in edits:
        if kind == "keep" or (kind == "turn" and n == m):
            runs.append(Run(at, at + n, source, source + n))
            places += [(source + i, source + i + 1) for i in range(n)]
            at += n
        elif kind == "turn":
            runs.append(Run(at, at + m, source, source + n))
            places += [(source, source + n)] * m
            at += m
        source += n
    return runs, places, source - shift


EDITS = st.lists(st.tuples(st.sampled_from(["keep", "drop", "turn"]), st.integers(1, 4), st.integers(1, 4)), min_size=1, max_size=8)


def covered(places: list[Place], at: int, upto: int) -> Place:
    return places[at][0], places[upto - 1][1]


@settings(max_examples=80, deadline=None)
@given(EDITS)
def test_every_range_of_a_rewritten_text_comes_from_all_its_characters_sources(edits: list[tuple[str, int, int]]) -> None:
    runs, places, _ = runs_and_places(edits)
    origin = Origin(runs)
    for at in range(len(places)):
        for upto in range(at + 1, len(places) + 1):
            assert origin.range(at, upto) == covered(places, at, upto)
            assert origin.span(at, upto) == Span(*covered(places, at, upto))


@settings(max_examples=60, deadline=None)
@given(EDITS, st.data())
def test_a_slice_of_an_origin_is_the_origin_of_the_sliced_text(edits: list[tuple[str, int, int]], data: st.DataObject) -> None:
    runs, places, _ = runs_and_places(edits)
    low = data.draw(st.integers(0, len(places)))
    high = data.draw(st.integers(low, len(places)))
    part = Origin(runs).slice(low, high)
    for at in range(high - low):
        assert part.range(at, at + 1) == places[low + at]
    if high > low:
        assert part.range(0, high - low) == covered(places, low, high)


@settings(max_examples=80, deadline=None)
@given(EDITS, st.lists(st.tuples(st.sampled_from(["keep", "drop", "turn"]), st.integers(1, 3), st.integers(1, 3)), max_size=12))
def test_a_rewrite_of_a_rewrite_is_traced_to_the_first_text(first: list[tuple[str, int, int]], second: list[tuple[str, int, int]]) -> None:
    runs, places, _ = runs_and_places(first)
    fitting: list[tuple[str, int, int]] = []
    left = len(places)
    for kind, n, m in second:
        if left:
            fitting.append((kind, min(n, left), m))
            left -= min(n, left)
    again, middle, _ = runs_and_places(fitting)
    through = Origin(again).through(Origin(runs))
    for at, (start, end) in enumerate(middle):
        assert through.range(at, at + 1) == covered(places, start, end)


@settings(max_examples=60, deadline=None)
@given(EDITS, EDITS)
def test_joined_origins_continue_where_the_text_before_ends(first: list[tuple[str, int, int]], second: list[tuple[str, int, int]]) -> None:
    runs, places, length = runs_and_places(first)
    more_runs, more_places, _ = runs_and_places(second, shift=length)
    joined = join_origins([(len(places), Origin(runs)), (len(more_places), Origin(more_runs))])
    for at, place in enumerate([*places, *more_places]):
        assert joined.range(at, at + 1) == place


def test_a_text_made_of_slices_leaves_out_the_empty_ones() -> None:
    origin = Origin.of_slices([(2, 4), (5, 5), (7, 9)])
    assert [origin.range(i, i + 1) for i in range(4)] == [(2, 3), (3, 4), (7, 8), (8, 9)]


def test_an_unchanged_text_needs_no_translation() -> None:
    assert Origin.identity(5).is_identity
    assert Origin.identity(0).is_identity
    assert not Origin.identity(5, start=2).is_identity
    assert not Origin((Run(0, 1, 0, 5),)).is_identity
    assert Origin.identity(5, start=2).range(1, 3) == (3, 5)


@pytest.mark.parametrize(
    ("runs", "at", "place"),
    [
        pytest.param([Run(0, 3, 4, 7)], 0, 4, id="before the first character"),
        pytest.param([Run(0, 3, 4, 7)], 2, 6, id="between two characters"),
        pytest.param([Run(0, 3, 4, 7)], 3, 7, id="after the last character"),
        pytest.param([Run(0, 1, 2, 7)], 0, 2, id="before a character made of five"),
        pytest.param([Run(0, 1, 2, 7)], 1, 7, id="after a character made of five"),
        pytest.param([], 0, 0, id="in a text made of nothing"),
    ],
)
def test_an_empty_range_has_an_empty_place(runs: list[Run], at: int, place: int) -> None:
    assert Origin(runs).range(at, at) == (place, place)


# --- lines and columns ---


def counted(text: str, index: int) -> tuple[int, int]:
    """Line and column found by walking; "\r\n" is one line end, and both its characters are in the same place."""
    line = column = 1
    for i in range(index):
        if text[i] == "\r" and text[i + 1 : i + 2] == "\n":
            continue
        line, column = (line + 1, 1) if text[i] in "\r\n" else (line, column + 1)
    return line, column


@pytest.mark.parametrize(
    ("text", "index", "place"),
    [
        pytest.param("", 0, (1, 1), id="an empty text begins at line 1, column 1"),
        pytest.param("a cat", 2, (1, 3), id="columns count from 1"),
        pytest.param("a\nbc", 3, (2, 2), id="a newline begins a line"),
        pytest.param("a\r\nb", 3, (2, 1), id="a Windows line end is one line end"),
        pytest.param("a\rb", 2, (2, 1), id="an old Mac line end is one too"),
        pytest.param("日本\n語", 4, (2, 2), id="columns are characters, neither bytes nor cells"),
    ],
)
def test_line_and_column(text: str, index: int, place: tuple[int, int]) -> None:
    assert line_column(text, index) == place


@settings(max_examples=60, deadline=None)
@given(st.text("ab\r\n", max_size=12))
def test_line_and_column_are_those_found_by_walking(text: str) -> None:
    for index in range(len(text) + 1):
        assert line_column(text, index) == counted(text, index)


# --- grapheme clusters ---


@pytest.mark.parametrize(
    ("text", "want"),
    [
        pytest.param("abc", ["a", "b", "c"], id="ASCII letters stand alone"),
        pytest.param("a\r\nb", ["a", "\r\n", "b"], id="a Windows line end is one"),
        pytest.param("ne\u0301", ["n", "e\u0301"], id="an accent belongs to its letter"),
        pytest.param(FAMILY + "!", [FAMILY, "!"], id="a family joined by ZWJ is one"),
        pytest.param(GERMANY + FRANCE, [GERMANY, FRANCE], id="two flags are two"),
        pytest.param("👍🏽👍", ["👍🏽", "👍"], id="a skin tone belongs to its hand"),
        pytest.param("❤️x", ["❤️", "x"], id="a variation selector belongs to its heart"),
        pytest.param("\u1112\u1161\u11ab\u1100", ["\u1112\u1161\u11ab", "\u1100"], id="Hangul jamo make a syllable"),
        pytest.param("日本", ["日", "本"], id="ideographs stand alone"),
        pytest.param("z\u0335\u0321\u031b\u0352", ["z\u0335\u0321\u031b\u0352"], id="Zalgo is one letter"),
        pytest.param("", [], id="nothing has none"),
    ],
)
def test_clusters(text: str, want: list[str]) -> None:
    assert [s.of(text) for s in clusters(text)] == want


LETTERS = ["a", "b1", " ", "\r", "\n", "\r\n", "e\u0301", "日", "한", "ﬁ", "\u0915\u094d\u0937", FAMILY, GERMANY, "👍🏽", "\x00"]
PARTS = ["\u0301", "\u0345", "\u200d", "\ufe0f", "\u20e3", "\u0600", "\U0001f1e9", "\U0001f3fd", "\u1112", "\u1161", "\u11ab", "\xad"]
GRAPHEMES = st.lists(st.sampled_from([*LETTERS, *PARTS]), max_size=10).map("".join)


@settings(max_examples=60, deadline=None)
@given(GRAPHEMES)
def test_clusters_part_the_text(text: str) -> None:
    assert "".join(s.of(text) for s in clusters(text)) == text
    assert all(len(s) for s in clusters(text))


@settings(max_examples=60, deadline=None)
@given(GRAPHEMES)
@example("\u0600a\u0301")
def test_a_whole_cluster_is_never_cut(text: str) -> None:
    """Every span, widened: the smallest run of the whole text's clusters that holds it."""
    edges = [0, *(s.end for s in clusters(text))]
    for start in range(len(text)):
        for end in range(start + 1, min(start + 4, len(text)) + 1):
            want = Span(max(e for e in edges if e <= start), min(e for e in edges if e >= end))
            assert whole_clusters(text, Span(start, end)) == want, (text, start, end)


def test_plain_text_is_not_widened() -> None:
    assert whole_clusters("a cat", Span(2, 4)) == Span(2, 4)


# --- cell widths ---


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        pytest.param("", 0, id="nothing takes none"),
        pytest.param("ab", 2, id="a letter takes one"),
        pytest.param("日本", 4, id="an ideograph takes two"),
        pytest.param("ｱ", 1, id="a half-width kana takes one"),
        pytest.param("Ａ", 2, id="a full-width letter takes two"),
        pytest.param("e\u0301", 1, id="an accent takes none"),
        pytest.param(FAMILY, 2, id="a family takes two"),
        pytest.param("ab\x07", 2, id="a control character takes none, what is beside it does"),
        pytest.param("日\x1b[0m", 5, id="an escape sequence is not understood"),
    ],
)
def test_cell_width(text: str, cells: int) -> None:
    assert cell_width(text) == cells
