"""Prompts made to fit: what goes first, what is said of it, and that no more goes than must."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rule_prompts import LIGHT, PROMPTS

from promptlens import analyze
from promptlens.errors import OptionError
from promptlens.shorten import Shortened, shorten, tag_spans

TABLE = {
    "the last tag goes first": ("a lynx, sharp focus, 8k", 5, Shortened("a lynx, sharp focus", ("8k",))),
    "then the one before it": ("a lynx, sharp focus, 8k", 4, Shortened("a lynx", ("sharp focus", "8k"))),
    "a weighted group goes as a whole": ("a lynx, (snow, sky:1.2), hat", 3, Shortened("a lynx", ("(snow, sky:1.2)", "hat"))),
    "of the last tag left, words go": ("a cat on a mat", 3, Shortened("a cat on", ("a mat",))),
    "all others go before words of the first do": ("a cat on a mat, sky", 2, Shortened("a cat", ("on a mat", "sky"))),
    "a comment and a LoRA stay": ("a cat, sky <lora:x:1> # mine", 2, Shortened("a cat <lora:x:1> # mine", ("sky",))),
    "what fits stays as it is": ("a  cat ,, sky", 9, Shortened("a  cat ,, sky", ())),
    "a group that is too long by itself stays": ("(a cat on a mat:1.2)", 3, Shortened("(a cat on a mat:1.2)", (), fits=False)),
    "an empty prompt fits": ("", 1, Shortened("", ())),
}


@pytest.mark.parametrize(("text", "budget", "expected"), TABLE.values(), ids=TABLE)
def test_shorten(text: str, budget: int, expected: Shortened) -> None:
    assert shorten(text, budget, "a1111", "sd15") == expected


def test_scores_say_what_goes_first() -> None:
    text = "a lynx, sharp focus, snow"
    assert [span.of(text) for span in tag_spans(analyze(text, "a1111", "sd15").usage)] == ["a lynx", "sharp focus", "snow"]
    assert shorten(text, 5, model="sd15", scores=[3, 1, 2]) == Shortened("a lynx, snow", ("sharp focus",))
    assert shorten(text, 2, model="sd15", scores=[1, 1, 2]) == Shortened("snow", ("a lynx", "sharp focus"))


@pytest.mark.parametrize("budget", [0, -1, True, 2.5])
def test_a_budget_is_a_whole_number(budget: int) -> None:
    with pytest.raises(OptionError, match="budget must be a whole number"):
        shorten("a cat", budget)


def test_scores_are_as_many_as_the_tags() -> None:
    with pytest.raises(OptionError, match="each of the 2 tags, not 3"):
        shorten("a, b", 1, scores=[1, 2, 3])


@LIGHT
@given(prompt=PROMPTS, budget=st.integers(1, 40), host=st.sampled_from(["a1111", "comfyui", "diffusers", "kohya"]))
def test_what_is_said_to_fit_does(prompt: str, budget: int, host: str) -> None:
    done = shorten(prompt, budget, host, "sdxl")
    uses = analyze(done.text, host, "sdxl").usage.encoders
    if done.fits:
        assert max(use.used + use.lost_count for use in uses) <= budget
    assert bool(done.dropped) == (done.text != prompt)
