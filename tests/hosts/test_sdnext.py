"""SD.Next's native parser, as read."""

from __future__ import annotations

import pytest
from windows import said, sizes, use, weighed, words

from promptlens import HOSTS, analyze

TEXTS: dict[str, tuple[str, str]] = {
    "round brackets": ("a (red) cat", "a · red 1.1 · cat"),
    "square ones": ("a [red] cat", "a · red 0.909 · cat"),
    "weights have three decimals": ("((x:1.2345))", "x 1.357"),
    "no blank before a number": ("(x: 1.2)", "x 1 . 2 1.1"),
    "a bracket left open lasts to the end": ("a (b c", "a · b c 1.1"),
    "a comma after a bracket vanishes": ("(a), b", "a 1.1 · b"),
    "one before it stays": ("a, (b)", "a , · b 1.1"),
    "a lone colon vanishes": ("a:b", "a b"),
    "escaped brackets": (r"a \(b\)", "a ( b )"),
    "a weight that is no number is passed over": ("(x:1.2.3)", "x"),
    "AND is a word": ("a AND b", "a and b"),
    "a network goes": ("a <lora:x:1> b", "a b"),
}


@pytest.mark.parametrize(("prompt", "text"), TEXTS.values(), ids=TEXTS)
def test_texts(prompt: str, text: str) -> None:
    assert weighed(use(prompt, "sdnext")) == text


BREAKS: dict[str, tuple[str, str]] = {
    "BREAK parts": ("a BREAK b", "a | b"),
    "a newline does": ("a\nb", "a | b"),
    "two number signs do": ("a ## b", "a | b"),
    "also within brackets": ("(a BREAK b:1.5)", "a 1.5 | b 1.5"),
    "first or last it does nothing": ("BREAK a BREAK", "a"),
    "two in a row are words": ("a BREAK BREAK b", "a · break break -1 · b"),
    "and so is an empty line": ("a\n\nb", "a · break break -1 · b"),
    "in lower case it is a word": ("a break b", "a break b"),
}


@pytest.mark.parametrize(("prompt", "text"), BREAKS.values(), ids=BREAKS)
def test_breaks(prompt: str, text: str) -> None:
    assert weighed(use(prompt, "sdnext")) == text


def test_newlines_may_be_blanks() -> None:
    assert said(use("a\nb", "sdnext", line_break=False)) == "a b"


def test_a_negative_prompt_has_no_breaks() -> None:
    assert weighed(use("a BREAK b", "sdnext", negative=True)) == "a · break -1 · b"


def test_nothing_but_a_break_stops_the_host() -> None:
    assert analyze("BREAK", host="sdnext").usage.host_error == "RuntimeError"


def test_sections_are_cut_after_sentences() -> None:
    got = use(f"{words(30)}. {words(60)} BREAK a", "sdnext")
    assert sizes(got) == "31|60|1"
    assert [chunk.cut for chunk in got.chunks] == ["sentence", "break", "end"]
    assert got.shown_count is None


def test_a_step_has_a_point_and_is_a_step_all_the_same() -> None:
    usage = analyze("[a:b:1.5] [c:d:0.5]", host="sdnext", steps=4).usage
    assert [(line.text, line.parsed.steps) for line in usage.lines] == [("a c", ((1, 1),)), ("b c", ((2, 2),)), ("b d", ((3, 4),))]


def test_spans_are_those_of_the_prompt() -> None:
    prompt = "(a), b\n\nc"
    assert [token.span.of(prompt) for token in use(prompt, "sdnext").tokens] == ["a", "b", "\n", "\n\n", "c"]


def test_it_says_that_it_was_read() -> None:
    assert not HOSTS["sdnext"].observed
    assert "read, not observed" in HOSTS["sdnext"].reference
