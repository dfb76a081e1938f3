"""Weights that are none, or odd."""

from __future__ import annotations

import pytest
from rule_cases import Case, Says, after, found, pieces

from promptlens import analyze
from promptlens.rules import RuleSettings

FIRES = {
    "a weight without brackets": Says(Case("a cat, red hair:1.3, sky"), [":1.3"], "a cat, (red hair:1.3), sky"),
    "a weight whose bracket is not closed": Says(Case("a cat, (red hair:1.3, sky"), [":1.3"], "a cat, (red hair:1.3), sky"),
    "a weight without brackets in diffusers": Says(Case("red hair:1.3, sky", "diffusers"), [":1.3"]),
    "a number at the end of the prompt": Says(Case("a poster, aspect ratio 16:9"), [":9"], "a poster, (aspect ratio 16:9)"),
    "a number that is none": Says(Case("(red hair:1.2.3)"), ["1.2.3"]),
    "a decimal comma": Says(Case("(red hair:1,2)"), ["1,2"], "(red hair:1.2)"),
    "a letter after the number": Says(Case("(red hair:1.2f)"), ["1.2f"]),
    "a point alone": Says(Case("(red hair:.)"), ["."]),
    "blanks that a trainer does not read": Says(
        Case("(red hair: 1.2)", "kohya", options={"weighted_captions": True}), [" 1.2"], "(red hair:1.2)"
    ),
    "zero": Says(Case("(red hair:0) cat"), ["red hair"]),
    "a negative weight": Says(Case("(red hair:-1) cat"), ["red hair"]),
    "a weight above 2": Says(Case("(red hair:2.1) cat"), ["red hair"]),
    "weights that multiply to more than 2": Says(Case("((red hair:1.5):1.5) cat"), ["red hair"]),
    "a power of ten in ComfyUI": Says(Case("(red hair:1e2) cat", "comfyui"), ["red hair"]),
    "not a number, which ComfyUI takes": Says(Case("(red hair:nan) cat", "comfyui"), ["red hair"]),
    "the words of a group that Fooocus reads one by one": Says(Case("(red hair, blue:3) cat", "fooocus"), ["red hair, blue"]),
    "a lower limit, set": Says(Case("(red hair:1.5) cat", settings=RuleSettings(max_weight=1.4)), ["red hair"]),
    "a weight in square brackets": Says(Case("a cat [red hair:1.2]"), ["[red hair:1.2]"], "a cat (red hair:1.2)"),
    "an empty line in SD.Next, of which it makes words": Says(Case("a cat.\n\nsoft light", "sdnext"), ["\n\n"], "a cat.\nsoft light"),
    "two BREAKs in SD.Next": Says(Case("a cat BREAK BREAK a dog", "sdnext"), [" BREAK BREAK"], "a cat BREAK  a dog"),
}

SILENT = {
    "a usual weight": Case("(red hair:1.3), (sky: 0.8 )"),
    "a weight of 2": Case("(red hair:2) cat"),
    "a ratio and a time in the middle": Case("16:9 poster at 12:30, sky"),
    "the weights of AND's parts": Case("a cat :1.2 AND a dog :0.8"),
    "a number at the end where there are no parts": Case("aspect ratio 16:9", "comfyui"),
    "prompt editing": Case("a [cat:dog:0.5] [hat:0.3] sky"),
    "replaced weights in ComfyUI": Case("((red hair:1.5):1.5) cat", "comfyui"),
    "text after a colon": Case("(portrait by: greg) cat"),
    "BREAK, whose weight is -1": Case("a cat BREAK a dog"),
    "a resolution": Case("(wallpaper:8k) cat"),
}


@pytest.mark.parametrize("says", FIRES.values(), ids=FIRES)
def test_fires(says: Says) -> None:
    assert pieces("TB303", says.case) == says.pieces
    assert after("TB303", says.case) == says.after


@pytest.mark.parametrize("case", SILENT.values(), ids=SILENT)
def test_silent(case: Case) -> None:
    assert pieces("TB303", case) == []


def test_says_where_the_host_stops() -> None:
    (finding,) = found("TB303", Case("a cat (red hair:1.2.3)"))
    assert finding.message == "the weight '1.2.3' is not a number: AUTOMATIC1111 stops on it with an error"
    (finding,) = found("TB303", Case("a cat (red hair:1.2.3)", "comfyui"))
    assert finding.message == "the weight '1.2.3' is not a number: to ComfyUI it is words"


@pytest.mark.parametrize("text", ["a cat [red hair:1.2]", "a cat [red hair:3.0], sky"])
def test_words_with_a_step_past_the_end_never_reach_the_model(text: str) -> None:
    assert all("red" not in line.text for line in analyze(text, "a1111", "sd15").usage.lines)
