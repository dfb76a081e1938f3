"""Styles that leave little to the user."""

from __future__ import annotations

import pytest
from rule_cases import Case, Says, after, pieces, words

from promptlens.rules import RuleSettings

FIRES = {
    "a style of 50 tokens around the placeholder": Says(Case(words(50) + " {prompt}"), [words(50) + " {prompt}"]),
    "a style that says it is one": Says(Case(words(40), settings=RuleSettings(template=True)), [words(40)]),
    "a smaller share, set": Says(Case(words(10) + ", {prompt}", settings=RuleSettings(template_share=0.1)), [words(10) + ", {prompt}"]),
}

SILENT = {
    "a prompt of 70 tokens that is no style": Case(words(70)),
    "a style of half a chunk": Case(words(36) + " {prompt}"),
    "the placeholder's own tokens": Case(words(37) + " {prompt}"),
    "a short style": Case("photo of {prompt}, film grain"),
}


@pytest.mark.parametrize("says", FIRES.values(), ids=FIRES)
def test_fires(says: Says) -> None:
    assert pieces("TB105", says.case) == says.pieces
    assert after("TB105", says.case) == says.after


@pytest.mark.parametrize("case", SILENT.values(), ids=SILENT)
def test_silent(case: Case) -> None:
    assert pieces("TB105", case) == []
