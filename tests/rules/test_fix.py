"""Fixing prompts: what is changed, what is kept, and that nothing gets worse."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

import pytest
from hypothesis import example, given
from rule_prompts import CASES, LIGHT, PROMPTS

import promptlens
from promptlens import analyze
from promptlens.errors import UnknownNameError
from promptlens.fixes import fix, fixable
from promptlens.report import Finding, Report
from promptlens.rules import DEFAULT_SETTINGS, RuleSettings, Selection
from promptlens.rules._samples import FULL_SCENE, SCENE


class Prompt(NamedTuple):
    """A prompt, what it should become, and how it is fixed."""

    text: str
    after: str
    host: str = "a1111"
    unsafe: bool = False
    settings: RuleSettings = DEFAULT_SETTINGS


TRAIN = "a steam train crossing a tall stone bridge over a deep green valley in the morning fog with birds"
SCENES = "a lighthouse on a cliff above a stormy sea, waves breaking on black rocks, gulls in the wind,"
HARBOUR = (
    "an old harbour where fishermen mend their nets in the last light of the day while children run along the wet stones of the pier "
    "and a dog sleeps beside a heap of ropes and baskets"
)
FIXED = {
    "repeated tags go": Prompt("1girl, solo, smile, solo, smile", "1girl, solo, smile"),
    "brackets are closed where the host closes them": Prompt("a (red hat, sky", "a (red hat, sky)"),
    "brackets of names are escaped": Prompt("saber_(fate), smile", r"saber_\(fate\), smile"),
    "a bracket too many is escaped": Prompt("a red hat), sky", r"a red hat\), sky"),
    "dead syntax goes, and its commas": Prompt("a (red:1.2) cat, <lora:x:1>, BREAK a dog", "a red cat, a dog", "diffusers"),
    "invisible characters go": Prompt("a re\u200bd\ufeff cat", "a red cat", "diffusers"),
    "an empty chunk goes": Prompt("BREAK a cat", "a cat"),
    "end marks go": Prompt("a cat<|endoftext|>, a dog", "a cat, a dog"),
    "the blank before an end mark goes with it": Prompt("a cat <|endoftext|>", "a cat"),
    "so does the one behind it at the start": Prompt("<|startoftext|> a cat <|endoftext|> sat", "a cat sat"),
    "what an edit uncovers is mended with it": Prompt("a cat, <|endoftext|>a cat", "a cat"),
    "empty tags between commas go": Prompt("a cat, , ,, a dog", "a cat, a dog"),
    "blanks before commas and runs of blanks go": Prompt("a  cat ,a   dog", "a cat,a dog"),
    "a cut tag gets a BREAK": Prompt(f"{SCENES} {TRAIN}, {HARBOUR}", f"{SCENES} {TRAIN}, BREAK {HARBOUR}"),
    "a tag is kept together in ComfyUI": Prompt(
        f"{SCENE} warm, long red hair, {TRAIN}", f"{SCENE} warm, (long red hair:1.0), {TRAIN}", "comfyui"
    ),
    "a tag is moved where nothing else helps": Prompt(
        f"{SCENE} warm, {TRAIN}, snow", f"{SCENE} warm, snow, {TRAIN}", "comfyui", unsafe=True
    ),
    "what is a guess stays": Prompt("a cat, red hair:1.3, sky", "a cat, red hair:1.3, sky"),
    "a guess is made when it may be": Prompt("a cat, red hair:1.3, sky", "a cat, (red hair:1.3), sky", unsafe=True),
    "lost words are dropped when they may be": Prompt(f"{FULL_SCENE} muted palette", FULL_SCENE.removesuffix(","), "diffusers", True),
    "a budget is kept when words may be dropped": Prompt("a lynx, snow, sky", "a lynx, snow", "a1111", True, RuleSettings(max_tokens=4)),
    "line breaks stay, and what is at the ends": Prompt(", cinematic,\n\n  soft light, ", ", cinematic,\n\n  soft light, "),
    "JSON keeps its blanks": Prompt('{"a":  "b" , "c":  1}', '{"a":  "b" , "c":  1}'),
    "a good prompt stays": Prompt(SCENE, SCENE),
    "an empty prompt stays": Prompt("", ""),
    "a prompt that the host fails on stays": Prompt("(a:1.2.3)", "(a:1.2.3)"),
}


@pytest.mark.parametrize("prompt", FIXED.values(), ids=FIXED)
def test_fix(prompt: Prompt) -> None:
    done = promptlens.fix(prompt.text, prompt.host, "sd15", settings=prompt.settings, unsafe=prompt.unsafe)
    assert done.text == prompt.after
    assert bool(done.applied) == (prompt.text != prompt.after)


def test_says_what_was_done_and_what_is_left() -> None:
    done = fix("1girl, hat), 1girl, red hair:1.3, sky", model="sd15")
    assert [(a.code, a.before, a.after) for a in done.applied] == [("TB302", ")", "\\)"), ("TB401", ", 1girl", "")]
    assert [f.code for f in done.left] == ["TB303"]


def test_says_what_was_dropped() -> None:
    (done,) = fix(f"{FULL_SCENE} muted palette", "diffusers", "sd15", unsafe=True).applied
    assert (done.code, done.message) == ("TB101", "dropped to make it fit, the last ones first: 'muted palette'")


def test_an_edit_that_makes_something_else_worse_is_not_made() -> None:
    # without the second "sky" the words move to where "red hair" is cut
    text = f"sky, {SCENE} sky, red hair blowing in the evening wind"
    assert [f.code for f in analyze(text, "comfyui", "sd15").findings] == ["TB401"]
    assert "TB202" in {f.code for f in analyze(text.replace(" sky, red", " red"), "comfyui", "sd15").findings}
    assert fix(text, "comfyui", "sd15").text == text


def _fixable(text: str, host: str = "a1111", **options: Any) -> tuple[dict[str, int], dict[str, int]]:
    def analysis(text: str) -> Report:
        return analyze(text, host, "sd15", **options)

    safe, more = fixable(analysis(text), analysis)
    return dict(safe), dict(more)


def test_what_can_be_fixed_is_what_fixing_takes_away() -> None:
    assert _fixable("1girl, hat), 1girl, red hair:1.3, sky") == ({"TB302": 1, "TB401": 1}, {"TB303": 1})
    assert _fixable("a cat, <|endoftext|>a cat") == ({"TB304": 1}, {})
    assert _fixable(f"sky, {SCENE} sky, red hair blowing in the evening wind", "comfyui") == ({}, {})  # it would cut a tag
    assert _fixable(f"{SCENE} warm, long red hair, {TRAIN}", "comfyui") == ({"TB202": 1}, {})  # no finding offers it
    assert _fixable("a good prompt") == ({}, {})


def test_only_selected_rules_are_fixed() -> None:
    assert fix("1girl, hat), 1girl", rules=Selection(("TB4",))).text == "1girl, hat)"


def test_wrong_use_is_an_error() -> None:
    with pytest.raises(UnknownNameError, match="comfi"):
        fix("a", "comfi")
    with pytest.raises(UnknownNameError, match="stepz"):
        fix("a", stepz=3)


def _ills(found: tuple[Finding, ...]) -> Counter[str]:
    return Counter(finding.code for finding in found)


def _lost(text: str, host: str, options: dict[str, Any]) -> int:
    return max((use.lost_count for line in analyze(text, host, "sdxl", **options).usage.lines for use in line.encoders), default=0)


@pytest.mark.parametrize("unsafe", [False, True], ids=["safe", "unsafe"])
@pytest.mark.parametrize(("host", "options"), CASES, ids=[f"{h}-{'-'.join(map(str, o)) or 'default'}" for h, o in CASES])
@LIGHT
@given(prompt=PROMPTS)
@example(prompt="(a:1.2.3) (")
@example(prompt="<|endoftext|><end_of_text>")
def test_a_fix_makes_nothing_worse_and_fixing_again_changes_nothing(host: str, options: dict[str, Any], unsafe: bool, prompt: str) -> None:
    done = fix(prompt, host, "sdxl", unsafe=unsafe, **options)
    before = analyze(prompt, host, "sdxl", **options).findings
    ills = _ills(before)
    # what was lost may be near the limit once it fits
    worse = {code for code, count in _ills(done.left).items() if count > ills[code] and not (code == "TB102" and ills["TB101"])}
    assert worse <= ({"TB201", "TB202"} if unsafe and ills["TB101"] else set())
    assert _lost(done.text, host, options) <= _lost(prompt, host, options)
    assert analyze(done.text, host, "sdxl", **options).findings == done.left
    again = fix(done.text, host, "sdxl", unsafe=unsafe, **options)
    assert (again.text, again.applied) == (done.text, ())
