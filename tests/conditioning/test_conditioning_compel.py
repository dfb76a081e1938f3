"""compel against a plain restatement of its arithmetic, from windows written out here."""

from __future__ import annotations

from collections.abc import Iterable
from math import pi, tan
from typing import Any

import numpy as np
import pytest
from fake_encoder import END, START, Array, FakeEncoder, sd1, sd2, sdxl

from promptlens import conditioning
from promptlens.errors import ConditioningError, OptionError

A, CAT, DOG, STOP, PLUS = 320, 2368, 1929, 269, 19056  # the last is "++"
EMPTY_L, EMPTY_G = (START, *[END] * 76), (START, END, *[0] * 75)


def close(a: Any, b: Any) -> None:
    np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-5)


def window(*tokens: int, pad: int = END) -> tuple[int, ...]:
    return (START, *tokens, END, *[pad] * (75 - len(tokens)))


def lerped(encoder: FakeEncoder, ids: tuple[int, ...], weights: dict[int, float], *, hide: Iterable[int] = (), **layer: Any) -> Array:
    """One window with the weights of some places, from the empty prompt."""
    z = encoder.state(ids, hide=hide, **layer)
    empty = encoder.state(EMPTY_L if ids[-1] == END else EMPTY_G, **layer)
    for place, weight in weights.items():
        z[place] = empty[place] + (z[place] - empty[place]) * weight
    return z


def compel(text: str, encoder: FakeEncoder, **options: Any) -> Array:
    return conditioning(text, "compel", "sd15", encoders={"clip-l": encoder}, **options).hidden


def share(weight: float) -> float:
    return tan((1 - max(1e-5, weight)) * pi / 2)


@pytest.fixture
def encoder() -> FakeEncoder:
    return sd1()["clip-l"]


def test_plain_text_is_left_as_it_is(encoder: FakeEncoder) -> None:
    np.testing.assert_array_equal(compel("a cat", encoder), encoder.state(window(A, CAT)))
    assert encoder.calls == [1]  # not even the empty prompt is encoded


def test_weights_above_1_go_away_from_the_empty_prompt(encoder: FakeEncoder) -> None:
    close(compel("a (cat)1.5", encoder), lerped(encoder, window(A, CAT), {2: 1.5}))


@pytest.mark.parametrize("weight", [0.5, 0.9, 0.0])
def test_weights_below_1_also_hide_the_words_from_the_others(weight: float, encoder: FakeEncoder) -> None:
    ids, weights, k = window(A, CAT, DOG), {2: weight}, share(weight)
    want = (lerped(encoder, ids, weights) + k * lerped(encoder, ids, weights, hide={2})) / (1 + k)
    close(compel(f"a (cat){weight} dog", encoder), want)


def test_every_fragment_below_1_counts_and_all_keep_all_weights(encoder: FakeEncoder) -> None:
    ids, weights, k1, k2 = window(CAT, DOG, A), {1: 0.5, 2: 1.2, 3: 0.25}, share(0.5), share(0.25)
    whole, one, two = (lerped(encoder, ids, weights, hide=hide) for hide in ((), (1,), (3,)))
    close(compel("(cat)0.5 (dog)1.2 (a)0.25", encoder), (whole + k1 * one + k2 * two) / (1 + k1 + k2))


def test_removed_words_let_the_rest_move_left(encoder: FakeEncoder) -> None:
    k = share(0.5)
    without = lerped(encoder, window(A, DOG), {2: 1.2})
    want = (lerped(encoder, window(A, CAT, DOG), {2: 0.5, 3: 1.2}) + k * without) / (1 + k)
    close(compel("a (cat)0.5 (dog)1.2", encoder, downweight_mode="REMOVE"), want)
    close(
        compel("(cat)0.5", encoder, downweight_mode="REMOVE"),
        (lerped(encoder, window(CAT), {1: 0.5}) + k * encoder.state(EMPTY_L)) / (1 + k),
    )


def test_a_fragment_over_a_window_s_edge_hides_end_and_padding_between(encoder: FakeEncoder) -> None:
    """Forty words and a full stop, then sixty: the second sentence moves on. The edges of windows, 0 and 76, stay seen."""
    words = " ".join(["cat"] * 40) + ". " + " ".join(["dog"] * 60)
    first, second = window(*[CAT] * 40, STOP), window(*[DOG] * 60)
    weights = [dict.fromkeys(range(1, 42), 0.5), dict.fromkeys(range(1, 61), 0.5)]
    k = share(0.5)
    whole = np.concatenate([lerped(encoder, first, weights[0]), lerped(encoder, second, weights[1])])
    hidden = [lerped(encoder, first, weights[0], hide=range(1, 76)), lerped(encoder, second, weights[1], hide=range(1, 61))]
    close(compel(f"({words})0.5", encoder), (whole + k * np.concatenate(hidden)) / (1 + k))


def test_a_fragment_that_truncation_cuts_hides_the_end_token_too(encoder: FakeEncoder) -> None:
    ids, weights, k = window(A, *[CAT] * 74), dict.fromkeys(range(2, 76), 0.5), share(0.5)
    text = f"a ({' '.join(['cat'] * 80)})0.5 (dog)0.4"  # the last fragment is gone, and counts for nothing
    want = (lerped(encoder, ids, weights) + k * lerped(encoder, ids, weights, hide=range(2, 77))) / (1 + k)
    close(compel(text, encoder, truncate_long_prompts=True), want)


def test_a_fragment_that_alone_is_too_long_leaves_the_end_token(encoder: FakeEncoder) -> None:
    ids, weights, k = window(*[CAT] * 75), dict.fromkeys(range(1, 76), 0.5), share(0.5)
    want = (lerped(encoder, ids, weights) + k * lerped(encoder, ids, weights, hide=range(1, 76))) / (1 + k)
    close(compel(f"({' '.join(['cat'] * 80)})0.5", encoder, truncate_long_prompts=True), want)


def test_the_same_words_again_are_another_fragment(encoder: FakeEncoder) -> None:
    ids, weights, k = window(CAT, DOG, CAT), {1: 0.5, 3: 0.5}, share(0.5)
    whole, one, two = (lerped(encoder, ids, weights, hide=hide) for hide in ((), (1,), (3,)))
    close(compel("(cat)0.5 dog (cat)0.5", encoder), (whole + k * one + k * two) / (1 + 2 * k))


def test_a_literal_end_token_can_be_hidden(encoder: FakeEncoder) -> None:
    ids, weights, k = window(A, END, DOG), {2: 0.5}, share(0.5)
    want = (lerped(encoder, ids, weights) + k * lerped(encoder, ids, weights, hide={2})) / (1 + k)
    close(compel("a (<|endoftext|>)0.5 dog", encoder), want)


def test_long_prompts_share_one_empty_window(encoder: FakeEncoder) -> None:
    text = " ".join(["cat"] * 75) + " (dog)1.5"
    close(compel(text, encoder), np.concatenate([encoder.state(window(*[CAT] * 75)), lerped(encoder, window(DOG), {1: 1.5})]))


def test_blends(encoder: FakeEncoder) -> None:
    cat, dog, empty = encoder.state(window(A, CAT)), encoder.state(window(A, DOG)), encoder.state(EMPTY_L)
    close(compel('("a cat", "a dog").blend(0.7, 0.2)', encoder), (0.7 * cat + 0.2 * dog) / 0.9)
    close(compel('("a cat", "a dog").blend(0.7, -0.2, no_normalize)', encoder), 0.7 * cat - 0.2 * dog)
    inner = lerped(encoder, window(A, CAT), {2: 1.1})
    close(compel('("a cat+", "a dog").blend(1, 1)', encoder), (inner + dog) / 2)
    long = np.concatenate([encoder.state(window(*[CAT] * 75)), encoder.state(window(CAT))])
    close(compel(f'("{" ".join(["cat"] * 76)}", "a dog").blend(1, 1)', encoder), (long + np.concatenate([dog, empty])) / 2)


def test_a_swap_encodes_the_original_words(encoder: FakeEncoder) -> None:
    close(compel("a cat.swap(dog)", encoder), encoder.state(window(A, CAT)))


def test_members_of_and_are_joined_in_their_weights(encoder: FakeEncoder) -> None:
    cat, dog, empty = encoder.state(window(A, CAT)), encoder.state(window(A, DOG)), encoder.state(EMPTY_L)
    close(compel('("a cat", "a dog").and()', encoder), np.concatenate([cat, dog]))
    close(compel('("a cat", "a dog").and(1, 0.5)', encoder), np.concatenate([cat, empty + (dog - empty) * 0.5]))


def test_sdxl_joins_its_encoders_and_pools_the_prompt_as_typed() -> None:
    encoders = sdxl()
    got = conditioning("a cat++", "compel", encoders=encoders)
    layer: dict[str, Any] = {"layer": 2, "final_norm": False}
    sides = [lerped(e, window(A, CAT, pad=pad), {2: 1.21}, **layer) for e, pad in zip(encoders.values(), (END, 0), strict=True)]
    close(got.hidden, np.concatenate(sides, axis=1))
    g = encoders["clip-g"]
    close(got.pooled, g.project(g.pool(window(A, CAT, PLUS, pad=0))))


def test_sdxl_fills_up_the_encoder_with_fewer_windows() -> None:
    """80 "!" are five tokens of clip-l and 80 of clip-g."""
    encoders = sdxl()
    got = conditioning("!" * 80, "compel", encoders=encoders)
    assert got.hidden.shape == (154, 14)
    close(got.hidden[77:, :6], encoders["clip-l"].state(EMPTY_L, layer=2, final_norm=False))


@pytest.mark.parametrize(
    ("model", "options", "layer", "norm"),
    [
        pytest.param("sd15", {"clip_skip": 1}, 1, True, id="SD1 clip skip 1"),
        pytest.param("sd15", {"clip_skip": 2}, 2, True, id="SD1 clip skip 2"),
        pytest.param("sd15", {"returned_embeddings_type": "LAST_HIDDEN_STATES_NORMALIZED"}, 1, True, id="SD1 last"),
        pytest.param("sd15", {"returned_embeddings_type": "PENULTIMATE_HIDDEN_STATES_NORMALIZED"}, 2, True, id="SD1 penultimate"),
        pytest.param("sd15", {"returned_embeddings_type": "PENULTIMATE_HIDDEN_STATES_NON_NORMALIZED"}, 2, False, id="SD1 without norm"),
        pytest.param("sd21", {}, 2, True, id="SD2 has no last layer"),
        pytest.param("sd21", {"clip_skip": 3}, 3, True, id="SD2 clip skip"),
        pytest.param("sd21", {"returned_embeddings_type": "PENULTIMATE_HIDDEN_STATES_NORMALIZED"}, 3, True, id="SD2 penultimate"),
    ],
)
def test_layers(model: str, options: dict[str, Any], layer: int, norm: bool) -> None:
    encoders = {"sd15": sd1, "sd21": sd2}[model]()
    pad = END if model == "sd15" else 0
    got = conditioning("a cat", "compel", model, encoders=encoders, **options)
    close(got.hidden, next(iter(encoders.values())).state(window(A, CAT, pad=pad), layer=layer, final_norm=norm))


def test_sdxl_takes_clip_skip_2_alone() -> None:
    close(conditioning("a", "compel", encoders=sdxl(), clip_skip=2).hidden, conditioning("a", "compel", encoders=sdxl()).hidden)
    with pytest.raises(OptionError, match="clip_skip is 2 for sdxl"):
        conditioning("a", "compel", encoders=sdxl(), clip_skip=3)


def test_what_compel_cannot_do(encoder: FakeEncoder) -> None:
    with pytest.raises(OptionError, match="clip_skip is 1 or 2 for sd15"):
        compel("a", encoder, clip_skip=3)
    with pytest.raises(OptionError, match="not both"):
        compel("a", encoder, clip_skip=2, returned_embeddings_type="LAST_HIDDEN_STATES_NORMALIZED")
    with pytest.raises(ConditioningError, match="without 'cat' it needs 1 instead of 2 windows"):
        compel(" ".join(["dog"] * 75) + " (cat)0.5", encoder, downweight_mode="REMOVE")
    with pytest.raises(ConditioningError, match=r"compel fails on this prompt \(AttributeError\)"):
        conditioning('("a", "b").and(1, 0.5)', "compel", encoders=sdxl())
    with pytest.raises(OptionError, match="part must be"):
        compel("a", encoder, part=1)
