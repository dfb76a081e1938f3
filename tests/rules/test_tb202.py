"""Tags and groups that two chunks share."""

from __future__ import annotations

import pytest
from rule_cases import Case, Says, after, pieces, words

from promptlens.cleaning import CLEANINGS
from promptlens.rules._cuts import COMMA, _unsure
from promptlens.tokens import Reading, tokenizer

FIRES = {
    "a tag without a comma to go back to": Says(
        Case(words(72) + ", long red hair", options={"comma_padding_backtrack": 0}),
        ["long red hair"],
        words(72) + ", BREAK long red hair",
    ),
    "a tag in a host without BREAK": Says(Case(words(72) + ", long red hair", "comfyui"), ["long red hair"]),
    "a weighted group of several tags": Says(
        Case(words(70) + ", (red hair, green eyes, hat:1.2), cat"),
        ["(red hair, green eyes, hat:1.2)"],
        words(70) + ", BREAK (red hair, green eyes, hat:1.2), cat",
    ),
    "half a tag at the end of what diffusers reads": Says(Case(words(73) + ", red hair", "diffusers"), ["red hair"]),
    "a comma that only mending a wrong encoding brings to light": Says(
        Case(words(40) + ", " + words(32, 40) + "ï¼Œlong red hair"),
        [words(32, 40) + "ï¼Œlong red hair"],
        words(40) + ", BREAK " + words(32, 40) + "ï¼Œlong red hair",
    ),
    "a tag too long for BREAK to be worth it": Says(Case("cat, " + words(74, 1), options={"comma_padding_backtrack": 0}), [words(74, 1)]),
}

SILENT = {
    "a tag that the comma before it takes along": Case(words(72) + ", long red hair"),
    "a tag that the full-width comma before it takes along": Case(words(72) + "，long red hair — “wavy”"),
    "a tag that just fits": Case(words(72) + ", red hair, cat", "comfyui"),
    "a cut before a comma": Case(words(75) + ", cat", "comfyui"),
    "a sentence longer than a chunk": Case(words(160), "comfyui"),
    "a cut that BREAK asks for": Case("red BREAK hair"),
    "a cut after a sentence that ends in a quotation mark": Case(words(68) + ', he says: "snow." The camera stays', "comfyui"),
    "a cut between two sentences": Case(words(74) + ". " + words(20)),
    "a group of which only the bracket is before the cut": Case(words(74) + ", (long red hair:1.1), cat", "comfyui"),
    "a cut word, which is another rule's": Case(words(74) + " photorealism", "comfyui"),
    "dead brackets around tags": Case("[" + words(73) + ", red hair], cat", "comfyui"),
}


@pytest.mark.parametrize("says", FIRES.values(), ids=FIRES)
def test_fires(says: Says) -> None:
    assert pieces("TB202", says.case) == says.pieces
    assert after("TB202", says.case) == says.after


@pytest.mark.parametrize("case", SILENT.values(), ids=SILENT)
def test_silent(case: Case) -> None:
    assert pieces("TB202", case) == []


@pytest.mark.parametrize("cleaning", CLEANINGS)
def test_of_characters_among_which_a_comma_ends_a_tag_no_other_becomes_one(cleaning: str) -> None:
    left = [char for char in map(chr, (*range(0x4E10), *range(0xFF00, 0x10000))) if not _unsure().search(char)]
    build = tokenizer(Reading(cleaning))
    assert {char for char in left if char != "&" and COMMA in build.encode(f"a{char}b")} - {"，"} == {","}
