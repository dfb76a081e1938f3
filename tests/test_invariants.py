"""What must hold for any text in any host: no exception, nothing vanishes, every chunk fits, spans are in order.

`HYPOTHESIS_PROFILE=thorough` runs 20,000 examples for each host and build; the default is a quick sample.
"""

from __future__ import annotations

import itertools
import json
import math
import os
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from promptlens import HOSTS, analyze
from promptlens.cleaning import CLEANINGS, clean, clean_text
from promptlens.hosts import EncoderUse
from promptlens.report import Report
from promptlens.tokens import Reading, tokenizer

settings.register_profile(
    "quick", max_examples=60, deadline=None, derandomize="CI" in os.environ, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("thorough", max_examples=20_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

# Every way a host can be set to read text.
CASES: list[tuple[str, dict[str, Any]]] = [
    ("a1111", {}),
    ("a1111", {"emphasis": "None", "comma_padding_backtrack": 0}),
    ("a1111", {"embeddings": {"easynegative": 8, "huge": 80, "pair": 2}}),
    ("comfyui", {}),
    ("comfyui", {"ftfy": True}),
    ("comfyui", {"tokenizer": "fast"}),
    ("comfyui", {"grouping": "word"}),
    ("comfyui", {"embeddings": {"easynegative": 8, "sub/huge": 80, "pair": 2}}),
    ("diffusers", {}),
    ("diffusers", {"tokenizer": "slow"}),
    ("diffusers", {"tokenizer": "slow", "ftfy": True}),
    ("diffusers", {"embeddings": {"easynegative": 8, "pair": 2, "pair-long": 3}}),
]
CASES += [(name, {}) for name in HOSTS if name not in {"a1111", "comfyui", "diffusers"}]

# Bits that mean something to some host, between arbitrary text.
BITS = st.sampled_from(
    [
        *("(", ")", "[", "]", ":1.2)", ":", "\\", "BREAK", " AND ", "<lora:x:1>", "# c\n", "\n", ",", ", ", "word " * 40, "a, " * 30),
        *("embedding:pair", "easynegative", "huge", "[a:b:0.5]", "[a|b]", "|", "<|endoftext|>", "<end_of_text>", "!"),
        *("&amp;", "&", "<", "\u200b", "\u0301", "日本", "👨\u200d👩\u200d👧", "İ", "Σ", "ﬁ", "Ã©", "\x00", "\x00\x01"),
        *("++", '("a", "b").and()', ".blend(1, 1)", "__wild__", "[[a, b]]"),
    ]
)
PROMPTS = st.one_of(st.text(max_size=60), st.lists(st.one_of(BITS, st.text(max_size=6)), max_size=14).map("".join))


def word_ranges(words: list[int]) -> list[tuple[int, int]]:
    """Of each token or piece, the first of its word and the first after it."""
    return [(words.index(word), words.index(word) + words.count(word)) for word in words]


def check_use(prompt: str, use: EncoderUse) -> None:
    tokens = use.tokens
    reached = [t for chunk in use.chunks for t in chunk.tokens]
    assert len(reached) + len(use.lost) == len(tokens)
    assert sorted(map(id, [*reached, *use.lost])) == sorted(map(id, tokens))  # each token once, here or lost
    for before, after in itertools.pairwise(tokens):
        assert before.span.start <= after.span.start
        assert before.span.end <= after.span.end
        assert before.word <= after.word
    for token in tokens:
        assert 0 <= token.span.start <= token.span.end <= len(prompt)
        assert token.span.start < token.span.end or not prompt.strip(), "a token comes from some text (sd_embed reads nothing as 'empty')"
    assert [use.place(n) for n in range(len(tokens))] == [token.span for token in tokens]
    if use.stream is not None:
        assert [use.stream.word(n) for n in range(len(tokens))] == word_ranges([token.word for token in tokens])
    assert all(use.tokens_before(at) == sum(token.span.start < at for token in tokens) for at in range(0, len(prompt) + 2, 7))
    for chunk in use.chunks:
        assert len(chunk.ids) == len(chunk.weights)
        assert chunk.lead == 0 if use.encoder.bos is None else chunk.ids[0] == use.encoder.bos
        assert use.encoder.eos in chunk.ids
        content = chunk.ids[chunk.lead : chunk.lead + chunk.used]
        assert content == tuple(t.id for t in chunk.tokens)
        assert all(a == b.weight or math.isnan(a) for a, b in zip(chunk.weights[chunk.lead :], chunk.tokens, strict=False))


def check(report: Report, *, overlong: bool = False) -> None:
    usage = report.usage
    for line in usage.lines:
        for use in line.encoders:
            check_use(usage.prompt, use)
            assert all(overlong or chunk.used <= use.encoder.capacity for chunk in use.chunks)
            assert bool(use.chunks) != bool(usage.failure)
    json.dumps(report.to_dict(), allow_nan=False)


@pytest.mark.parametrize(("host", "options"), CASES, ids=[f"{h}-{'-'.join(map(str, o)) or 'default'}" for h, o in CASES])
@given(prompt=PROMPTS)
@example(prompt="")
@example(prompt="a\u0345b")
@example(prompt="(x:1.2.3)")
@example(prompt="[a:b:1e999]")
@example(prompt="embedding:")
@example(prompt="\ud800 lone surrogate")
def test_nothing_vanishes_and_everything_fits(host: str, options: dict[str, Any], prompt: str) -> None:
    model = "sdxl"
    report = analyze(prompt, host=host, model=model, **options)
    # an embedding of more than 75 vectors makes a chunk that no encoder can take: the web UIs send it all the same
    check(report, overlong="huge" in options.get("embeddings", {}))
    assert analyze(prompt, host=host, model=model, **options).to_dict() == report.to_dict()


@pytest.mark.parametrize("cleaning", CLEANINGS)
@given(prompt=PROMPTS)
@example(prompt="\u03a3\u0391\u03a3 \u0130")
def test_both_ways_of_cleaning_agree(cleaning: str, prompt: str) -> None:
    assert clean(prompt, cleaning).text == clean_text(prompt, cleaning)


@pytest.mark.parametrize("cleaning", CLEANINGS)
@pytest.mark.parametrize("bang", [False, True])
@given(prompt=PROMPTS)
def test_ids_counts_and_pieces_agree(cleaning: str, bang: bool, prompt: str) -> None:
    build = tokenizer(Reading(cleaning, bang))
    ids = build.encode(prompt)
    assert [p.id for p in build.pieces(prompt)] == ids
    assert build.count(prompt) == len(ids)


@pytest.mark.parametrize("cleaning", CLEANINGS)
@given(prompt=PROMPTS)
def test_a_piece_that_is_found_by_its_word_is_the_same_as_among_all(cleaning: str, prompt: str) -> None:
    build = tokenizer(Reading(cleaning))
    words, pieces = build.words(prompt), build.pieces(prompt)
    assert words is not None or not prompt.isascii() or "<" in prompt or "&" in prompt or not prompt.isprintable()
    if words is not None:
        assert [words.place(n) for n in range(len(pieces))] == [(piece.start, piece.end) for piece in pieces]
        assert [words.word(n) for n in range(len(pieces))] == word_ranges([piece.word for piece in pieces])
