"""Syntax that the host reads as plain text."""

from __future__ import annotations

from typing import Any

import pytest
from rule_cases import Case, Says, after, found, pieces

from promptlens import HOSTS
from promptlens.models import get_model
from promptlens.rules._reading import SAMPLES, Reading

FIRES = {
    "a weight in diffusers": Says(Case("a (red:1.2) cat", "diffusers"), ["(red:1.2)"], "a red cat"),
    "doubled brackets": Says(Case("a ((red)) cat", "diffusers"), ["((red))"], "a red cat"),
    "brackets around a whole tag": Says(Case("a cat, (red hat), sky", "diffusers"), ["(red hat)"], "a cat, red hat, sky"),
    "square brackets in ComfyUI": Says(Case("a [red] cat", "comfyui"), ["[red]"], "a red cat"),
    "BREAK in ComfyUI": Says(Case("a cat BREAK a dog", "comfyui"), ["BREAK"], "a cat, a dog"),
    "BREAK after a comma": Says(Case("a cat, BREAK a dog", "comfyui"), ["BREAK"], "a cat, a dog"),
    "a weight after an escaped bracket": Says(Case("a (red\\\\:1.2) cat", "diffusers"), ["(red\\\\:1.2)"], "a red cat"),
    "several BREAKs": Says(Case("a cat BREAK BREAK a dog", "comfyui"), ["BREAK BREAK"], "a cat, a dog"),
    "BREAK in SwarmUI": Says(Case("a cat BREAK a dog", "swarmui"), ["BREAK"], "a cat <break> a dog"),
    "BREAK inside brackets": Says(Case("(a cat BREAK a dog:1.2)", "a1111"), ["BREAK"]),
    "AND in ComfyUI": Says(Case("a cat AND a dog", "comfyui"), ["AND"], "a cat, a dog"),
    "AND in A1111's negative prompt": Says(Case("a cat AND a dog", options={"negative": True}), ["AND"], "a cat, a dog"),
    "a LoRA tag in ComfyUI": Says(Case("a cat, <lora:film:0.8>, a dog", "comfyui"), ["<lora:film:0.8>"], "a cat, a dog"),
    "a LoRA tag that Fooocus does not know": Says(Case("a cat <lora:film>", "fooocus"), ["<lora:film>"], "a cat"),
    "prompt editing in ComfyUI": Says(Case("a [cat:dog:0.5]", "comfyui"), ["[cat:dog:0.5]"], "a cat"),
    "alternation in kohya": Says(Case("a [cat|dog]", "kohya"), ["[cat|dog]"], "a cat"),
    "compel's ++ in A1111": Says(Case("a red++ cat", "a1111"), ["++"], "a red cat"),
    "compel's -- in ComfyUI": Says(Case("a red-- cat", "comfyui"), ["--"], "a red cat"),
    "a weight after a bracket in A1111": Says(Case("a (red hat)1.3", "a1111"), ["1.3"], "a (red hat:1.3)"),
    "a weight inside brackets in compel": Says(Case("a (red hat:1.3)", "compel"), ["(red hat:1.3)"], "a (red hat)1.3"),
    "a call in A1111": Says(Case('("a cat", "a dog").and()', "a1111"), [".and()"]),
    "a comment line in ComfyUI": Says(Case("# mine\na cat", "comfyui"), ["# mine\n"], "a cat"),
    "embedding: in A1111": Says(Case("a cat, embedding:easynegative", "a1111"), ["embedding:"], "a cat, easynegative"),
    "embedding: without a blank in ComfyUI": Says(
        Case("a cat,embedding:pair", "comfyui", options={"embeddings": {"pair": 2}}), ["embedding:"], "a cat, embedding:pair"
    ),
    "escapes where brackets are text": Says(Case(r"saber \(fate\)", "diffusers"), [r"\(", r"\)"], "saber (fate)"),
    "weights with emphasis None": Says(Case("a (red:1.2) cat", options={"emphasis": "None"}), ["(red:1.2)"], "a red cat"),
    "a trainer's captions without weighted_captions": Says(Case("a (red:1.2) cat", "kohya"), ["(red:1.2)"], "a red cat"),
}

SILENT = {
    "A1111's own syntax in A1111": Case("(a:1.2) [b] [c:d:0.5] <lora:x:1> AND e BREAK f # g"),
    "A1111's own syntax in Forge": Case("(a:1.2) [b] [c:d:0.5] <lora:x:1> AND e BREAK f # g", "forge"),
    "ComfyUI's own syntax in ComfyUI": Case("(a:1.2) embedding:pair", "comfyui", options={"embeddings": {"pair": 2}}),
    "compel's own syntax in compel": Case('("a cat++", "a (dog)1.2").and()', "compel"),
    "Fooocus' own syntax in Fooocus": Case("a [[cat, dog]] <lora:x:1> __animal__", "fooocus"),
    "a trainer's captions with weighted_captions": Case("a (red:1.2) [cat]", "kohya", options={"weighted_captions": True}),
    "brackets in a sentence": Case("a cat (a black one) on a mat", "diffusers"),
    "words in capitals": Case("SALT AND PEPPER", "comfyui"),
    "C++": Case("a book on C++, on a desk", "comfyui"),
    "a smiley": Case("a cat :) on a mat", "diffusers"),
    "an arrow and a heart": Case("a cat <3 -> a dog", "comfyui"),
    "a list in JSON": Case('{"colors": ["red", "blue"]}', "comfyui"),
    "a hashtag": Case("a cat #catsofinstagram", "comfyui"),
}


@pytest.mark.parametrize("says", FIRES.values(), ids=FIRES)
def test_fires(says: Says) -> None:
    assert pieces("TB301", says.case) == says.pieces
    assert after("TB301", says.case) == says.after


@pytest.mark.parametrize("case", SILENT.values(), ids=SILENT)
def test_silent(case: Case) -> None:
    assert pieces("TB301", case) == []


@pytest.mark.parametrize(
    ("text", "host", "tokens"),
    [
        ("a (red:1.2) cat", "diffusers", 6),  # ( : 1 . 2 )
        ("a cat BREAK a dog", "comfyui", 1),
        ("a cat <lora:film:0.8>", "comfyui", 10),  # < lo ra : film : 0 . 8 >
        ("a [red] cat", "comfyui", 2),
    ],
)
def test_says_what_it_costs(text: str, host: str, tokens: int) -> None:
    (finding,) = found("TB301", Case(text, host))
    assert finding.amount == tokens
    assert f"it costs {tokens} token" in finding.message


def test_what_each_host_says_of_itself_is_what_it_does() -> None:
    """A word of `Host.syntax` that a sample can show means something under some options, and no other does."""
    options: dict[str, dict[str, Any]] = {"kohya": {"weighted_captions": True}}
    for name, host in HOSTS.items():
        read = Reading(host, get_model("sd15"), host.options(**options.get(name, {})))
        shown = {word for word, sample in SAMPLES.items() if read._is_live(*sample)}
        assert host.syntax & SAMPLES.keys() <= shown, name
        assert shown - host.syntax <= EXTRA.get(name, set()), name


# What makes a sample look alive though the host means something else by it.
EXTRA = {
    "fooocus": {"newline-break"},  # lines are texts of their own
    "kohya": {"newline-break", "schedule"},
    "compel": {"round", "weight"},  # brackets hold words together and weigh nothing by themselves; "1.5" becomes "1 . 5"
    "invokeai": {"round", "weight"},
}
