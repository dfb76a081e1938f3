"""The page of influence: what it says in words, at any width, without colour and without Unicode, and as records."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sharing_fake import sd1, sdxl

from promptlens.influences import influence, similarity
from promptlens.influences._page import page
from promptlens.influences._similarity_page import similarity_page
from promptlens.render._runs import plain
from promptlens.render._table import written
from promptlens.render.full import drawer
from promptlens.spans import cell_width
from promptlens.terminal import Screen

PROMPT = 'a (red:1.2) [cat], 🦊 "q", 東京の夜景, supercalifragilisticexpialidocious, שלום'


def lines(found: Any, width: int = 80, **options: Any) -> list[str]:
    return [plain(row).rstrip() for row in page(found, width, **options)]


@pytest.mark.parametrize("width", [24, 40, 60, 80, 120])
@pytest.mark.parametrize("unit", ["word", "tag"])
def test_every_line_fits_and_no_figure_is_cut_short(width: int, unit: Any) -> None:
    found = influence(PROMPT, "a1111", "sdxl", encoders=sdxl(), unit=unit, lens="conditioning", toward="a cat", against="a dog")
    shown = lines(found, width)
    assert max(cell_width(line) for line in shown) <= width
    table = shown[next(n for n, line in enumerate(shown) if line.startswith("#")) :][: 1 + len(found.scores)]
    for line, n in zip(table[1:], found.ranking, strict=True):
        assert f"{found.scores[n]:.4f}" in line
    text = " ".join(" ".join(shown).split())
    for title in ("clip-l", "own", "toward"):
        assert title in table[0] or title in text.partition("No room for ")[2], "what is left out is named"
    assert ("No room for" in text) == (width < 120)


def test_what_does_nothing_is_said_in_words_and_tokens() -> None:
    found = influence(" ".join(["cat"] * 75 + ["artstation", "words"]), "diffusers", "sd15", encoders=sd1())
    text = " ".join(" ".join(lines(found)).split())
    quiet = [n for n, score in enumerate(found.scores) if score <= found.noise_floor]
    assert {75, 76} <= set(quiet)
    assert found.tokens[75:] == (2, 1)
    assert f"These {len(quiet)} words do nothing measurable: {sum(found.tokens[n] for n in quiet)} tokens" in text
    assert "Of these, 2 never reach the encoder." in text
    assert "It says nothing certain about the picture." in text
    one = influence(" ".join(["cat"] * 75 + ["lost"]), "diffusers", "sd15", encoders=sd1())
    assert "Of these, 1 never reaches the encoder." in lines(one)


@pytest.mark.parametrize("prompt", ["", ",", "( )", "\n"])
def test_a_prompt_without_words_says_so(prompt: str) -> None:
    found = influence(prompt, "diffusers", "sd15", encoders=sd1())
    assert lines(found)[-1] == "There is no word in this prompt to take out."
    assert not any("strongest" in line or line.startswith("#") for line in lines(found))


def test_marks_stand_under_their_words_and_say_it_without_colour() -> None:
    found = influence("a red cat, oil painting", "a1111", "sd15", encoders=sd1())
    shown = lines(found)
    prompt, marks = (line.ljust(40) for line in shown[2:4])
    assert prompt.strip() == "a red cat, oil painting"
    for n, span in enumerate(found.spans):
        under = {marks[2 + at] for at in range(span.start, span.end)}
        assert len(under) == 1
        assert under <= set("123456789·")
        assert (under == {"·"}) == found.is_quiet(n)
    assert "9" in marks
    assert not marks[2 + prompt.strip().index(",")].strip()


def test_ascii_screens_get_ascii() -> None:
    found = influence(PROMPT, "a1111", "sd15", encoders=sd1())
    shown = drawer(Screen(80, color=False, ascii=True))(page(found, 80))
    assert shown.isascii()
    assert "#########" in shown
    assert "\\u2588" not in shown


@settings(deadline=None, max_examples=40)
@given(st.text(max_size=40), st.integers(24, 120))
def test_any_prompt_at_any_width(prompt: str, width: int) -> None:
    found = influence(prompt, "a1111", "sd15", encoders=sd1())
    shown = lines(found, width)
    assert max(map(cell_width, shown)) <= width
    assert all(line.isprintable() or any(c in line for c in "\u200c\u200d") or not line.isascii() for line in shown)
    alike = similarity(prompt, "a1111", "sd15", encoders=sd1())
    assert max(cell_width(plain(row).rstrip()) for row in similarity_page(alike, width)) <= width


@pytest.mark.parametrize("lens", ["pooled", "conditioning"])
def test_records_hold_every_value_in_each_format(lens: Any) -> None:
    found = influence(PROMPT, "a1111", "sdxl", encoders=sdxl(), lens=lens, toward="a cat")
    records, screen = found.records(), Screen()
    read = list(csv.DictReader(io.StringIO("".join(written(records, "csv", screen)))))
    as_lines = [json.loads(line) for line in "".join(written(records, "jsonl", screen)).splitlines()]
    assert as_lines == json.loads("".join(written(records, "json", screen))) == records
    assert [row["text"] for row in read] == list(found.labels)
    for n, row in enumerate(read):
        assert float(row["score"]) == found.scores[n]
        assert float(row["noise_floor"]) == found.noise_floor
        assert [int(v) for v in row["span"].split()] == [found.spans[n].start, found.spans[n].end]
    assert ("split_own" in read[0]) == (lens == "conditioning")
