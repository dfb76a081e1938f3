"""What holds for any text in any host: no rule raises, edits can be made together, and what was mended does not come back."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from bounds import calls_of
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rule_prompts import CASES, EAGER, LIGHT, PROMPTS

from promptlens import analyze
from promptlens.report import Finding, Usage
from promptlens.rules import RULES, FileNote, NoteKind, RuleSettings, Selection, run_file_rules, run_pair_rules, run_rules
from promptlens.rules._edits import Edits

each_host = pytest.mark.parametrize(("host", "options"), CASES, ids=[f"{h}-{'-'.join(map(str, o)) or 'default'}" for h, o in CASES])


def findings_of(prompt: str, host: str, options: dict[str, Any], rule_settings: RuleSettings | None = None) -> tuple[Finding, ...]:
    usage = analyze(prompt, host, "sdxl", **options).usage
    return run_rules(usage, settings=rule_settings) if rule_settings else run_rules(usage)


@each_host
@LIGHT
@given(prompt=PROMPTS)
@example(prompt="")
@example(prompt="\ud800 lone surrogate")
@example(prompt="(x:1.2.3)")
@example(prompt="embedding:")
def test_no_rule_raises_and_every_finding_has_its_place(host: str, options: dict[str, Any], prompt: str) -> None:
    for found in (findings_of(prompt, host, options), findings_of(prompt, host, options, EAGER)):
        edits = Edits()
        for finding in found:
            assert 0 <= finding.span.start <= finding.span.end <= len(prompt)
            assert finding.code in RULES
            assert finding.message
            assert finding.amount >= 1
            if finding.edit is not None:
                assert 0 <= finding.edit.span.start <= finding.edit.span.end <= len(prompt)
                assert finding.edit.replacement != finding.edit.span.of(prompt)
                assert edits.add(finding.edit), "edits do not meet"
        assert [*found] == sorted(found, key=lambda f: (f.span, f.code))


@each_host
@settings(LIGHT, derandomize=True)  # a piece that an edit brings to light may look like the one it mended, once in ten thousand
@given(prompt=PROMPTS)
def test_what_an_edit_mends_does_not_come_back(host: str, options: dict[str, Any], prompt: str) -> None:
    before = findings_of(prompt, host, options)
    said = Counter((finding.code, finding.span.of(prompt)) for finding in before)
    for finding in before:
        if finding.edit is not None:
            edits = Edits()
            edits.add(finding.edit)
            mended = edits.applied(prompt)
            left = Counter((f.code, f.span.of(mended)) for f in findings_of(mended, host, options))
            key = (finding.code, finding.span.of(prompt))
            assert left[key] < said[key]


@LIGHT
@given(positive=PROMPTS, negative=PROMPTS)
def test_pairs_never_raise(positive: str, negative: str) -> None:
    for host in ("a1111", "comfyui", "compel"):
        found = run_pair_rules(analyze(positive, host, "sdxl").usage, analyze(negative, host, "sdxl").usage)
        assert {f.code for f in found} <= {"TB104"}


@LIGHT
@given(kind=st.sampled_from(["unreadable", "ignored", "literal", "duplicate", "bytes", "missing", "empty"]), text=st.text(max_size=20))
def test_every_note_on_a_file_is_one_finding(kind: NoteKind, text: str) -> None:
    (finding,) = run_file_rules(FileNote(kind, "why", text))
    assert finding.message == "why"
    assert len(finding.span) == len(text)


@LIGHT
@given(prompt=PROMPTS)
def test_a_rule_finds_the_same_alone(prompt: str) -> None:
    usage = analyze(prompt, "a1111", "sdxl").usage
    together = [(f.code, f.span, f.message) for f in run_rules(usage)]
    alone = [(f.code, f.span, f.message) for code in RULES for f in run_rules(usage, Selection((code,)))]
    assert sorted(alone) == sorted(together)


BITS_TO_REPEAT = [
    "(",
    ")",
    "[",
    "(((a:1.2",
    "{a|",
    "{",
    "BREAK ",
    "AND ",
    "<lora:",
    "# ",
    "a, ",
    "__",
    "\u200b",
    "a_",
    ":1.2, ",
    "\u65e5 ",
    "\\(",
    "<",
]


@pytest.mark.parametrize("bit", BITS_TO_REPEAT)
@pytest.mark.parametrize("host", ["a1111", "diffusers"])
def test_eight_times_the_text_takes_no_more_than_some_times_the_calls(host: str, bit: str) -> None:
    """Not the square of it, which would be 64 times. Calls are counted, since a clock says something else on a busy machine."""
    short, long = (analyze(bit * count, host, "sd15").usage for count in (500, 4_000))
    assert _calls(long) < 16 * _calls(short) + 10_000


def _calls(usage: Usage) -> int:
    run_rules(usage)  # what is loaded or remembered on first use
    return calls_of(lambda: run_rules(usage))
