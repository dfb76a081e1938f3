"""Positive and negative prompts of different numbers of chunks."""

from __future__ import annotations

import pytest
from rule_cases import words

from promptlens import analyze
from promptlens.rules import run_pair_rules

FIRES = {
    "a long positive prompt and a short negative one": (words(80), "blurry", "a1111"),
    "a long negative prompt": ("a cat", words(80), "comfyui"),
    "a BREAK on one side": ("a cat BREAK a dog", "blurry", "a1111"),
    "an empty negative prompt beside two chunks": (words(80), "", "comfyui"),
}

SILENT = {
    "one chunk each": (words(75), "blurry", "a1111"),
    "two chunks each": (words(80), words(90), "a1111"),
    "a host with one window for all": (words(80), "blurry", "diffusers"),
    "a trainer that always sends three": (words(80), "blurry", "kohya"),
    "a prompt the host fails on": ("(a:1.2.3)", words(80), "a1111"),
}


@pytest.mark.parametrize(("positive", "negative", "host"), FIRES.values(), ids=FIRES)
def test_fires(positive: str, negative: str, host: str) -> None:
    findings = run_pair_rules(analyze(positive, host, "sd15").usage, analyze(negative, host, "sd15").usage)
    assert [(f.code, f.span.of(positive)) for f in findings] == [("TB104", positive)]


def test_one_vector_for_the_whole_prompt_has_no_chunks_to_pair() -> None:
    positive, negative = (analyze(text, "comfyui", "flux").usage for text in (words(80), "blurry"))
    assert run_pair_rules(positive, negative) == ()


@pytest.mark.parametrize(("positive", "negative", "host"), SILENT.values(), ids=SILENT)
def test_silent(positive: str, negative: str, host: str) -> None:
    assert run_pair_rules(analyze(positive, host, "sd15").usage, analyze(negative, host, "sd15").usage) == ()
