"""Last chunks for a handful of tokens."""

from __future__ import annotations

import pytest
from rule_cases import Case, Says, after, pieces, words

from promptlens.rules import RuleSettings

FIRES = {
    "two tokens past a full chunk": Says(Case(words(77)), [words(2, 75)]),
    "what a comma moved on": Says(Case(words(74) + ", red"), ["red"]),
    "more tokens, when they count as few": Says(Case(words(95), settings=RuleSettings(tail_tokens=20)), [words(20, 75)]),
    "a trainer's second window": Says(Case(words(76), "kohya"), [words(1, 75)]),
}

SILENT = {
    "a full chunk": Case(words(75)),
    "six tokens": Case(words(81)),
    "a chunk that BREAK asks for": Case(words(75) + " BREAK red cat"),
    "words that are lost": Case(words(77), "diffusers"),
    "none, when it is switched off": Case(words(77), settings=RuleSettings(tail_tokens=0)),
}


@pytest.mark.parametrize("says", FIRES.values(), ids=FIRES)
def test_fires(says: Says) -> None:
    assert pieces("TB203", says.case) == says.pieces
    assert after("TB203", says.case) == says.after


@pytest.mark.parametrize("case", SILENT.values(), ids=SILENT)
def test_silent(case: Case) -> None:
    assert pieces("TB203", case) == []
