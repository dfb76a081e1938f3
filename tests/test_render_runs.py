"""Wrapping and showing text: widths in cells, whole clusters, and nothing that steers a terminal."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wcwidth import iter_graphemes, wcswidth

from promptlens.render._runs import Run, cluster_start, plain, quoted, visible, visible_text, wrap

FAMILY = "👨‍👩‍👧‍👦"
ENGLAND = "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"

# Text that is hard to measure: emoji sequences, flags, combining marks, wide letters, controls, joiners where they do not belong.
ODD_TEXT = st.lists(
    st.one_of(
        st.sampled_from(
            [
                FAMILY,
                ENGLAND,
                "🇩🇪",
                "👍🏽",
                "日本",
                "é",
                "e\u0301",
                "\u0301",
                "\x1b[31m",
                "\t",
                "\u202e",
                "\u200b",
                "a\u200db",
                "#️⃣",
                "ก็",
                "각",
            ]
        ),
        st.text(max_size=6),
    ),
    max_size=25,
).map("".join)


@pytest.mark.parametrize(
    ("cluster", "want"),
    [
        ("a", "a"),
        ("é", "é"),
        ("e\u0301", "e\u0301"),
        ("日", "日"),
        (FAMILY, FAMILY),
        (ENGLAND, ENGLAND),
        ("\x1b", "\\x1b"),
        ("\x00", "\\x00"),
        ("\x7f", "\\x7f"),
        ("\x9b", "\\x9b"),
        ("\t", "\\t"),
        ("\r", "\\r"),
        ("\u202e", "\\u202e"),
        ("\u200b", "\\u200b"),
        ("\ufeff", "\\ufeff"),
        ("\u2028", "\\u2028"),
        ("a\u200d", "a\\u200d"),
        ("\ud800", "\\ud800"),
        ("\U000e0001", "\\U000e0001"),
        ("\u0301", "◌\u0301"),
    ],
    ids=ascii,
)
def test_a_cluster_is_shown(cluster: str, want: str) -> None:
    assert visible(cluster) == want


@given(ODD_TEXT)
def test_nothing_that_steers_a_terminal_is_left(text: str) -> None:
    left = {unicodedata.category(c) for c in visible_text(text)} & {"Cc", "Cs", "Zl", "Zp"}
    assert left == set()
    assert not set(visible_text(text)) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")


@given(ODD_TEXT, st.integers(8, 60))
def test_no_line_is_wider_than_asked(text: str, width: int) -> None:
    rows = wrap([Run(text)], width, first="> ", indent="  ")
    assert all(wcswidth(plain(row)) <= width for row in rows)


@given(ODD_TEXT, st.integers(8, 60))
def test_wrapping_loses_nothing_but_blanks(text: str, width: int) -> None:
    rows = wrap([Run(text)], width)
    assert "".join(map(plain, rows)).replace(" ", "") == visible_text(text).replace(" ", "")


@given(ODD_TEXT, st.integers(8, 60))
def test_no_cluster_is_parted(text: str, width: int) -> None:
    """Each line ends where a cluster of the whole text ends."""
    ends, at = {0}, 0
    for cluster in iter_graphemes(visible_text(text)):
        at += len(cluster.replace(" ", ""))
        ends.add(at)
    at = 0
    for row in wrap([Run(text)], width):
        at += len(plain(row).replace(" ", ""))
        assert at in ends


@pytest.mark.parametrize(
    ("text", "width", "want"),
    [
        ("a quick brown fox", 9, ["a quick", "brown fox"]),
        ("a", 9, ["a"]),
        ("", 9, [""]),
        ("antidisestablishmentarianism", 10, ["antidisest", "ablishment", "arianism"]),
        ("日本の桜が咲く", 6, ["日本の", "桜が咲", "く"]),
        ("a 日本の桜", 6, ["a 日本", "の桜"]),
        (f"ab {FAMILY}{FAMILY}", 5, [f"ab {FAMILY}", FAMILY]),
        ("[red] (x)", 5, ["[red]", "(x)"]),
    ],
)
def test_text_is_wrapped_at_blanks_and_between_wide_letters(text: str, width: int, want: list[str]) -> None:
    assert [plain(row) for row in wrap([Run(text)], width)] == want


def test_styles_follow_their_words() -> None:
    rows = wrap([Run("one two ", "odd"), Run("three", "lost")], 8)
    assert rows == [[Run("one two", "odd")], [Run("three", "lost")]]


def test_a_long_quote_says_how_much_it_leaves_out() -> None:
    said = quoted("x" * 10_000, 240)
    assert len(said) < 300
    assert "… 9,760 characters …" in said


def test_a_quote_is_never_cut_within_a_cluster() -> None:
    said = quoted(FAMILY * 100, 200)
    head, _, tail = said.split(" … ")
    assert head.strip('"').replace(FAMILY, "") == ""
    assert tail.strip('"').replace(FAMILY, "") == ""


@given(ODD_TEXT, st.integers(0, 80))
def test_the_start_of_a_cluster_is_at_or_before_its_place(text: str, at: int) -> None:
    at = min(at, len(text))
    starts, upto = {0, len(text)}, 0
    for cluster in iter_graphemes(text):
        starts.add(upto)
        upto += len(cluster)
    if len(text) <= 64:  # further back than that it does not look
        assert cluster_start(text, at) == max(s for s in starts if s <= at)
