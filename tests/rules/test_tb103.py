"""Over a budget that somebody set."""

from __future__ import annotations

import pytest
from rule_cases import Case, Says, after, found, pieces, words

from promptlens.rules import RuleSettings

FIRES = {
    "what is past the tokens of the budget": Says(Case(words(12), settings=RuleSettings(max_tokens=10)), [words(2, 10)]),
    "tokens that are lost anyway": Says(Case(words(80), "diffusers", settings=RuleSettings(max_tokens=70)), [words(10, 70)]),
    "chunks past the budget": Says(Case(words(80), settings=RuleSettings(max_chunks=1)), [words(5, 75)]),
    "chunks that BREAK made": Says(Case("a cat BREAK a dog", settings=RuleSettings(max_chunks=1)), ["a dog"]),
    "the encoder that takes more": Says(Case("wow!!!", "diffusers", "sdxl", settings=RuleSettings(max_tokens=2)), ["!!"]),
}

SILENT = {
    "no budget": Case(words(500)),
    "exactly the budget": Case(words(10), settings=RuleSettings(max_tokens=10)),
    "one chunk of one": Case(words(75), settings=RuleSettings(max_chunks=1)),
    "empty windows that a trainer always sends": Case(words(10), "kohya", settings=RuleSettings(max_chunks=1)),
    "a comment, which takes no tokens": Case("a cat # and a very long remark about it", settings=RuleSettings(max_tokens=2)),
}


@pytest.mark.parametrize("says", FIRES.values(), ids=FIRES)
def test_fires(says: Says) -> None:
    assert pieces("TB103", says.case) == says.pieces
    assert after("TB103", says.case) == says.after


@pytest.mark.parametrize("case", SILENT.values(), ids=SILENT)
def test_silent(case: Case) -> None:
    assert pieces("TB103", case) == []


def test_says_by_how_much() -> None:
    (finding,) = found("TB103", Case(words(12), settings=RuleSettings(max_tokens=10)))
    assert finding.message == "12 tokens, 2 over the budget of 10"
    assert finding.amount == 2
