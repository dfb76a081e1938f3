"""Influence over a small numpy encoder: invariants, what is taken out, what is said of moved boundaries, hosts and failures."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sharing_fake import sd1, sdxl

from promptlens import HOSTS, MODELS, conditioning
from promptlens.errors import ConditioningError, OptionError, PromptLensError, WeightsError
from promptlens.influences import influence, similarity
from promptlens.influences._removal import removed_span, without
from promptlens.models import ENCODERS
from promptlens.spans import Span

words = st.lists(st.sampled_from(["cat", "misty", "(glow:1.3)", "oil", "of", "a", ",", "東", "🦊", "8k", "[x]", "BREAK"]), max_size=14)
prompts = words.map(" ".join)


@settings(deadline=None, max_examples=40)
@given(
    prompts,
    st.sampled_from(["a1111", "comfyui", "diffusers"]),
    st.sampled_from(["pooled", "conditioning"]),
    st.sampled_from(["delete", "mask"]),
)
def test_every_number_is_sound_and_the_same_again(text: str, host: str, lens: Any, method: Any) -> None:
    encoders = sd1()
    found = influence(text, host, "sd15", encoders=encoders, lens=lens, method=method)
    again = influence(text, host, "sd15", encoders=encoders, lens=lens, method=method)
    assert found.to_dict() == again.to_dict()
    assert all(score >= -1e-9 or math.isnan(score) for score in found.scores)
    assert [found.labels[n] for n in range(len(found.spans))] == [span.of(text) for span in found.spans]
    assert sorted(found.spans, key=lambda s: s.start) == list(found.spans)
    assert set(found.ranking) == set(range(len(found.scores)))
    ranked = [found.scores[n] for n in found.ranking]
    assert ranked == sorted(ranked, reverse=True)
    for share in found.split:
        if share is not None:
            assert min(share.own, share.later, share.end, share.elsewhere) >= 0
            assert sum((share.own, share.later, share.end, share.elsewhere)) == pytest.approx(1) or not any(
                (share.own, share.later, share.end, share.elsewhere)
            )


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 20), st.integers(0, 19), st.sampled_from(["comfyui", "diffusers", "a1111"]))
def test_a_word_in_the_second_chunk_leaves_the_first_alone(extra: int, at: int, host: str) -> None:
    """Unless its removal moves a boundary: then it is flagged."""
    if host == "diffusers":
        return  # one window, no second chunk
    first, second = ["misty"] * 75, ["castle"] * extra
    text = " ".join(first + second)
    encoders = sd1()
    found = influence(text, host, "sd15", encoders=encoders, lens="conditioning")
    n = 75 + at % extra
    gone = removed_span(text, found.spans[n], found.spans)
    before = conditioning(text, host, "sd15", encoders=encoders).hidden
    after = conditioning(without(text, gone), host, "sd15", encoders=encoders).hidden
    np.testing.assert_array_equal(before[:77], after[:77])
    share = found.split[n]
    assert share is not None
    assert found.moved[n] == (extra == 1)
    if extra > 1:
        assert share.elsewhere == 0
    assert found.moved[0]  # what is taken out of the first makes room for a word of the second


@pytest.mark.parametrize("n", [3, 74, 75, 77], ids=["in the first window", "its last", "the first of the second", "its last, too"])
def test_the_split_finds_its_rows_where_windows_are_joined_into_one(n: int) -> None:
    """kohya: of two windows 152 rows stay, so a word of the second stands two rows further up than its window says."""
    text = " ".join([*["misty"] * 75, "castle", "bird", "hill"])
    options = {"encoders": sd1(), "max_token_length": 150}
    whole = conditioning(text, "kohya", "sd15", **options).hidden  # type: ignore[arg-type]
    found = influence(text, "kohya", "sd15", lens="conditioning", method="mask", **options)  # type: ignore[arg-type]
    share = found.split[n]
    assert len(whole) == 152
    assert share is not None
    assert share.own > 0
    assert (share.later > 0) == (n not in (74, 77))
    assert (share.end > 0) == (n >= 75)  # of a full first window only its words stay
    assert share.elsewhere == 0


@pytest.mark.parametrize(
    ("text", "host", "moved"),
    [
        ("a cat", "a1111", []),
        (" ".join(["cat"] * 75), "comfyui", []),
        (" ".join(["cat"] * 76), "comfyui", list(range(76))),
        ("dog BREAK cat", "a1111", [1]),  # "BREAK cat" is an empty chunk and a second one, "dog BREAK" is one chunk
        ("red dog BREAK a cat", "a1111", []),
    ],
)
def test_a_moved_boundary_is_flagged(text: str, host: str, moved: list[int]) -> None:
    found = influence(text, host, "sd15", encoders=sd1())
    assert [n for n, m in enumerate(found.moved) if m] == moved


def test_words_that_the_encoder_never_reads_do_nothing() -> None:
    found = influence(" ".join(["cat"] * 75 + ["lost", "words"]), "diffusers", "sd15", encoders=sd1(), lens="conditioning")
    assert found.lost == (*[False] * 75, True, True)
    assert found.scores[75:] == (0.0, 0.0)
    assert {75, 76} <= set(found.quiet)


@pytest.mark.parametrize(
    ("text", "word", "left"),
    [
        ("a red cat", "red", "a cat"),
        ("red cat", "red", "cat"),
        ("a red cat", "cat", "a red"),
        ("a, red, cat", "red", "a, cat"),
        ("red, cat", "red", "cat"),
        ("cat, red", "red", "cat"),
        ("a (red:1.2) cat", "red", "a cat"),
        ("a ((red)) cat", "red", "a cat"),
        ("(red cat:1.2)", "red", "( cat:1.2)"),
        ("[red], cat", "red", "cat"),
        ("red", "red", ""),
        ("a\nred\ncat", "red", "a\n\ncat"),
        ("日本 red 🦊", "red", "日本 🦊"),
    ],
)
def test_a_word_goes_with_the_separators_that_only_it_needed(text: str, word: str, left: str) -> None:
    at = text.index(word)
    span = Span(at, at + len(word))
    assert without(text, removed_span(text, span, [span])) == left


def test_without_a_comma_one_is_added_where_the_host_keeps_it() -> None:
    """Fooocus trims the end of a line, so a comma there would seem to do nothing."""
    for host in ("a1111", "fooocus"):
        found = influence("a cat on a mat", host, "sdxl", encoders=sdxl())
        assert found.noise_commas == 0
        assert found.noise_floor > 0
    assert influence("", "a1111", "sd15", encoders=sd1()).scores == ()


@pytest.mark.parametrize("host", list(HOSTS.built_in))
@pytest.mark.parametrize("method", ["delete", "mask"])
def test_the_conditioning_lens_works_for_every_host(host: str, method: Any) -> None:
    found = influence("a red cat, oil painting", host, "sdxl", encoders=sdxl(), lens="conditioning", method=method)
    assert len(found.scores) == 5
    assert min(found.scores) > 0


@pytest.mark.parametrize("host", list(HOSTS))
def test_the_pooled_lens_works_for_every_host(host: str) -> None:
    found = influence("a red cat, oil painting", host, "sdxl", encoders=sdxl())
    assert len(found.scores) == 5
    assert min(found.scores) > 0
    assert list(found.by_encoder) == ["clip-l", "clip-g"]
    assert found.scores[0] == pytest.approx(sum(scores[0] for scores in found.by_encoder.values()) / 2)


def test_a_word_without_which_the_host_fails_has_no_number() -> None:
    """Forge reads each "!" as a token of its own for SDXL's second encoder, and cannot join encoders of different lengths."""
    text = "!" * 76 + " cat"
    with pytest.raises(ConditioningError, match="cannot join"):
        influence(text, "forge", "sdxl", encoders=sdxl(), lens="conditioning")
    assert influence(text, "forge", "sdxl", encoders=sdxl()).scores  # each encoder on its own can be looked at
    text = "cat," * 37 + " BREAK " + " !" * 75 + " (end"
    found = influence(text, "forge", "sdxl", encoders=sdxl(), unit="tag", lens="pooled")
    assert len(found.scores) == len(found.spans)


def test_encoders_that_are_not_run_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model with T5 beside CLIP: the pooled lens looks at CLIP, the tensor of both cannot be made."""
    clip, other = replace(ENCODERS["clip-l"], pooled=True), replace(ENCODERS["clip-l"], name="t5-xxl", vocabulary="t5")
    monkeypatch.setitem(MODELS, "both", replace(MODELS["sd15"], name="both", title="Both", encoders=(clip, other)))
    monkeypatch.setitem(MODELS, "alone", replace(MODELS["sd15"], name="alone", title="Alone", encoders=(other,)))
    from promptlens.influences._reading import run_numbers

    assert run_numbers(MODELS["both"]) == (0,)
    with pytest.raises(ConditioningError, match="Alone reads prompts with t5-xxl alone"):
        influence("a cat", "diffusers", "alone", encoders=sd1())
    with pytest.raises(ConditioningError, match="also receives what t5-xxl makes"):
        conditioning("a cat", "diffusers", "both", encoders=sd1())


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        ({"lens": "sharp"}, OptionError, "lens must be 'pooled' or 'conditioning'"),
        ({"method": "swap"}, OptionError, "method must be"),
        ({"unit": "letter"}, OptionError, "unit must be"),
        ({"model": "sdxl"}, WeightsError, "sdxl needs clip-g"),
        ({"host": "nope"}, PromptLensError, "Unknown host 'nope'"),
        ({"host": "fooocus", "lens": "conditioning"}, ConditioningError, "Fooocus runs SDXL and its kin alone"),
    ],
)
def test_wrong_use_says_the_way_out(call: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        influence("a cat", **{"host": "a1111", "model": "sd15", "encoders": sd1(), **call})


def test_progress_reaches_its_end() -> None:
    told: list[tuple[int, int]] = []
    influence("a red cat", "a1111", "sdxl", encoders=sdxl(), lens="conditioning", progress=lambda done, of: told.append((done, of)))
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1]


def test_similarity_is_symmetric_and_one_with_itself() -> None:
    found = similarity("a red cat, 東, (glow:1.2)", "comfyui", "sdxl", encoders=sdxl())
    np.testing.assert_allclose(found.values, found.values.T)
    np.testing.assert_allclose(np.diag(found.values), 1)
    assert found.labels == ("a", "red", "cat", "東", "glow")
    assert similarity("cat", "a1111", "sd15", encoders=sd1()).whole[0] == pytest.approx(1)
