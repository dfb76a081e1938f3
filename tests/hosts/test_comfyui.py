"""ComfyUI: weights, groups that move or are cut, and embeddings looked up by file."""

from __future__ import annotations

import math
from typing import Any

import pytest
from windows import said, sizes, use, weighed, words

from promptlens import analyze

SHARED_END = 49407

WEIGHTS: dict[str, tuple[str, str]] = {
    "round brackets weigh 1.1": ("a (red) cat", "a · red 1.1 · cat"),
    "nested ones multiply": ("((x))", "x 1.21"),
    "a number replaces the weight so far": ("((a:1.5) b:0.5)", "a 1.5 · b 0.5"),
    "brackets in a number multiply it": ("((a) b:0.5)", "a 0.55 · b 0.5"),
    "a power of ten is a number": ("(x:1e2)", "x 100"),
    "infinity is a number": ("(x:inf)", "x inf"),
    "so is no number": ("(x:nan)", "x nan"),
    "a negative one": ("(x:-1)", "x -1"),
    "blanks around it": ("(x: 1.3 )", "x 1.3"),
    "an underscore in it": ("(x:1_0)", "x 10"),
    "a word is not": ("(x:abc)", "x : abc 1.1"),
    "two points are not": ("(x:1.2.3)", "x : 1 . 2 . 3 1.1"),
    "the colon must not come first": ("(:1.2)", ": 1 . 2 1.1"),
    "the last colon counts": ("(a:1.2:1.3)", "a : 1 . 2 1.3"),
    "empty brackets are nothing": ("a () b", "a b"),
    "a bracket left open makes all that follows text": ("(unbalanced (b:1.2) c", "( un balanced ( b : 1 . 2 ) c"),
    "what came before it keeps its weight": ("(a:1.2) (b", "a 1.2 · ( b"),
    "a closing bracket alone is text": ("a) b", "a ) b"),
    "escaped brackets are text": (r"\(a:1.2\) b", "( a : 1 . 2 ) b"),
    "an escaped square bracket keeps its backslash": (r"\[a", "\\ [ a"),
    "square brackets are text": ("[a]", "[ a ]"),
    "NUL and SOH are its own code for a closing bracket": ("a\0\1b", "a ) b"),
    "NUL and STX for an opening one": ("a\0\2b", "a ( b"),
    "words beside brackets are read apart": ("house(boat)s", "house · boat 1.1 · s"),
}


@pytest.mark.parametrize(("prompt", "text"), WEIGHTS.values(), ids=WEIGHTS)
def test_weights(prompt: str, text: str) -> None:
    assert weighed(use(prompt, "comfyui")) == text


def test_infinite_and_undefined_weights_are_kept() -> None:
    assert use("(x:inf)", "comfyui").chunks[0].weights[1] == math.inf
    assert math.isnan(use("(x:nan)", "comfyui").chunks[0].weights[1])


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        pytest.param("a BREAK b", "a break b", id="BREAK"),
        pytest.param("a AND b", "a and b", id="AND"),
        pytest.param("a <x:1>", "a < x : 1 >", id="a network"),
        pytest.param("a #b", "a # b", id="a comment"),
        pytest.param("{a|b}", "{ a | b }", id="a choice"),
        pytest.param("[a:b:0.5]", "[ a : b : 0 . 5 ]", id="prompt editing"),
        pytest.param("pair", "pair", id="a plain embedding's name"),
    ],
)
def test_other_syntax_is_text(prompt: str, text: str) -> None:
    got = analyze(prompt, host="comfyui", model="sd15", embeddings={"pair": 2}).usage
    assert len(got.lines) == 1
    assert said(got.encoders[0]) == text


# --- groups ---

GROUPS: dict[str, tuple[str, str]] = {
    "nothing is one empty chunk": ("", "0"),
    "75 words are one chunk": (words(75), "75"),
    "a plain prompt is one group, cut anywhere": (words(160), "75|75|10"),
    "also within a word": (f"{words(74)} photogrammetrically", "75|3"),
    "a group of seven moves on whole": (f"{words(70)} ({words(7)}:1.2)", "70|7"),
    "and what follows it goes with it": (f"{words(70)} ({words(7)}:1.2) cat", "70|8"),
    "a group of eight is cut": (f"{words(70)} ({words(8)}:1.2) cat", "75|4"),
    "a group that just fits stays": (f"{words(70)} ({words(5)}:1.2)", "75"),
    "a small group at the very edge moves on": (f"{words(75)} (cat:1.2)", "75|1"),
    "a comma moves nothing": (f"{words(60)}, {words(20)}", "75|6"),
}


@pytest.mark.parametrize(("prompt", "chunks"), GROUPS.values(), ids=GROUPS)
def test_groups(prompt: str, chunks: str) -> None:
    got = use(prompt, "comfyui")
    assert sizes(got) == chunks
    assert got.shown_count is None
    assert got.lost == ()


WORDS: dict[str, tuple[str, str]] = {
    "a word and its comma moved on together": (f"{words(75)}, cat on mat", "74|5"),
    "a word of many tokens moved on whole": (f"{words(74)} photogrammetrically", "74|4"),
    "a newline parted words": (f"{words(75)}\ncat", "75|1"),
    "a weight's words moved apart": (f"{words(70)} ({words(7)}:1.2)", "75|2"),
    "a word of eight tokens was cut": (f"{words(74)} {'1' * 8}", "75|7"),
}


@pytest.mark.parametrize(("prompt", "chunks"), WORDS.values(), ids=WORDS)
def test_groups_were_words_before_december_2024(prompt: str, chunks: str) -> None:
    assert sizes(use(prompt, "comfyui", grouping="word")) == chunks


# --- embeddings ---

FILES = {"easynegative": 8, "pair.safetensors": 2, "bad prompt": 4, "sub/inner": 5, "other.pt": 3, "a,": 1}

EMBEDDED: dict[str, tuple[str, str]] = {
    "a file's vectors": ("embedding:pair", "<-1> <-1>"),
    "after a blank": ("a embedding:pair b", "a <-1> <-1> b"),
    "after a newline": ("a\nembedding:pair", "a <-1> <-1>"),
    "not after a comma": ("cat,embedding:pair", "cat , embed ding : pair"),
    "within brackets": ("(embedding:pair:1.2)", "<-1> <-1>"),
    "with its extension": ("embedding:other.pt", "<-1> <-1> <-1>"),
    "not with another": ("embedding:other.safetensors a", "a"),
    "in a folder": ("embedding:sub/inner", "<-1> <-1> <-1> <-1> <-1>"),
    "in a folder not named": ("embedding:inner", "<-1> <-1> <-1> <-1> <-1>"),
    "never outside the folder": ("embedding:../pair a", "a"),
    "not even back into it": ("embedding:sub/../../pair a", "a"),
    "out of a folder in it and back": ("embedding:../sub/inner", "<-1> <-1> <-1> <-1> <-1>"),
    "by way of a folder in it": ("embedding:sub/../pair a", "<-1> <-1> a"),
    "not by its place on the disk": ("embedding:/pair a", "a"),
    "in its own case": ("embedding:Pair a", "a"),
    "a comma after it is text": ("embedding:pair, a", "<-1> <-1> , a"),
    "a comma in the file's name is not": ("embedding:a, b", "<-1> b"),
    "a file that is not there is dropped": ("a embedding:nothing b", "a b"),
    "a weight without brackets is part of the name": ("embedding:pair:1.2 a", "a"),
    "a blank ends the name": ("embedding:bad prompt", "prompt"),
}


@pytest.mark.parametrize(("prompt", "text"), EMBEDDED.values(), ids=EMBEDDED)
def test_embeddings(prompt: str, text: str) -> None:
    assert said(use(prompt, "comfyui", embeddings=FILES)) == text


def test_an_embedding_has_the_weight_of_its_brackets() -> None:
    assert weighed(use("a (embedding:pair:1.2)", "comfyui", embeddings=FILES)) == "a · <-1> <-1> 1.2"


def test_a_missing_embedding_is_named() -> None:
    prompt = "a embedding:nothing b"
    removed = analyze(prompt, host="comfyui", embeddings=FILES).usage.removed
    assert [(f.kind, f.text, f.span.of(prompt)) for f in removed] == [("missing", "nothing", "embedding:nothing")]


@pytest.mark.parametrize(
    ("prompt", "chunks"),
    [
        pytest.param(f"{words(70)} embedding:easynegative", "75|3", id="eight vectors are cut"),
        pytest.param(f"{words(74)} embedding:pair", "74|2", id="fewer move on whole"),
    ],
)
def test_vectors_count_as_tokens_of_a_group(prompt: str, chunks: str) -> None:
    assert sizes(use(prompt, "comfyui", embeddings=FILES)) == chunks


@pytest.mark.parametrize("prompt", ["embedding:", "a embedding:", "(embedding: :1.2)"])
def test_an_embedding_without_a_name_stops_the_host(prompt: str) -> None:
    usage = analyze(prompt, host="comfyui").usage
    assert usage.host_error == "IndexError"
    assert usage.failure is not None
    assert usage.failure.span.of(prompt).startswith("embedding:")


# --- the encoders and their tokenizers ---


@pytest.mark.parametrize(
    ("model", "encoder", "pad"),
    [
        pytest.param("sd15", 0, SHARED_END, id="SD1 pads with its end token"),
        pytest.param("sdxl", 0, SHARED_END, id="so does SDXL's first encoder"),
        pytest.param("sdxl", 1, 0, id="its second pads with 0"),
        pytest.param("sd21", 0, 0, id="so does SD2"),
    ],
)
def test_an_empty_prompt_is_padding(model: str, encoder: int, pad: int) -> None:
    assert use("", "comfyui", model, encoder).chunks[0].ids == (49406, SHARED_END, *[pad] * 75)


def test_both_encoders_get_the_same_words() -> None:
    """The second encoder's tokenizer is the first one's: "!" is not special although 0 pads."""
    assert said(use("wow!!!", "comfyui", "sdxl", 1)) == said(use("wow!!!", "comfyui", "sdxl", 0)) == "wow !!!"


@pytest.mark.parametrize(
    ("options", "text"),
    [
        pytest.param({}, "& amp ; æĹ¥ æľ ¬ ab", id="slow without ftfy, ComfyUI's own requirements"),
        pytest.param({"ftfy": True}, "& æĹ¥ æľ ¬ a âĢĭ b", id="slow with ftfy"),
        pytest.param({"tokenizer": "fast"}, "& amp ; æĹ¥ æľ ¬ a âĢĭ b", id="fast"),
        pytest.param({"tokenizer": "fast", "ftfy": True}, "& amp ; æĹ¥ æľ ¬ a âĢĭ b", id="fast, to which ftfy means nothing"),
    ],
)
def test_what_is_installed_beside_it_changes_how_text_is_cleaned(options: dict[str, Any], text: str) -> None:
    assert said(use("&amp; 日本 a\u200bb", "comfyui", **options)) == text


def test_ideographs_are_words_of_their_own_without_ftfy() -> None:
    ends = [use("日本", "comfyui", ftfy=ftfy).tokens[0].piece.endswith("</w>") for ftfy in (False, True)]
    assert ends == [True, False]


# --- places ---


@pytest.mark.parametrize(
    ("prompt", "under"),
    [
        pytest.param("a (red:1.2) cat", ["a", "red", "cat"], id="brackets and weights are nobody's"),
        pytest.param(r"\(a\)", [r"\(", "a", r"\)"], id="an escaped bracket brings its backslash"),
        pytest.param("a embedding:pair, b", ["a", *["embedding:pair"] * 2, ",", "b"], id="vectors cover the name"),
        pytest.param("((ﬁre:2)) x", ["ﬁ"] * 3 + ["re", "x"], id="letters of one character share it"),
    ],
)
def test_tokens_know_their_places(prompt: str, under: list[str]) -> None:
    assert [t.span.of(prompt) for t in use(prompt, "comfyui", embeddings=FILES).tokens] == under
