"""What changed between two prompts."""

from __future__ import annotations

import json
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from promptlens import analyze
from promptlens.comparing import LOST, compare_reports, phrases, token_changes

FULL = "one " * 74  # with the comma after it, 75 tokens: a whole chunk


def kinds(before: str, after: str, host: str = "a1111") -> list[tuple[str, str]]:
    """(kind, phrase) of every change."""
    return [(c.kind, c.phrase.text) for c in compare_reports(analyze(before, host), analyze(after, host)).changes]


def test_what_came_and_what_went() -> None:
    assert kinds("a cat, oil painting", "a dog, oil painting, warm light") == [
        ("removed", "a cat"),
        ("added", "a dog"),
        ("added", "warm light"),
    ]


def test_a_weight_that_changed() -> None:
    (change,) = compare_reports(analyze("a cat, red"), analyze("a cat, (red:1.3)")).changes
    assert change.kind == "reweighed"
    assert change.before
    assert change.after
    assert (change.before.weight, change.after.weight) == (1.0, 1.3)


def test_a_phrase_that_moves_to_the_next_chunk() -> None:
    (added, moved) = compare_reports(analyze(f"{FULL}, b"), analyze(f"new, {FULL}, b")).changes
    assert (added.kind, added.phrase.text) == ("added", "new")
    # 2 + 74 tokens: the first chunk goes up to 73 of the words
    assert moved.phrase.text == FULL.strip()
    assert moved.before
    assert (moved.before.chunks[0], moved.phrase.chunks[0]) == ((0,), (0, 1))


def test_a_phrase_that_is_lost_now() -> None:
    changes = compare_reports(analyze(f"red, {'one ' * 60}", "diffusers"), analyze(f"red, {'one ' * 72}, two", "diffusers")).changes
    assert [(c.kind, c.phrase.chunks[0]) for c in changes if c.phrase.text == "two"] == [("added", (LOST,))]


def test_counts_are_those_of_the_reports() -> None:
    before, after = analyze("a cat"), analyze("one " * 80)
    for n, change in enumerate(compare_reports(before, after).encoders):
        uses = before.usage.encoders[n], after.usage.encoders[n]
        assert change.encoder == uses[0].encoder.name == uses[1].encoder.name
        assert change.used == (2, 80)
        assert change.chunks == (1, 2)
        assert change.shown_count == (uses[0].shown_count, uses[1].shown_count)


def test_the_same_tokens_in_another_writing() -> None:
    diff = compare_reports(analyze("A   Cat"), analyze("a cat"))
    assert diff.same
    assert diff.changes == ()
    assert not compare_reports(analyze("a cat"), analyze("a (cat:1.1)")).same


def test_tokens_that_went_and_came() -> None:
    went, came = token_changes(analyze("a red cat").usage.encoders[0], analyze("a blue cat").usage.encoders[0])
    assert [t.piece for t in went] == ["red</w>"]
    assert [t.piece for t in came] == ["blue</w>"]


def test_removed_text_is_no_phrase() -> None:
    assert kinds("a cat <lora:x:1>", "a cat <lora:y:1>") == []


def test_very_long_prompts_are_compared_too() -> None:
    before, after = "a, b, " * 5_000, "b, a, " * 5_000
    went, came = token_changes(analyze(before).usage.encoders[0], analyze(after).usage.encoders[0])
    assert len(came) - len(went) == 0


TAGS = st.lists(st.sampled_from(["red", "a cat", "(blue:1.2)", "日本", "👩‍🚀", "[x]", "BREAK", ""]), max_size=12).map(", ".join)


@given(TAGS, TAGS)
def test_old_phrases_less_the_removed_and_with_the_added_are_the_new_ones(before: str, after: str) -> None:
    old, new = analyze(before), analyze(after)
    diff = compare_reports(old, new)
    said = Counter(p.key for p in phrases(old.usage))
    said.subtract(c.phrase.key for c in diff.changes if c.kind == "removed")
    said.update(c.phrase.key for c in diff.changes if c.kind == "added")
    assert +said == Counter(p.key for p in phrases(new.usage))
    json.dumps(diff.to_dict(), allow_nan=False)


@given(TAGS)
def test_a_prompt_and_itself(text: str) -> None:
    report = analyze(text)
    diff = compare_reports(report, report)
    assert diff.same
    assert diff.changes == ()
