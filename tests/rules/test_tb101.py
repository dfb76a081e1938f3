"""Words that never reach the model."""

from __future__ import annotations

import pytest
from golden_data import analyzed, synthetic
from rule_cases import Case, Says, after, found, pieces, words

from promptlens.rules import Selection, run_rules

FIRES = {
    "the words past 75 tokens in diffusers": Says(Case(words(75) + " purple lantern", "diffusers"), ["purple lantern"]),
    "what is past a trainer's limit": Says(Case(words(76), "kohya", options={"max_token_length": 75}), [words(1, 75)]),
    "each encoder's own loss": Says(Case(words(74) + " !!! lantern", "diffusers", "sdxl"), ["!! lantern", "lantern"]),
    "what follows an end token where the host drops it": Says(Case("a cat <end_of_text> and a dog", "a1111", "sd21"), ["and a dog"]),
}

SILENT = {
    "75 tokens in diffusers": Case(words(75), "diffusers"),
    "any length where the host goes on in another chunk": Case(words(200), "a1111"),
    "an empty prompt": Case("", "diffusers"),
    "a prompt the host fails on": Case("(a:1.2.3)"),
}


@pytest.mark.parametrize("says", FIRES.values(), ids=FIRES)
def test_fires(says: Says) -> None:
    assert pieces("TB101", says.case) == says.pieces
    assert after("TB101", says.case) == says.after


@pytest.mark.parametrize("case", SILENT.values(), ids=SILENT)
def test_silent(case: Case) -> None:
    assert pieces("TB101", case) == []


def test_names_the_encoders_that_miss_the_words() -> None:
    second, first = found("TB101", Case(words(74) + " !!! lantern", "diffusers", "sdxl"))
    assert "CLIP ViT-L/14" in first.message
    assert "OpenCLIP" not in first.message
    assert "OpenCLIP ViT-bigG/14" in second.message
    assert (first.amount, second.amount) == (1, 3)


def test_finds_what_diffusers_itself_warned_of() -> None:
    rows = [row for row in synthetic("diffusers") if "chunks" in row and not row["options"].get("added_tokens")][::3]
    assert len(rows) > 100
    for row in rows:
        usage = analyzed(row, "diffusers").usage
        findings = run_rules(usage, Selection(("TB101",)))
        assert bool(findings) == bool(row.get("removed_text")), row["id"]
