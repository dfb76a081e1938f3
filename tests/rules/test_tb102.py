"""Hardly any room before the host begins to cut."""

from __future__ import annotations

import pytest
from rule_cases import Case, Says, after, pieces, words

from promptlens.rules import RuleSettings

FIRES = {
    "from 68 of diffusers' 75 tokens on": Says(Case(words(68), "diffusers"), [words(1, 67)]),
    "a prompt that just fits": Says(Case(words(75), "diffusers"), [words(8, 67)]),
    "the last tenth of a trainer's 225 tokens": Says(Case(words(210), "kohya"), [words(8, 202)]),
    "what the settings call near": Says(Case(words(40), "diffusers", settings=RuleSettings(near_limit=0.5)), [words(3, 37)]),
}

SILENT = {
    "67 of 75 tokens": Case(words(67), "diffusers"),
    "a prompt that is already cut": Case(words(76), "diffusers"),
    "a host that never cuts": Case(words(74), "a1111"),
    "a host that never cuts, with more chunks": Case(words(149), "comfyui"),
    "two thirds of a trainer's 225 tokens": Case(words(150), "kohya"),
}


@pytest.mark.parametrize("says", FIRES.values(), ids=FIRES)
def test_fires(says: Says) -> None:
    assert pieces("TB102", says.case) == says.pieces
    assert after("TB102", says.case) == says.after


@pytest.mark.parametrize("case", SILENT.values(), ids=SILENT)
def test_silent(case: Case) -> None:
    assert pieces("TB102", case) == []
