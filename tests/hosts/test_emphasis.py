"""The emphasis syntax of the AUTOMATIC1111 family: weights, escapes, BREAK."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from promptlens.hosts import HostFailure
from promptlens.hosts._emphasis import parse_emphasis
from promptlens.spans import Origin

Weighed = list[tuple[str, float]]

UP, DOWN = 1.1, 1 / 1.1

WEIGHTS: dict[str, tuple[str, Weighed]] = {
    "plain text weighs 1": ("a cat", [("a cat", 1)]),
    "nothing is one empty piece": ("", [("", 1)]),
    "round brackets weigh 1.1": ("a (red) cat", [("a ", 1), ("red", UP), (" cat", 1)]),
    "square brackets divide by 1.1": ("a [red] cat", [("a ", 1), ("red", DOWN), (" cat", 1)]),
    "a number weighs that much": ("(red:1.2)", [("red", 1.2)]),
    "a weight may be negative": ("(x:-1)", [("x", -1)]),
    "or have a plus": ("(x:+1.5)", [("x", 1.5)]),
    "or begin with a point": ("(x:.5)", [("x", 0.5)]),
    "blanks around the number are fine": ("(x: 1.3 )", [("x", 1.3)]),
    "full-width digits are digits": ("(x:１.２)", [("x", 1.2)]),
    "Arabic digits are digits": ("(x:١.٢)", [("x", 1.2)]),
    "nested brackets multiply": ("((x))", [("x", UP * UP)]),
    "nested numbers multiply": ("((a:1.5) b:0.5)", [("a", 1.5 * 0.5), (" b", 0.5)]),
    "round in square multiplies too": ("[(x:2)]", [("x", 2 * DOWN)]),
    "a word after the colon is text": ("(x:abc)", [("x:abc", UP)]),
    "a number in square brackets is text": ("[x:1.2]", [("x:1.2", DOWN)]),
    "a number without a bracket is text": ("x:1.2)", [("x:1.2)", 1)]),
    "a closing bracket alone is text": ("a) b]", [("a) b]", 1)]),
    "an opening bracket alone weighs to the end": ("a (b c", [("a ", 1), ("b c", UP)]),
    "two of them weigh twice": ("((a", [("a", UP * UP)]),
    "an opening square bracket alone does too": ("a [b", [("a ", 1), ("b", DOWN)]),
    "a bracket left open within another": ("(a (b) c", [("a ", UP), ("b", UP * UP), (" c", UP)]),
    "escaped brackets are text": (r"\(x\) \[y\]", [("(x) [y]", 1)]),
    "an escaped backslash is one": (r"a\\b", [(r"a\b", 1)]),
    "a lone backslash vanishes": (r"a\b", [("ab", 1)]),
    "an escaped bracket within brackets": (r"(x\):1.2)", [("x)", 1.2)]),
    "neighbours of one weight are one piece": ("(a:1.2)(b:1.2)", [("ab", 1.2)]),
    "a weight of 1 is no weight": ("a (b:1) c", [("a b c", 1)]),
    "empty brackets are nothing": ("a () b", [("a  b", 1)]),
    "a weight for nothing is nothing": ("a (:1.2) b", [("a  b", 1)]),
    "two colons": ("(a:b:1.2)", [("a:b", 1.2)]),
}


@pytest.mark.parametrize(("text", "want"), WEIGHTS.values(), ids=WEIGHTS)
def test_weights(text: str, want: Weighed) -> None:
    got = parse_emphasis(text)
    assert [f.text for f in got] == [piece for piece, _ in want]
    assert [f.weight for f in got] == pytest.approx([weight for _, weight in want])
    assert {f.kind for f in got} == {"text"}


@pytest.mark.parametrize(
    ("text", "number"),
    [
        pytest.param("a (x:1.2.3) b", "1.2.3", id="two points"),
        pytest.param("(x:.)", ".", id="a point alone"),
        pytest.param("(x:..)", "..", id="two points alone"),
        pytest.param("(x: ... )", "...", id="three with blanks around"),
    ],
)
def test_a_weight_that_is_no_number_stops_the_host(text: str, number: str) -> None:
    with pytest.raises(HostFailure, match=re.escape(repr(number))) as caught:
        parse_emphasis(text)
    assert caught.value.error == "ValueError"
    assert caught.value.span.of(text) == number


def test_such_a_weight_outside_brackets_is_text() -> None:
    assert [f.text for f in parse_emphasis("x:1.2.3)")] == ["x:1.2.3)"]


BREAKS: dict[str, tuple[str, list[tuple[str, str, float]]]] = {
    "BREAK parts": ("a BREAK b", [("a", "text", 1), ("BREAK", "break", -1), ("b", "text", 1)]),
    "commas beside it do no harm": ("a,BREAK,b", [("a,", "text", 1), ("BREAK", "break", -1), (",b", "text", 1)]),
    "white space around it goes": ("a \n BREAK \t b", [("a", "text", 1), ("BREAK", "break", -1), ("b", "text", 1)]),
    "in lower case it is a word": ("a break b", [("a break b", "text", 1)]),
    "within a word it is a word": ("BREAKfast _BREAK_ BREAKBREAK", [("BREAKfast _BREAK_ BREAKBREAK", "text", 1)]),
    "within brackets it is a word of negative weight": (
        "(a BREAK b:1.2)",
        [("a", "text", 1.2), ("BREAK", "text", -1.2), ("b", "text", 1.2)],
    ),
    "weighed by -1 it is a word of weight 1": ("(BREAK:-1)", [("", "text", -1), ("BREAK", "text", 1), ("", "text", -1)]),
    "weighed by -1 twice it parts again": ("((BREAK:-1):-1)", [("", "text", 1), ("BREAK", "break", -1), ("", "text", 1)]),
    "two of them part twice": (
        "a BREAK BREAK b",
        [("a", "text", 1), ("BREAK", "break", -1), ("", "text", 1), ("BREAK", "break", -1), ("b", "text", 1)],
    ),
    "a bracket beside it is the end of a word": (
        "(a)BREAK",
        [("a", "text", 1.1), ("", "text", 1), ("BREAK", "break", -1), ("", "text", 1)],
    ),
}


@pytest.mark.parametrize(("text", "want"), BREAKS.values(), ids=BREAKS)
def test_break(text: str, want: list[tuple[str, str, float]]) -> None:
    assert [(f.text, f.kind, f.weight) for f in parse_emphasis(text)] == want


def test_break_is_a_word_where_the_host_knows_none() -> None:
    assert [f.text for f in parse_emphasis("a BREAK b", breaks=False)] == ["a BREAK b"]


def test_a_dropped_backslash_of_another_weight_keeps_its_neighbours_apart() -> None:
    assert [(f.text, f.weight) for f in parse_emphasis("a(\\:1.2)a")] == [("a", 1), ("", 1.2), ("a", 1)]


def test_a_tight_weight_has_no_blanks() -> None:
    assert [(f.text, f.weight) for f in parse_emphasis("(x: 1.3)", tight=True)] == [("x: 1.3", 1.1)]
    assert [(f.text, f.weight) for f in parse_emphasis("(x:1.3)", tight=True)] == [("x", 1.3)]


def test_pieces_know_their_places() -> None:
    text = r"a (red\)(er:1.2):1.5) [cat"
    assert [f.span.of(text) for f in parse_emphasis(text)] == ["a ", r"red\)", "er", " ", "cat"]


def test_places_are_those_of_the_prompt_the_line_was_cut_from() -> None:
    prompt = "<lora:x:1>a (red:1.2)"
    fragments = parse_emphasis(prompt[10:], Origin.of_slices([(10, len(prompt))]))
    assert [f.span.of(prompt) for f in fragments] == ["a ", "red"]


# --- a reference: every letter carries its weight ---


def lettered(text: str) -> list[tuple[str, float]]:
    """Letters with weights, each bracket multiplying the letters since it was opened."""
    letters: list[str] = []
    weights: list[float] = []
    opened: dict[str, list[int]] = {"(": [], "[": []}

    def weigh(start: int, factor: float) -> None:
        weights[start:] = [w * factor for w in weights[start:]]

    at = 0
    while at < len(text):
        char = text[at]
        number = re.match(r":\s*([+-]?[.\d]+)\s*\)", text[at:]) if opened["("] else None
        if char == "\\":
            if text[at + 1 : at + 2] and text[at + 1] in "()[]\\":
                letters.append(text[at + 1])
                weights.append(1.0)
                at += 1
        elif char in "([":
            opened[char].append(len(letters))
        elif number:
            weigh(opened["("].pop(), float(number.group(1)))
            at += number.end() - 1
        elif char == ")" and opened["("]:
            weigh(opened["("].pop(), UP)
        elif char == "]" and opened["["]:
            weigh(opened["["].pop(), DOWN)
        else:
            letters.append(char)
            weights.append(1.0)
        at += 1
    for start in opened["("]:
        weigh(start, UP)
    for start in opened["["]:
        weigh(start, DOWN)
    return list(zip(letters, weights, strict=True))


BITS = st.sampled_from(["a", " b", "日", "(", ")", "[", "]", ":", ":1.2)", ": -.5 )", ":2", "\\", "\\(", "\\]", "((", "))", "\n", ".", "é"])


@settings(max_examples=150, deadline=None)
@given(st.lists(BITS, max_size=16).map("".join))
@example("((((a) b:1.2) [c (d")
@example("a((\\:1.2))a")
def test_every_letter_weighs_what_the_reference_says(text: str) -> None:
    try:
        want = lettered(text)
    except ValueError:
        with pytest.raises(HostFailure):
            parse_emphasis(text)
        return
    assert [(char, f.weight) for f in parse_emphasis(text) for char in f.text] == want
