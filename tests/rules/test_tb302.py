"""Brackets that do not pair, and brackets of names."""

from __future__ import annotations

import pytest
from rule_cases import Case, Says, after, pieces

FIRES = {
    "a bracket that is never closed": Says(Case("a (red hat"), ["("], "a (red hat)"),
    "two of them": Says(Case("a (red [hat"), ["(", "["], "a (red [hat])"),
    "one that ComfyUI reads as text": Says(Case("a (red hat", "comfyui"), ["("], r"a \(red hat"),
    "a bracket that was never opened": Says(Case("a red) hat"), [")"], r"a red\) hat"),
    "one of each kind": Says(Case("a (red] hat", "a1111"), ["(", "]"], r"a (red\] hat)"),
    "AND, which brackets do not reach over": Says(Case("(a cat AND a dog)"), ["(", ")"], r"(a cat) AND a dog\)"),
    "lines, which they do not reach over in Fooocus": Says(Case("(a cat\na dog)", "fooocus"), ["(", ")"], "\\(a cat\na dog\\)"),
    "a name with an underscore": Says(Case("1girl, hatsune_miku_(vocaloid)"), ["(vocaloid)"], r"1girl, hatsune_miku_\(vocaloid\)"),
    "a name of a known series": Says(Case("1girl, saber (fate)"), ["(fate)"], r"1girl, saber \(fate\)"),
    "a name in ComfyUI": Says(Case("ereshkigal (fate), smile", "comfyui"), ["(fate)"], r"ereshkigal \(fate\), smile"),
    "a name in compel, which drops the brackets": Says(Case("saber (fate)", "compel"), ["(fate)"], r"saber \(fate\)"),
    "a name inside a weighted group": Says(Case("1girl, (saber_(fate), smile:1.2)"), ["(fate)"], r"1girl, (saber_\(fate\), smile:1.2)"),
}

SILENT = {
    "brackets that pair": Case("a ((red) [hat:1.2])"),
    "escaped brackets": Case(r"saber \(fate\), \)"),
    "an escaped backslash before one": Case(r"a (red\\)"),
    "a host in which brackets are text": Case("a (red] hat", "diffusers"),
    "square brackets where they are text": Case("a [red hat", "comfyui"),
    "brackets in a comment": Case("a cat # (red"),
    "brackets in a LoRA's name": Case("a cat <lora:x):1>"),
    "emphasis of a plain word": Case("a woman (red hair), smile"),
    "a weighted name": Case("saber (fate:1.2)"),
    "prompt editing": Case("a [cat:dog:0.5] and [a|b]"),
}


@pytest.mark.parametrize("says", FIRES.values(), ids=FIRES)
def test_fires(says: Says) -> None:
    assert pieces("TB302", says.case) == says.pieces
    assert after("TB302", says.case) == says.after


@pytest.mark.parametrize("case", SILENT.values(), ids=SILENT)
def test_silent(case: Case) -> None:
    assert pieces("TB302", case) == []
