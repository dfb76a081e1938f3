"""Forge: what it does otherwise than AUTOMATIC1111."""

from __future__ import annotations

import pytest
from windows import said, sizes, use, weighed, words

from promptlens import analyze
from promptlens.errors import UnknownNameError

END = 49407

CHUNKS: dict[str, tuple[str, str, int]] = {
    "75 words are one chunk": (words(75), "75", 75),
    "a comma 15 tokens back takes the words after it along": (f"{words(60)}, {words(20)}", "61|20", 95),
    "a comma at 54 is too far back": (f"{words(54)}, {words(22)}", "75|2", 77),
    "BREAK parts": ("a BREAK b", "1|1", 76),
    "BREAK last adds no chunk": ("a BREAK", "1", 75),
}


@pytest.mark.parametrize(("prompt", "chunks", "shown"), CHUNKS.values(), ids=CHUNKS)
def test_chunks_are_those_of_a1111(prompt: str, chunks: str, shown: int) -> None:
    got = use(prompt, "forge")
    assert sizes(got) == sizes(use(prompt, "a1111")) == chunks
    assert got.shown_count == shown


def test_the_backtrack_is_no_setting() -> None:
    with pytest.raises(UnknownNameError, match="forge: Unknown option 'comma_padding_backtrack'"):
        analyze("a", host="forge", comma_padding_backtrack=10)


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        pytest.param("  a cat \n", "a cat", id="blanks around the prompt"),
        pytest.param("\x85a cat\x1c", "a cat", id="white space only Python knows"),
        pytest.param(" <lora:x:1> a", " a", id="before networks are taken out, not after"),
        pytest.param("# c\n a", "a", id="after comments are taken out"),
    ],
)
def test_white_space_around_the_prompt_is_cut(prompt: str, text: str) -> None:
    assert analyze(prompt, host="forge", model="sd15").usage.lines[0].text == text


@pytest.mark.parametrize(
    ("model", "encoder", "text"),
    [
        pytest.param("sd15", 0, "wow !!!", id="one token for SD1"),
        pytest.param("sdxl", 0, "wow !!!", id="and for SDXL's first encoder"),
        pytest.param("sdxl", 1, "wow ! ! !", id="three for its second"),
        pytest.param("sd21", 0, "wow ! ! !", id="three for SD2"),
    ],
)
def test_an_exclamation_mark_is_special_where_its_id_pads(model: str, encoder: int, text: str) -> None:
    got = use("wow!!!", "forge", model, encoder)
    assert said(got) == text
    assert got.chunks[0].ids[-1] == got.encoder.pad


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        pytest.param("R&amp;D", "r & d", id="undone"),
        pytest.param("R&amp;D <b>", "r & amp ; d < b >", id="not beside a sign that could open a tag"),
    ],
)
def test_entities_are_those_of_ftfy_for_every_encoder(prompt: str, text: str) -> None:
    assert said(use(prompt, "forge", "sdxl", 0)) == said(use(prompt, "forge", "sdxl", 1)) == text


def test_an_end_token_in_the_text_blanks_the_rest_of_the_chunk() -> None:
    got = use("cat <|endoftext|> dog", "forge", "sdxl", 1)
    assert got.chunks[0].ids == (49406, 2368, END, *[0] * 74)
    assert [token.piece for token in got.lost] == ["dog</w>"]


def test_without_emphasis_brackets_and_break_are_words() -> None:
    assert weighed(use("(a:1.2) BREAK", "forge", emphasis="None")) == "( a : 1 . 2 ) break"


def test_embeddings_are_found_by_name() -> None:
    got = use("a easynegative b", "forge", embeddings={"easynegative": 8})
    assert (got.used, got.chunks[0].fixes[0].offset, got.chunks[0].fixes[0].vectors) == (10, 1, 8)


def test_sdxl_counts_with_its_first_encoder() -> None:
    both = analyze("wow!!!", host="forge", model="sdxl").usage.encoders
    assert [u.shown_count for u in both] == [2, 4]
