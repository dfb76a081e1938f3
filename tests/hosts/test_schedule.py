"""Prompt editing: which text is used at which step."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptlens.hosts import HostFailure
from promptlens.hosts._schedule import MAX_DEPTH, schedules


def texts(prompt: str, steps: int = 20) -> list[tuple[int, str]]:
    """Last step and text, of each text in turn."""
    return [(s.until_step, "".join(prompt[a:b] for a, b in s.slices)) for s in schedules(prompt, steps)]


ROWS: dict[str, tuple[str, int, list[tuple[int, str]]]] = {
    "a share of the steps": ("a [cat:dog:0.5] b", 20, [(10, "a cat b"), (20, "a dog b")]),
    "a share of other steps": ("[cat:dog:0.5]", 30, [(15, "cat"), (30, "dog")]),
    "a share is rounded down": ("[cat:dog:0.33]", 10, [(3, "cat"), (10, "dog")]),
    "a step": ("[cat:dog:5]", 20, [(5, "cat"), (20, "dog")]),
    "a word added": ("a [cat:0.25]", 20, [(5, "a "), (20, "a cat")]),
    "a word removed": ("a [cat::3]", 20, [(3, "a cat"), (20, "a ")]),
    "blanks around the number": ("[cat:dog: 0.5 ]", 20, [(10, "cat"), (20, "dog")]),
    "one with a point is all of the steps": ("[cat:dog:1.0]", 20, [(20, "cat")]),
    "one without is a step": ("[cat:dog:1]", 20, [(1, "cat"), (20, "dog")]),
    "a step past the last": ("[cat:dog:30]", 20, [(20, "cat")]),
    "step nought": ("[cat:dog:0]", 20, [(20, "dog")]),
    "words that take turns": ("[a|b] x", 4, [(1, "a x"), (2, "b x"), (3, "a x"), (4, "b x")]),
    "three words that take turns": ("[a|b|c]", 4, [(1, "a"), (2, "b"), (3, "c"), (4, "a")]),
    "a turn of nothing": ("a[|b]", 2, [(1, "a"), (2, "ab")]),
    "editing within editing": ("[a:[b:c:15]:5]", 20, [(5, "a"), (15, "b"), (20, "c")]),
    "editing within brackets": ("([a:b:0.5]:1.2)", 20, [(10, "(a:1.2)"), (20, "(b:1.2)")]),
    "brackets within editing": ("[(a:1.2):b:0.5]", 20, [(10, "(a:1.2)"), (20, "b")]),
    "square brackets alone": ("a [cat] b", 20, [(20, "a [cat] b")]),
    "plain text": ("a cat", 20, [(20, "a cat")]),
    "nothing": ("", 20, [(20, "")]),
    "a weight in square brackets": ("[cat:dog]", 20, [(20, "[cat:dog]")]),
    "a bracket left open": ("[cat:dog:0.5", 20, [(20, "[cat:dog:0.5")]),
    "a word for a number": ("[cat:dog:half]", 20, [(20, "[cat:dog:half]")]),
    "a comma in the number": ("[cat:dog:0,5]", 20, [(20, "[cat:dog:0,5]")]),
    "escaped brackets": (r"\[cat:dog:0.5\]", 20, [(20, r"\[cat:dog:0.5\]")]),
}


@pytest.mark.parametrize(("prompt", "steps", "want"), ROWS.values(), ids=ROWS)
def test_the_text_of_each_step(prompt: str, steps: int, want: list[tuple[int, str]]) -> None:
    assert texts(prompt, steps) == want


def test_two_edits_make_four_texts() -> None:
    """`[cat:dog:0.5] [a|b]` over 20 steps, as the webui was seen to do it."""
    got = texts("[cat:dog:0.5] [a|b]")
    assert {text for _, text in got} == {"cat a", "cat b", "dog a", "dog b"}
    assert [step for step, _ in got] == list(range(1, 21))


def test_a_step_too_large_for_a_number_stops_the_host() -> None:
    with pytest.raises(HostFailure, match="1e999") as caught:
        schedules("a [cat:dog:1e999]", 20)
    assert caught.value.error == "OverflowError"
    assert caught.value.span.of("a [cat:dog:1e999]") == "1e999"


@pytest.mark.parametrize("depth", [1, MAX_DEPTH - 1, MAX_DEPTH + 5, 5 * MAX_DEPTH])
def test_editing_is_found_however_deep_in_brackets(depth: int) -> None:
    before, after = "[" * depth, "]" * depth
    assert texts(f"{before}[a:b:0.5]{after}") == [(10, f"{before}a{after}"), (20, f"{before}b{after}")]


def test_long_prompts_of_open_brackets_take_no_time_to_speak_of() -> None:
    for prompt in ("[a:" * 3_000, "[a|" * 3_000, "(a:" * 3_000 + "[b:c:0.5]"):
        schedules(prompt, 20)


# --- a reference: trees written out, and asked what they say at a step ---


@dataclass(frozen=True)
class Words:
    text: str

    def written(self) -> str:
        return self.text

    def at(self, step: int, steps: int) -> str:
        return self.text


@dataclass(frozen=True)
class Edited:
    before: tuple[Tree, ...] | None
    after: tuple[Tree, ...]
    when: float | int

    def written(self) -> str:
        before = "" if self.before is None else written(self.before) + ":"
        return f"[{before}{written(self.after)}:{self.when}]"

    def at(self, step: int, steps: int) -> str:
        last = self.when * steps if isinstance(self.when, float) else self.when
        return said(self.before or (), step, steps) if step <= int(last) else said(self.after, step, steps)


@dataclass(frozen=True)
class Turns:
    options: tuple[tuple[Tree, ...], ...]

    def written(self) -> str:
        return "[" + "|".join(map(written, self.options)) + "]"

    def at(self, step: int, steps: int) -> str:
        return said(self.options[(step - 1) % len(self.options)], step, steps)


@dataclass(frozen=True)
class Weighed:
    inner: tuple[Tree, ...]

    def written(self) -> str:
        return f"({written(self.inner)}:1.2)"

    def at(self, step: int, steps: int) -> str:
        return f"({said(self.inner, step, steps)}:1.2)"


Tree = Words | Edited | Turns | Weighed


def written(trees: tuple[Tree, ...]) -> str:
    return "".join(tree.written() for tree in trees)


def said(trees: tuple[Tree, ...], step: int, steps: int) -> str:
    return "".join(tree.at(step, steps) for tree in trees)


LEAVES: st.SearchStrategy[Tree] = st.sampled_from(["a", " b", ", c", "日", r"\(d\)"]).map(Words)


def grown(children: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    some = st.lists(children, max_size=2).map(tuple)
    when = st.one_of(st.integers(0, 12), st.sampled_from([0.0, 0.25, 0.5, 0.9, 1.0]))
    return st.one_of(
        st.builds(Edited, st.one_of(st.none(), some), some, when),
        st.lists(some, min_size=2, max_size=3).map(tuple).map(Turns),
        st.lists(children, min_size=1, max_size=2).map(tuple).map(Weighed),
    )


@settings(max_examples=80, deadline=None)
@given(st.lists(st.recursive(LEAVES, grown, max_leaves=8), max_size=3).map(tuple), st.integers(1, 12))
def test_trees_written_out_are_read_back(trees: tuple[Tree, ...], steps: int) -> None:
    prompt = written(trees)
    got = texts(prompt, steps)
    assert [end for end, _ in got] == sorted({end for end, _ in got})
    assert got[-1][0] == steps
    for step in range(1, steps + 1):
        assert next(text for end, text in got if step <= end) == said(trees, step, steps), prompt
