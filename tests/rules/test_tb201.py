"""Words that two chunks share."""

from __future__ import annotations

import pytest
from rule_cases import Case, Says, after, pieces, words

FIRES = {
    "a word whose second half opens the next chunk": Says(
        Case(words(74) + " photorealism fence"), ["photorealism"], words(74) + " BREAK photorealism fence"
    ),
    "the tag of the word, when it is not long": Says(
        Case(words(71) + ", very soft photorealism", options={"comma_padding_backtrack": 0}),
        ["photorealism"],
        words(71) + ", BREAK very soft photorealism",
    ),
    "the word where a tag is too long to move": Says(
        Case("cat, " + words(72, 1) + " photorealism"), ["photorealism"], "cat, " + words(72, 1) + " BREAK photorealism"
    ),
    "a host without BREAK": Says(Case(words(74) + " photorealism", "comfyui"), ["photorealism"]),
    "the last word that diffusers reads": Says(Case(words(74) + " photorealism", "diffusers"), ["photorealism"]),
    "a digit of a number": Says(Case(words(73) + " 1920", "comfyui"), ["1920"]),
    "an emoji of several tokens": Says(Case(words(74) + " 🧛", "comfyui"), ["🧛"]),
    "an embedding in ComfyUI": Says(Case(words(70) + " embedding:bad", "comfyui", options={"embeddings": {"bad": 8}}), ["embedding:bad"]),
}

SILENT = {
    "signs of another script": Case(words(74) + " ，，，", "comfyui"),
    "a word that just fits": Case(words(73) + " photorealism fence"),
    "a word that the comma before it takes along": Case(words(73) + ", photorealism"),
    "a cut between words": Case(words(150)),
    "a run of signs": Case(words(74) + " ([,", "comfyui"),
    "a short weighted group, which ComfyUI moves on whole": Case(words(74) + " (photorealism:1.2)", "comfyui"),
    "a chunk that is just full": Case(words(75), "kohya"),
}


@pytest.mark.parametrize("says", FIRES.values(), ids=FIRES)
def test_fires(says: Says) -> None:
    assert pieces("TB201", says.case) == says.pieces
    assert after("TB201", says.case) == says.after


@pytest.mark.parametrize("case", SILENT.values(), ids=SILENT)
def test_silent(case: Case) -> None:
    assert pieces("TB201", case) == []
