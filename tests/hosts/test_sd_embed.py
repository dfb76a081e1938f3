"""sd_embed: groups of 75, padded to the other prompt's length."""

from __future__ import annotations

import pytest
from windows import said, use, weighed, words

from promptlens import analyze

END = 49407

WEIGHTS: dict[str, tuple[str, str]] = {
    "as in AUTOMATIC1111": ("a (red:1.3) [cat]", "a · red 1.3 · cat 0.9091"),
    "no blank before a number": ("(x: 1.3)", "x : 1 . 3 1.1"),
    "BREAK is a word of weight -1": ("a BREAK b", "a · break -1 · b"),
    "AND and prompt editing are text": ("a AND [b:c:0.5]", "a and · b : c : 0 . 5 0.9091"),
    "an empty prompt is the word empty": ("", "empty"),
}


@pytest.mark.parametrize(("prompt", "text"), WEIGHTS.values(), ids=WEIGHTS)
def test_weights(prompt: str, text: str) -> None:
    assert weighed(use(prompt, "sd_embed")) == text


def test_the_word_empty_has_no_place_in_the_prompt() -> None:
    assert [token.span.of("") for token in use("", "sd_embed").tokens] == [""]


# prompt, length of each chunk with SD1, and with SDXL
LENGTHS: dict[str, tuple[str, list[int], list[int]]] = {
    "the last group is as long as it needs": (words(6), [8], [77]),
    "75 are one group": (words(75), [77], [77]),
    "cut anywhere": (f"{words(60)}, {words(20)}", [77, 8], [77, 77]),
    "nothing is as long as the negative prompt's one word": (" ", [3], [77]),
}


@pytest.mark.parametrize(("prompt", "sd15", "sdxl"), LENGTHS.values(), ids=LENGTHS)
def test_lengths(prompt: str, sd15: list[int], sdxl: list[int]) -> None:
    assert [len(chunk.ids) for chunk in use(prompt, "sd_embed").chunks] == sd15
    for encoder in (0, 1):
        assert [len(chunk.ids) for chunk in use(prompt, "sd_embed", "sdxl", encoder).chunks] == sdxl


def test_both_encoders_of_sdxl_are_padded_with_end_tokens() -> None:
    for encoder in (0, 1):
        assert use("cat", "sd_embed", "sdxl", encoder).chunks[0].ids == (49406, 2368, *[END] * 75)


def test_pad_last_block_fills_the_last_group() -> None:
    assert use("cat", "sd_embed", pad_last_block=True).chunks[0].ids == (49406, 2368, *[END] * 75)
    assert use("cat", "sd_embed", "sdxl", pad_last_block=False).chunks[0].ids == (49406, 2368, END)


def test_a_longer_negative_prompt_pads() -> None:
    got = use("cat", "sd_embed", negative_prompt=words(77))
    assert [len(chunk.ids) for chunk in got.chunks] == [77, 4]
    assert set(got.chunks[1].ids[1:]) == {END}
    assert got.shown_count == 1


def test_groups_that_only_the_second_tokenizer_makes_are_never_encoded() -> None:
    """It encodes as many groups as the first tokenizer made: "!" is a token each to the second alone."""
    prompt = f"{words(73)} wow!!!"
    first, second = analyze(prompt, host="sd_embed", model="sdxl").usage.encoders
    assert [chunk.used for chunk in first.chunks] == [75]
    assert [chunk.used for chunk in second.chunks] == [75, 0]
    assert second.chunks[1].ids[:4] == (49406, 0, 0, END)
    assert [token.piece for token in second.lost] == ["!", "!"]


def test_fewer_groups_for_the_second_encoder_stop_the_host() -> None:
    """Only the second tokenizer finds a special token in any case, and makes one token of it."""
    usage = analyze(f"{words(74)} <|EndOfText|>", host="sd_embed", model="sdxl").usage
    assert usage.host_error == "IndexError"


def test_two_prompts_without_a_token_stop_the_host() -> None:
    assert analyze(" ", host="sd_embed", negative_prompt=" ").usage.host_error == "RuntimeError"


@pytest.mark.parametrize("prompts", [("(x:1.2.3)", ""), ("cat", "(x:1.2.3)")])
def test_a_weight_that_is_no_number_stops_the_host(prompts: tuple[str, str]) -> None:
    assert analyze(prompts[0], host="sd_embed", negative_prompt=prompts[1]).usage.host_error == "ValueError"


def test_tokenizers_of_transformers_4() -> None:
    assert said(use("&amp;", "sd_embed", tokenizer="slow", ftfy=True)) == "&"
    assert said(use("&amp;", "sd_embed")) == "& amp ;"
