"""Templates whose longest expansion does not fit."""

from __future__ import annotations

import pytest
from rule_cases import Case, Says, after, found, pieces, words

from promptlens.rules import RuleSettings

FIRES = {
    "a choice over the budget": Says(Case(f"a {{cat|{words(8)}}}", settings=RuleSettings(max_tokens=8)), [f"{{cat|{words(8)}}}"]),
    "the longest line of a wildcard": Says(
        Case("__animal__ at noon", settings=RuleSettings(max_tokens=5, wildcards={"animal": ("cat", words(5))})), ["__animal__"]
    ),
    "choices within choices": Says(
        Case("a {cat|{dog|" + words(9) + "}}", settings=RuleSettings(max_tokens=9)), ["{cat|{dog|" + words(9) + "}}"]
    ),
    "two of three": Says(Case("{2$$cat|dog house|tall tree}", settings=RuleSettings(max_tokens=4)), ["{2$$cat|dog house|tall tree}"]),
    "what diffusers keeps, without a budget": Says(
        Case("__place__", "diffusers", settings=RuleSettings(wildcards={"place": (words(76),)})), ["__place__"]
    ),
    "chunks": Says(Case("{cat|" + words(76) + "}", settings=RuleSettings(max_chunks=1)), ["{cat|" + words(76) + "}"]),
}

SILENT = {
    "choices that fit": Case("a {red|blue} cat", settings=RuleSettings(max_tokens=3)),
    "no budget in a host that keeps all": Case("{cat|" + words(200) + "}"),
    "a wildcard nobody knows": Case("__animal__", settings=RuleSettings(max_tokens=9, wildcards={"plant": (words(50),)})),
    "braces without a choice": Case("{prompt} " + words(5), settings=RuleSettings(max_tokens=3)),
    "escaped braces": Case(r"\{cat|" + words(9) + r"\}", settings=RuleSettings(max_tokens=3)),
}


@pytest.mark.parametrize("says", FIRES.values(), ids=FIRES)
def test_fires(says: Says) -> None:
    assert pieces("TB106", says.case) == says.pieces
    assert after("TB106", says.case) == says.after


@pytest.mark.parametrize("case", SILENT.values(), ids=SILENT)
def test_silent(case: Case) -> None:
    assert pieces("TB106", case) == []


def test_names_the_worst_choices_and_their_tokens() -> None:
    (finding,) = found("TB106", Case("a {red|very dark blue} {cat|dog}", settings=RuleSettings(max_tokens=3)))
    assert (
        finding.message
        == "the largest expansion takes 5 tokens, 2 over the budget of 3; its longest choices are 'very dark blue' and 'cat'"
    )


def test_wildcards_that_name_each_other_end() -> None:
    settings = RuleSettings(max_tokens=5, wildcards={"a": ("__b__ cat",), "b": ("__a__ dog",)})
    assert len(found("TB106", Case("__a__", settings=settings))) == 1
