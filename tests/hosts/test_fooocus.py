"""Fooocus: lines encoded apart, what is taken out or worked out before, and groups that are words."""

from __future__ import annotations

from typing import Any

import pytest
from windows import said, sizes, use, weighed, words

from promptlens import analyze


def texts(prompt: str, **options: Any) -> list[str]:
    return [line.text for line in analyze(prompt, host="fooocus", model="sdxl", **options).usage.lines]


LINES: dict[str, tuple[str, list[str]]] = {
    "one line": ("a cat", ["a cat"]),
    "each line is a text": ("a\nb\n\nc", ["a", "b", "c"]),
    "runs of blanks are one": ("a  b\n c   d ", ["a b", "c d"]),
    "commas, points and blanks are trimmed": (", a. \n.b,", ["a", "b"]),
    "only the first is joined again at its commas": ("a,b ,,c\nd,e", ["a, b, c", "d,e"]),
    "Python's other line ends count": ("a\x0bb\x85c\u2028d", ["a", "b", "c", "d"]),
    "nothing is one empty text": ("", [""]),
    "LoRAs go from the first line": ("a <lora:x:0.5> b\n<lora:y:1>", ["a b", "<lora:y:1>"]),
    "whatever is in their names": ("<lora:a b:+.5>c", ["c"]),
    "not without a weight": ("<lora:x> a", ["<lora:x> a"]),
    "within other brackets": ("<<lora:x:1>>", ["<>"]),
    "a line of nothing else goes": ("<lora:x:1>\nb", ["b"]),
    "unless it is the only one": ("<lora:x:1>", [""]),
    "a missing wildcard is its name": ("a __knight__\n__b-c__", ["a knight", "b-c"]),
    "also within another": ("____x____", ["x"]),
    "not with other characters": ("__a/b__", ["__a/b__"]),
    "the first item of an array": ("[[red,blue]] [[a, b]] cat", ["red a cat"]),
    "arrays only in the first line": ("a\n[[b,c]]", ["a", "[[b,c]]"]),
}


@pytest.mark.parametrize(("prompt", "lines"), LINES.values(), ids=LINES)
def test_lines(prompt: str, lines: list[str]) -> None:
    assert texts(prompt) == lines


@pytest.mark.parametrize(
    ("image", "text"),
    [(0, "a c x"), (1, "b c x"), (2, "a d x"), (3, "b d x"), (4, "a e x"), (5, "b e x"), (6, "a c x")],
)
def test_arrays_take_turns(image: int, text: str) -> None:
    assert [line.split() for line in texts("[[a,b]] [[c,d,e]] x", image=image)] == [text.split()]


def test_the_encoders_get_all_lines_in_turn() -> None:
    usage = analyze(f"{words(76)}\ndog", host="fooocus", model="sdxl").usage
    assert [sizes(use) for use in usage.encoders] == ["75|1|1"] * 2
    assert [sizes(line.encoders[0]) for line in usage.lines] == ["75|1", "1"]
    assert [line.parsed.label for line in usage.lines] == ["line 1", "line 2"]
    assert usage.counted_lines == (0, 1)
    assert [token.span.of(usage.prompt) for token in usage.encoders[0].tokens[-2:]] == ["cat", "dog"]


def test_what_is_taken_out_is_named() -> None:
    prompt = "a <lora:x:1>, b <lora:y:.5>"
    removed = analyze(prompt, host="fooocus").usage.removed
    assert [(f.kind, f.span.of(prompt)) for f in removed] == [("network", "<lora:x:1>"), ("network", "<lora:y:.5>")]


def test_tokens_are_found_in_what_was_typed() -> None:
    prompt = "a,  <lora:x:1> big__cat__  ,b"
    tokens = use(prompt, "fooocus", "sdxl").tokens
    assert [token.span.of(prompt) for token in tokens] == ["a", ",  <lora:x:1> ", "big", "cat", "  ,", "b"]


GROUPS: dict[str, tuple[str, str]] = {
    "a word and its comma move on together": (f"{words(75)}, cat on mat", "74|5"),
    "a word of many tokens moves on whole": (f"{words(74)} photogrammetrically", "74|4"),
    "a word of eight tokens is cut": (f"{words(74)} {'1' * 8}", "75|7"),
}


@pytest.mark.parametrize(("prompt", "chunks"), GROUPS.values(), ids=GROUPS)
def test_groups_are_words(prompt: str, chunks: str) -> None:
    assert sizes(use(prompt, "fooocus", "sdxl")) == chunks


WEIGHTS: dict[str, tuple[str, str]] = {
    "a number replaces the weight so far": ("((a:1.5) b:0.5)", "a 1.5 · b 0.5"),
    "an unclosed bracket is text": ("(a:1.2) (b", "a 1.2 · ( b"),
    "BREAK is a word": ("a BREAK b", "a break b"),
}


@pytest.mark.parametrize(("prompt", "text"), WEIGHTS.values(), ids=WEIGHTS)
def test_weights(prompt: str, text: str) -> None:
    assert weighed(use(prompt, "fooocus", "sdxl")) == text


def test_embeddings_are_files() -> None:
    files = {"pair.safetensors": 2, "sub/inner": 5}
    assert said(use("a embedding:pair, embedding:inner", "fooocus", "sdxl", embeddings=files)) == "a <-1> <-1> , <-1> <-1> <-1> <-1> <-1>"
    prompt = "a embedding:nothing b"
    usage = analyze(prompt, host="fooocus", embeddings=files).usage
    assert said(usage.encoders[0]) == "a b"
    assert [(f.kind, f.span.of(prompt)) for f in usage.removed] == [("missing", "embedding:nothing")]


def test_the_second_encoder_is_padded_with_0() -> None:
    assert use("cat!!!", "fooocus", "sdxl", 1).chunks[0].ids[:6] == (49406, 2368, 995, 49407, 0, 0)
