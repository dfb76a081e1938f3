"""a1111 and forge against a plain restatement of their arithmetic."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from fake_encoder import END, START, Array, FakeEncoder, sd1, sd2, sdxl

from promptlens import analyze, conditioning
from promptlens.conditionings import Answer, Ask
from promptlens.conditionings._emphasis import Weighted, emphasized
from promptlens.encoder.windows import Window
from promptlens.errors import ConditioningError, OptionError

WORDS = " ".join(["cat", "dog"] * 40)
EMPTY_L = (START, *[END] * 76)
EMPTY_G = (START, END, *[0] * 75)
PROMPTS = {
    "empty": "",
    "plain": "a cat and a dog",
    "weights": "a (red:1.5) cat, [blue] (((sky)))",
    "weight zero": "a (cat:0) here",
    "weight below zero": "a (cat:-1) here",
    "two chunks": WORDS,
    "weight in the second chunk": f"{WORDS} (bird:1.4)",
    "break": "a (red:1.3) cat BREAK a dog",
    "break first": "BREAK (cat:1.2)",
    "literal end token": "a <|endoftext|> (cat:1.2)",
}


def close(a: Any, b: Any) -> None:
    np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-5)


def naive_call(zs: list[Array], weights: list[Any], emphasis: str) -> list[Array]:
    """One chunk of every text of a call: the means are over all of them."""
    if emphasis in ("Ignore", "None"):
        return zs
    z = np.stack(zs).astype(np.float64)
    y = z * np.asarray(weights)[:, :, None]
    return list(y * (z.mean() / y.mean()) if emphasis == "Original" else y)


def naive(text: str, encoder: FakeEncoder, name: str, layer: int, norm: bool, host: str, model: str, emphasis: str) -> Array:
    usage = analyze(text, host=host, model=model, emphasis=emphasis).usage
    use = next(u for u in usage.encoders if u.encoder.name == name)
    chunks = [naive_call([encoder.state(c.ids, layer=layer, final_norm=norm)], [c.weights], emphasis)[0] for c in use.chunks]
    return np.concatenate(chunks)


@pytest.mark.parametrize("emphasis", ["Original", "No norm", "Ignore", "None"])
@pytest.mark.parametrize("host", ["a1111", "forge"])
@pytest.mark.parametrize("text", PROMPTS.values(), ids=PROMPTS.keys())
def test_sd1(text: str, host: str, emphasis: str) -> None:
    encoders = sd1()
    got = conditioning(text, host, "sd15", encoders=encoders, emphasis=emphasis)
    close(got.hidden, naive(text, encoders["clip-l"], "clip-l", 1, True, host, "sd15", emphasis))
    assert got.pooled is None
    assert got.hidden.dtype == np.float32


@pytest.mark.parametrize("text", PROMPTS.values(), ids=PROMPTS.keys())
@pytest.mark.parametrize("host", ["a1111", "forge"])
def test_sdxl_weighs_each_encoder_on_its_own_and_joins_them(text: str, host: str) -> None:
    encoders = sdxl()
    got = conditioning(text, host, encoders=encoders)
    sides = [naive(text, encoders[name], name, 2, False, host, "sdxl", "Original") for name in encoders]
    close(got.hidden, np.concatenate(sides, axis=1))
    g = encoders["clip-g"]
    close(got.pooled, g.project(g.pool(analyze(text, host=host, model="sdxl").usage.encoders[1].chunks[0].ids)))


@pytest.mark.parametrize(
    ("host", "model", "skip", "layers"),
    [
        pytest.param("a1111", "sd15", 2, {"clip-l": (2, True)}, id="a1111 SD1 skips with the norm"),
        pytest.param("a1111", "sd15", 3, {"clip-l": (3, True)}, id="a1111 SD1 skips further"),
        pytest.param("a1111", "sd21", None, {"clip-h": (2, True)}, id="a1111 SD2 takes the penultimate with the norm"),
        pytest.param("a1111", "sd21", 3, {"clip-h": (2, True)}, id="a1111 SD2 takes no notice of clip skip"),
        pytest.param("a1111", "sdxl", 3, {"clip-l": (2, False), "clip-g": (2, False)}, id="a1111 SDXL takes no notice of clip skip"),
        pytest.param("forge", "sd15", 2, {"clip-l": (2, True)}, id="forge SD1 skips"),
        pytest.param("forge", "sd21", 1, {"clip-h": (2, True)}, id="forge SD2 has no last layer"),
        pytest.param("forge", "sd21", 3, {"clip-h": (3, True)}, id="forge SD2 skips"),
        pytest.param("forge", "sdxl", 1, {"clip-l": (2, False), "clip-g": (2, False)}, id="forge SDXL skips one layer at least"),
        pytest.param("forge", "sdxl", 3, {"clip-l": (3, False), "clip-g": (3, False)}, id="forge SDXL skips both encoders"),
    ],
)
def test_layers(host: str, model: str, skip: int | None, layers: dict[str, tuple[int, bool]]) -> None:
    encoders = {"sd15": sd1, "sd21": sd2, "sdxl": sdxl}[model]()
    text = "a (red:1.5) cat"
    got = conditioning(text, host, model, encoders=encoders, clip_skip=skip)
    sides = [naive(text, encoders[name], name, layer, norm, host, model, "Original") for name, (layer, norm) in layers.items()]
    close(got.hidden, np.concatenate(sides, axis=1))


def test_sdxl_clip_l_skip_makes_clip_skip_count_for_the_first_encoder() -> None:
    encoders = sdxl()
    got = conditioning("a cat", "a1111", encoders=encoders, clip_skip=3, sdxl_clip_l_skip=True)
    sides = [naive("a cat", encoders[n], n, layer, False, "a1111", "sdxl", "None") for n, layer in (("clip-l", 3), ("clip-g", 2))]
    close(got.hidden, np.concatenate(sides, axis=1))


@pytest.mark.parametrize("emphasis", ["Original", "No norm"])
def test_prompt_editing_scales_over_all_texts_of_the_schedule(emphasis: str) -> None:
    """The first text is used for 5 steps as one range, so each of the two counts once."""
    encoder = sd1()["clip-l"]
    texts = ["a cat", f"a (dog:1.5) {WORDS}"]
    zs, weights = [], []
    for text in texts:
        chunks = list(analyze(text, host="a1111", model="sd15").usage.encoders[0].chunks)
        zs.append([encoder.state(c.ids) for c in chunks] + [encoder.state(EMPTY_L)] * (2 - len(chunks)))
        weights.append([c.weights for c in chunks] + [(1.0,) * 77] * (2 - len(chunks)))
    rows = [naive_call([z[n] for z in zs], [w[n] for w in weights], emphasis) for n in range(2)]
    for number, step in ((0, 1), (0, 5), (1, 6), (1, 20)):
        got = conditioning(
            f"a [cat:(dog:1.5) {WORDS}:5]", "a1111", "sd15", encoders={"clip-l": encoder}, until_step=step, emphasis=emphasis
        )
        close(got.hidden, np.concatenate([rows[0][number], rows[1][number]]))


def test_a_text_counts_as_often_as_the_schedule_holds_it() -> None:
    """Three steps of two texts in turn: cat, dog, cat."""
    encoder = sd1()["clip-l"]
    ids = [analyze(text, host="a1111", model="sd15").usage.encoders[0].chunks[0] for text in ("(cat:1.5)", "dog", "(cat:1.5)")]
    want = naive_call([encoder.state(c.ids) for c in ids], [c.weights for c in ids], "Original")
    for step in (1, 2, 3):
        got = conditioning("[(cat:1.5)|dog]", "a1111", "sd15", encoders={"clip-l": encoder}, until_step=step, steps=3)
        close(got.hidden, want[step - 1])
    once = naive_call([encoder.state(c.ids) for c in ids[:2]], [c.weights for c in ids[:2]], "Original")
    assert np.abs(once[0] - want[0]).max() > 1e-4


def test_the_factor_is_exact_where_the_mean_is_small_beside_the_numbers() -> None:
    """In single precision this mean would be off in the fourth digit."""
    z = np.random.default_rng(1).standard_normal((77, 768)).astype(np.float32) * 1e4
    z += np.float32(0.01) - np.float32(z.mean(dtype=np.float64))
    ask = Ask("clip-l", Window((START, *[END] * 76)), 1, True)
    chunk = Weighted(ask, (1.0, 1.5, *[1.0] * 75))
    got = emphasized(chunk, [chunk], "Original", {ask: Answer(z, z[0], None)})
    y = z * np.asarray(chunk.weights, dtype=np.float32)[:, None]
    factor = math.fsum(z.ravel().tolist()) / math.fsum(y.ravel().tolist())
    np.testing.assert_allclose(got, y * factor, rtol=1e-6)


def test_only_what_is_needed_is_encoded() -> None:
    encoder = sd1()["clip-l"]
    conditioning("a [cat:dog:5]", "a1111", "sd15", encoders={"clip-l": encoder})
    conditioning("a [cat:(dog:1.1):5]", "a1111", "sd15", encoders={"clip-l": encoder})
    conditioning("a [cat:(dog:1.1):5]", "a1111", "sd15", encoders={"clip-l": encoder}, emphasis="No norm")
    conditioning("BREAK BREAK BREAK a", "a1111", "sd15", encoders={"clip-l": encoder})
    assert encoder.calls == [1, 2, 1, 2]  # without weights the other text says nothing; equal windows are one


def test_parts_between_ands_are_apart_and_repeat_their_last_row() -> None:
    encoders = sd1()
    text = f"a (cat:1.5) :1.2 AND {WORDS}"
    first, second = (conditioning(text, "a1111", "sd15", encoders=encoders, part=part) for part in (0, 1))
    alone = conditioning("a (cat:1.5)", "a1111", "sd15", encoders=encoders)
    close(first.hidden[:77], alone.hidden)
    close(first.hidden[77:], np.repeat(alone.hidden[-1:], 77, axis=0))
    close(second.hidden, conditioning(WORDS, "a1111", "sd15", encoders=encoders).hidden)
    with pytest.raises(OptionError, match="part must be a whole number from 0 to 1"):
        conditioning(text, "a1111", "sd15", encoders=encoders, part=2)


@pytest.mark.parametrize("host", ["a1111", "forge"])
def test_an_empty_negative_prompt_of_sdxl_is_zeros(host: str) -> None:
    got = conditioning("", host, encoders=sdxl(), negative=True)
    assert got.hidden.shape == (77, 14)
    assert got.pooled is not None
    assert not got.hidden.any()
    assert not got.pooled.any()
    assert conditioning("", host, encoders=sdxl()).hidden.any()
    assert conditioning("a", host, encoders=sdxl(), negative=True).hidden.any()
    assert conditioning("", host, "sd15", encoders=sd1(), negative=True).hidden.any()


def vectors(count: int, width: int = 6, seed: int = 5) -> Array:
    return np.random.default_rng(seed).standard_normal((count, width)).astype(np.float32)


@pytest.mark.parametrize("host", ["a1111", "forge"])
def test_embeddings_lie_in_their_places(host: str) -> None:
    encoder, two = sd1()["clip-l"], vectors(2)
    got = conditioning("a (two:1.3) cat", host, "sd15", encoders={"clip-l": encoder}, embeddings={"two": two}, emphasis="No norm")
    ids = (START, 320, 0, 0, 2368, *[END] * 72)
    weights = np.asarray([1, 1, 1.3, 1.3, *[1] * 73])[:, None]
    close(got.hidden, encoder.state(ids, vectors={2: two[0], 3: two[1]}) * weights)


@pytest.mark.parametrize("host", ["a1111", "forge"])
def test_moved_places_of_an_embedding_lose_their_vectors(host: str) -> None:
    """Seventy words, a comma, the embedding, two words and one too many: what follows the comma moves on, the vectors do not."""
    encoder, two = sd1()["clip-l"], vectors(2)
    text = " ".join(["cat"] * 70) + ", two dog dog dog"
    got = conditioning(text, host, "sd15", encoders={"clip-l": encoder}, embeddings={"two": two})
    first = (START, *[2368] * 70, 267, *[END] * 5)
    second = (START, 0, 0, *[1929] * 3, *[END] * 71)
    close(got.hidden, np.concatenate([encoder.state(first, vectors={72: two[0], 73: two[1]}), encoder.state(second)]))


@pytest.mark.parametrize("names", [("clip-l", "clip-g"), ("clip_l", "clip_g"), ("l", "g"), ("", "g")])
def test_sdxl_takes_the_vectors_of_each_encoder(names: tuple[str, str]) -> None:
    encoders, two, wide = sdxl(), vectors(2), vectors(2, 8)
    got = conditioning("two", "a1111", encoders=encoders, embeddings={"folder/two": dict(zip(names, (two, wide), strict=True))})
    side_l = encoders["clip-l"].state((START, 0, 0, *[END] * 74), layer=2, final_norm=False, vectors={1: two[0], 2: two[1]})
    ids = (START, 0, 0, END, *[0] * 73)  # what follows the first end token is padding, and clip-g pads with 0
    side_g = encoders["clip-g"].state(ids, layer=2, final_norm=False, vectors={1: wide[0], 2: wide[1]})
    close(got.hidden, np.concatenate([side_l, side_g], axis=1))
    close(got.pooled, encoders["clip-g"].project(encoders["clip-g"].pool(ids, {1: wide[0], 2: wide[1]})))


def test_an_embedding_too_long_for_a_window_is_an_error() -> None:
    with pytest.raises(ConditioningError, match="82 slots for clip-l, which has 77"):
        conditioning("huge", "a1111", "sd15", encoders=sd1(), embeddings={"huge": vectors(80)})


@pytest.mark.parametrize(
    ("host", "text", "counts"),
    [
        pytest.param("forge", "!" * 80, "Forge makes 77 for clip-l and 154 for clip-g", id="each ! is a token of clip-g in Forge"),
        pytest.param(
            "a1111", "<|endoftext|> " * 60, "AUTOMATIC1111 makes 77 for clip-l and 385 for clip-g", id="one token or six in A1111"
        ),
    ],
)
def test_encoders_that_make_different_numbers_of_chunks_cannot_be_joined(host: str, text: str, counts: str) -> None:
    with pytest.raises(ConditioningError, match=rf"^{counts} positions.*cannot join.*`promptlens tokens` shows"):
        conditioning(text, host, encoders=sdxl())


@pytest.mark.parametrize("steps", [20, 30])
def test_a_step_past_the_last_is_an_error(steps: int) -> None:
    with pytest.raises(OptionError, match=f"until_step is 31, but the prompt is sampled for {steps} steps"):
        conditioning("[cat:dog:5]", "a1111", "sd15", encoders=sd1(), until_step=31, steps=steps)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("text", ["(cat:0)", "(cat:1e3)", "(" * 200 + "cat"])
def test_extreme_weights_warn_of_nothing(text: str) -> None:
    assert conditioning(text, "a1111", "sd15", encoders=sd1()).hidden.shape == (77, 6)
