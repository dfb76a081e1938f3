"""Subjects that come late."""

from __future__ import annotations

import pytest
from rule_cases import Case, Says, after, pieces, words

from promptlens.rules import RuleSettings

PRAISE = "masterpiece, best quality, highly detailed, ultra sharp focus, 8k, photorealistic, trending on artstation, award winning"


FIRES = {
    "after seven tags of praise": Says(Case(f"{PRAISE}, a lynx"), ["a lynx"], f"a lynx, {PRAISE}"),
    "after praise in brackets": Says(Case(f"({PRAISE}:1.2), a lynx, snow"), ["a lynx"], f"a lynx, ({PRAISE}:1.2), snow"),
    "sooner, when that is set": Says(
        Case("best quality, a lynx, snow", settings=RuleSettings(subject_by=3)), ["a lynx"], "a lynx, best quality, snow"
    ),
}

SILENT = {
    "the subject first": Case(f"a lynx, {PRAISE}"),
    "a little praise first": Case("masterpiece, best quality, a lynx in deep snow, " + words(20)),
    "nothing but praise": Case(PRAISE + ", " + PRAISE),
    "a long first sentence": Case("a very detailed photo of a lynx in deep snow, " + words(30)),
    "a negative prompt": Case(f"{PRAISE}, bad hands", options={"negative": True}),
    "nothing but technique": Case(f"{PRAISE}, soft lighting, film grain, Fujifilm XT3, 85mm lens"),
    "a style, to which the subject is added": Case(f"{PRAISE}, {{prompt}}, a lynx"),
    "a style of a file of them": Case(f"{PRAISE}, a lynx", settings=RuleSettings(template=True)),
    "a caption": Case(f"{PRAISE}, a lynx", settings=RuleSettings(role="caption")),
}


@pytest.mark.parametrize("says", FIRES.values(), ids=FIRES)
def test_fires(says: Says) -> None:
    assert pieces("TB404", says.case) == says.pieces
    assert after("TB404", says.case) == says.after


@pytest.mark.parametrize("case", SILENT.values(), ids=SILENT)
def test_silent(case: Case) -> None:
    assert pieces("TB404", case) == []
