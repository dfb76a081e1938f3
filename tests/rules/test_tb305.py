"""Names of things that are not installed."""

from __future__ import annotations

import pytest
from rule_cases import Case, Says, after, pieces

from promptlens.rules import RuleSettings

LORAS = RuleSettings(loras=frozenset({"add-detail", "film", "sub/grain"}))


FIRES = {
    "a LoRA": Says(Case("a <lora:add-detial:0.8>", settings=LORAS), ["add-detial"], "a <lora:add-detail:0.8>"),
    "a LoRA like no other": Says(Case("a <lora:qqq:0.8>", settings=LORAS), ["qqq"]),
    "an embedding of ComfyUI": Says(
        Case("embedding:easynegativ", "comfyui", settings=RuleSettings(embeddings=frozenset({"easynegative"}))),
        ["easynegativ"],
        "embedding:easynegative",
    ),
    "an embedding that the host's folder does not hold": Says(
        Case("embedding:pear", "comfyui", options={"embeddings": {"pair": 2}}), ["pear"], "embedding:pair"
    ),
    "a wildcard": Says(Case("a __colour__ cat", settings=RuleSettings(wildcards={"color": ("red",)})), ["colour"], "a __color__ cat"),
}

SILENT = {
    "nothing when nothing is configured": Case("a <lora:x:1> __y__ embedding:z"),
    "an installed LoRA": Case("a <lora:film:0.8>", settings=LORAS),
    "an installed LoRA in other letters and a folder": Case("a <lora:FILM:0.8> <lora:sub/grain:1>", settings=LORAS),
    "a LoRA of a folder by its bare name": Case("a <lora:grain:0.8>", settings=LORAS),
    "a LoRA tag that the host does not read": Case("a <lora:x:0.8>", "diffusers", settings=LORAS),
    "a file name with its extension": Case("embedding:pair.pt", "comfyui", options={"embeddings": {"pair": 2}}),
    "a wildcard with a star that finds one": Case("__col*__", settings=RuleSettings(wildcards={"color": ("red",)})),
    "an embedding with a comma glued to it": Case("embedding:pair, cat", "comfyui", options={"embeddings": {"pair": 2}}),
}


@pytest.mark.parametrize("says", FIRES.values(), ids=FIRES)
def test_fires(says: Says) -> None:
    assert pieces("TB305", says.case) == says.pieces
    assert after("TB305", says.case) == says.after


@pytest.mark.parametrize("case", SILENT.values(), ids=SILENT)
def test_silent(case: Case) -> None:
    assert pieces("TB305", case) == []
