"""diffusers: one window, the rest is lost and named."""

from __future__ import annotations

from typing import Any

import pytest
from windows import said, sizes, use, weighed, words

from promptlens import analyze
from promptlens.hosts.diffusers import _tidied

START, END = 49406, 49407


@pytest.mark.parametrize(
    ("count", "kept", "lost"),
    [
        pytest.param(0, 0, 0, id="nothing"),
        pytest.param(75, 75, 0, id="75 fit"),
        pytest.param(76, 75, 1, id="the 76th is lost"),
        pytest.param(200, 75, 125, id="and all after it"),
    ],
)
def test_one_window_and_the_rest_is_lost(count: int, kept: int, lost: int) -> None:
    got = use(words(count), "diffusers")
    assert got.chunks[0].ids == (START, *[2368] * kept, END, *[END] * (75 - kept))
    assert (len(got.chunks), got.lost_count, len(got.lost), got.shown_count) == (1, lost, lost, count)


def test_the_lost_words_are_named_as_the_warning_names_them() -> None:
    prompt = f"{words(74)} a RED, Fluffy dog"
    got = use(prompt, "diffusers")
    assert [t.span.of(prompt) for t in got.lost] == ["RED", ",", "Fluffy", "dog"]
    assert got.removed_text == "red , fluffy dog"


def test_a_word_may_be_cut_in_two() -> None:
    prompt = f"{words(74)} photogrammetrically"
    got = use(prompt, "diffusers")
    first = got.chunks[0].tokens[-1]
    assert "".join(t.span.of(prompt) for t in [first, *got.lost]) == "photogrammetrically"
    assert {t.word for t in got.lost} == {first.word}


def test_nothing_is_said_of_a_prompt_that_fits() -> None:
    assert use(words(75), "diffusers").removed_text is None


def test_a_negative_prompt_is_cut_without_a_word() -> None:
    got = use(words(80), "diffusers", negative=True)
    assert (got.lost_count, got.removed_text) == (5, None)


@pytest.mark.parametrize(
    ("model", "tokenizer", "removed"),
    [
        pytest.param("sd15", "fast", "it 's red , isn 't it ?", id="the fast tokenizer prints a blank after every word"),
        pytest.param("sd15", "slow", "it 's red , isn 't it ?", id="so does SD1's slow one"),
        pytest.param("sdxl", "fast", "it 's red , isn 't it ?", id="and SDXL's fast one"),
        pytest.param("sdxl", "slow", "it's red, isn 't it?", id="but SDXL's slow one takes some out again"),
    ],
)
def test_the_warning_prints_words_as_its_tokenizer_does(model: str, tokenizer: str, removed: str) -> None:
    for encoder in analyze(f"{words(75)} it's red, isn't it?", "diffusers", model, tokenizer=tokenizer).usage.encoders:
        assert encoder.removed_text == removed


def test_the_slow_tokenizers_blanks_in_order() -> None:
    assert _tidied("a . b ? c ! d , e ' f do n't i 'm it 's we 've they 're x") == "a. b? c! d, e'f don't i'm it's we've they're x"


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        pytest.param("(red:1.2) cat", "( red : 1 . 2 ) cat", id="a weight"),
        pytest.param("a BREAK b AND c", "a break b and c", id="BREAK and AND"),
        pytest.param("<x:1>", "< x : 1 >", id="a network"),
        pytest.param("[a|b]", "[ a | b ]", id="prompt editing"),
        pytest.param("a#b", "a # b", id="a comment"),
    ],
)
def test_all_syntax_is_text(prompt: str, text: str) -> None:
    got = use(prompt, "diffusers")
    assert said(got) == weighed(got) == text


# --- the encoders ---


@pytest.mark.parametrize(
    ("model", "encoder", "pad"),
    [
        pytest.param("sd15", 0, END, id="SD1 pads with its end token"),
        pytest.param("sdxl", 0, END, id="so does SDXL's first tokenizer"),
        pytest.param("sdxl", 1, 0, id="its second pads with 0"),
        pytest.param("sd21", 0, 0, id="so does SD2.1's"),
    ],
)
def test_padding(model: str, encoder: int, pad: int) -> None:
    assert use("cat", "diffusers", model, encoder).chunks[0].ids == (START, 2368, END, *[pad] * 74)


def test_exclamation_marks_are_single_tokens_where_they_pad() -> None:
    assert said(use("wow!!!", "diffusers", "sdxl", 0)) == "wow !!!"
    assert use("wow!!!", "diffusers", "sdxl", 1).chunks[0].ids[1:6] == (use("wow", "diffusers").chunks[0].ids[1], 0, 0, 0, END)
    assert use("wow!!!", "diffusers", "sd21").chunks[0].ids[2:5] == (0, 0, 0)


def test_each_encoder_cuts_on_its_own() -> None:
    prompt = f"{words(70)}!!!!! red blue"
    first, second = analyze(prompt, host="diffusers", model="sdxl").usage.encoders
    assert [t.span.of(prompt) for t in first.lost] == []
    assert [t.span.of(prompt) for t in second.lost] == ["red", "blue"]
    assert (first.removed_text, second.removed_text) == (None, "red blue")
    assert (first.shown_count, second.shown_count) == (73, 77)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        pytest.param({}, "& amp ; c Ā d", id="fast"),
        pytest.param({"ftfy": True}, "& amp ; c Ā d", id="fast, to which ftfy means nothing"),
        pytest.param({"tokenizer": "slow"}, "& amp ; cd", id="slow"),
        pytest.param({"tokenizer": "slow", "ftfy": True}, "& cd", id="slow with ftfy"),
    ],
)
def test_the_tokenizer_is_an_option(options: dict[str, Any], text: str) -> None:
    assert said(use("&amp; c\0d", "diffusers", **options)) == text


@pytest.mark.parametrize(
    ("model", "encoder", "found"),
    [
        pytest.param("sd15", 0, False, id="not by SD1's tokenizer"),
        pytest.param("sdxl", 1, True, id="by SDXL's second"),
    ],
)
def test_a_special_token_in_another_case_is_found(model: str, encoder: int, found: bool) -> None:
    assert (use("a <|EndOfText|>", "diffusers", model, encoder).chunks[0].ids[2] == END) is found


# --- textual inversions are added tokens ---

LOADED = {"easynegative": 8, "bad-hands-5": 1, "<toy>": 2, "<toy>-long": 3, "pair": 2}

ADDED: dict[str, tuple[str, str]] = {
    "ids begin after the vocabulary's": ("easynegative", " ".join(f"<{i}>" for i in range(49408, 49416))),
    "and go on in the order of loading": ("bad-hands-5", "<49416>"),
    "a name is written out": ("a <toy> b", "a <49417> <49418> b"),
    "in any case": ("a <TOY> b", "a <49417> b"),
    "the longer name wins": ("<toy>-long", "<49419> <49420> <49421>"),
    "a name within a word is found": ("my<toy>s", "my <49417> <49418> s"),
    "a name that is a piece of the vocabulary keeps its id": ("a pair", "a pair <49422>"),
    "so it is found in words": ("repair", "re pair <49422>"),
    "a second vector's name is one too": ("easynegative_1", "<49409>"),
    "other words stay as they are": ("toy negative", "toy negative"),
}


@pytest.mark.parametrize(("prompt", "text"), ADDED.values(), ids=ADDED)
def test_added_tokens(prompt: str, text: str) -> None:
    assert said(use(prompt, "diffusers", embeddings=LOADED)) == text


def test_added_tokens_fill_the_window() -> None:
    prompt = f"{words(70)} easynegative dog"
    got = use(prompt, "diffusers", embeddings=LOADED)
    assert sizes(got) == "75"
    assert [t.span.of(prompt) for t in got.lost] == ["easynegative"] * 3 + ["dog"]
    assert got.removed_text == "easynegative_5easynegative_6easynegative_7dog"
