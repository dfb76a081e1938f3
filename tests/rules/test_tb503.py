"""Empty captions and prompts."""

from __future__ import annotations

import pytest
from rule_cases import Case, Says, after, pieces

from promptlens.rules import FileNote, run_file_rules

FIRES = {
    "two blank prompts of sd_embed": Says(Case(" ", "sd_embed", options={"negative_prompt": " "}), [" "]),
}

SILENT = {
    "an empty prompt that the host takes": Case("", "a1111"),
    "one that sd_embed reads as a word": Case("", "sd_embed"),
    "a failure that has another reason": Case("(a:1.2.3)", "a1111"),
}


@pytest.mark.parametrize("says", FIRES.values(), ids=FIRES)
def test_fires(says: Says) -> None:
    assert pieces("TB503", says.case) == says.pieces
    assert after("TB503", says.case) == says.after


@pytest.mark.parametrize("case", SILENT.values(), ids=SILENT)
def test_silent(case: Case) -> None:
    assert pieces("TB503", case) == []


def test_fires_on_an_empty_caption_file() -> None:
    (finding,) = run_file_rules(FileNote("empty", "the caption file is empty: the trainer stops here"))
    assert (finding.code, finding.severity) == ("TB503", "error")
