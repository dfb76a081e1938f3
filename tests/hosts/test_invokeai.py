"""InvokeAI: compel without truncation, and a tokenizer that finds special tokens in any case."""

from __future__ import annotations

import pytest
from windows import said, sizes, use, weighed, words

from promptlens import analyze
from promptlens.errors import OptionError

END = 49407


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        pytest.param("a cat++ (on a mat)0.5", "a · cat 1.21 · on a mat 0.5", id="compel's weights"),
        pytest.param("(word:1.2)", "word : 1 . 2", id="not AUTOMATIC1111's"),
        pytest.param('("a", "b").and()', "a | b", id="a conjunction"),
    ],
)
def test_syntax_is_compels(prompt: str, text: str) -> None:
    assert weighed(use(prompt, "invokeai")) == text


@pytest.mark.parametrize("encoder", [0, 1])
def test_windows_end_after_sentences(encoder: int) -> None:
    got = use(f"{words(30)}. {words(30)}, {words(30)}", "invokeai", "sdxl", encoder)
    assert sizes(got) == "31|61"
    assert (got.shown_count, got.lost) == (92, ())


@pytest.mark.parametrize(("model", "encoder"), [("sd15", 0), ("sdxl", 0), ("sdxl", 1)])
def test_special_tokens_are_found_in_any_case(model: str, encoder: int) -> None:
    assert use("a <|EndOfText|> b", "invokeai", model, encoder).chunks[0].ids[:4] == (49406, 320, END, 321)


def test_compel_finds_them_only_where_an_exclamation_mark_pads() -> None:
    assert END not in use("a <|EndOfText|> b", "compel").chunks[0].ids[1:9]


def test_an_exclamation_mark_is_special_for_the_second_encoder() -> None:
    assert said(use("wow!!!", "invokeai", "sdxl", 0)) == "wow !!!"
    assert said(use("wow!!!", "invokeai", "sdxl", 1)) == "wow ! ! !"


def test_its_errors_are_compels() -> None:
    assert analyze("()", host="invokeai").usage.host_error == "IndexError"
    assert analyze("a\x0b", host="invokeai").usage.host_error == "ParseException"


def test_there_is_nothing_to_set() -> None:
    assert sizes(use("a", "invokeai", truncate_long_prompts=False, split_long_text_mode="SENTENCES")) == "1"
    with pytest.raises(OptionError, match="split_long_text_mode must be one of 'SENTENCES'"):
        analyze("a", host="invokeai", split_long_text_mode="WORDS")
