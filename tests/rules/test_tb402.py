"""Few letters for many tokens."""

from __future__ import annotations

import pytest
from rule_cases import Case, Says, after, pieces

from promptlens.rules import RuleSettings

FIRES = {
    "an emoji of a family": Says(Case("a \U0001f468\u200d\U0001f469\u200d\U0001f467 cat"), ["\U0001f468\u200d\U0001f469\u200d\U0001f467"]),
    "words of another script": Says(
        Case("a cat \u4e00\u53ea\u732b \u5728\u8349\u5730\u4e0a, sky"), ["\u4e00\u53ea\u732b \u5728\u8349\u5730\u4e0a"]
    ),
    "a long number": Says(Case("order 20240131 of cats"), ["20240131"]),
    "underscores": Says(Case("1girl, long_red_hair, smile"), ["long_red_hair"], "1girl, long red hair, smile"),
    "words in quotation marks": Says(Case('a sign "\u4e00\u53ea\u732b", sky'), ["\u4e00\u53ea\u732b"]),
    "less, when that is set": Says(Case("a \U0001f9db cat", settings=RuleSettings(costly_tokens=2)), ["\U0001f9db"]),
}

SILENT = {
    "plain English": Case("a photorealistic cat with blue eyes, 8k, 1920 wide"),
    "an accent": Case("caf\u00e9 in a town, na\u00efve art"),
    "one simple emoji": Case("a cat \u2764 you"),
    "a score of Pony": Case("score_9, score_8_up"),
    "a face": Case("^_^, o_o, >_<"),
    "a LoRA's name": Case("<lora:add_more_detail:1>"),
    "a wildcard's name": Case("a __hair_color_dark__ cat"),
    "names of fields in JSON": Case('{"aspect_ratio": "1:1", "high_level_description": "a cat"}'),
    "an embedding's name": Case("embedding:bad_hands_five", "comfyui"),
    "nothing, when the limit is high": Case("order 20240131", settings=RuleSettings(costly_tokens=20)),
}


@pytest.mark.parametrize("says", FIRES.values(), ids=FIRES)
def test_fires(says: Says) -> None:
    assert pieces("TB402", says.case) == says.pieces
    assert after("TB402", says.case) == says.after


@pytest.mark.parametrize("case", SILENT.values(), ids=SILENT)
def test_silent(case: Case) -> None:
    assert pieces("TB402", case) == []
