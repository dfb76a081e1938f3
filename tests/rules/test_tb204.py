"""BREAKs that cost more than they are worth."""

from __future__ import annotations

import pytest
from rule_cases import Case, Says, after, pieces, words

from promptlens.rules import RuleSettings

FIRES = {
    "one at the start": Says(Case("BREAK a cat"), ["BREAK"], "a cat"),
    "two in a row": Says(Case(words(60) + " BREAK BREAK a cat"), ["BREAK"], words(60) + " BREAK a cat"),
    "three lines of them": Says(Case(words(60) + "\nBREAK\nBREAK\nBREAK\na cat"), ["BREAK", "BREAK"], words(60) + "\nBREAK\na cat"),
    "nothing else": Says(Case("BREAK"), ["BREAK"], ""),
    "many empty slots": Says(Case("a cat BREAK a dog"), ["BREAK"]),
    "fewer, when that is set": Says(Case(words(60) + " BREAK a dog", settings=RuleSettings(break_waste=10)), ["BREAK"]),
    "a line break of SD.Next": Says(Case("a cat\na dog", "sdnext"), ["\n"]),
    "SwarmUI's own": Says(Case("a cat <break> a dog", "swarmui"), ["<break>"]),
}

SILENT = {
    "half a chunk": Case(words(38) + " BREAK a dog"),
    "one at the end, which changes nothing": Case(words(10) + " BREAK"),
    "a word in a host without it": Case("a cat BREAK a dog", "comfyui"),
    "a word inside brackets": Case("(a cat BREAK a dog:1.2)"),
    "a word of other letters": Case("a Break a BREAKfast"),
    "emphasis None, where it is a word": Case("a BREAK b", options={"emphasis": "None"}),
}


@pytest.mark.parametrize("says", FIRES.values(), ids=FIRES)
def test_fires(says: Says) -> None:
    assert pieces("TB204", says.case) == says.pieces
    assert after("TB204", says.case) == says.after


@pytest.mark.parametrize("case", SILENT.values(), ids=SILENT)
def test_silent(case: Case) -> None:
    assert pieces("TB204", case) == []
