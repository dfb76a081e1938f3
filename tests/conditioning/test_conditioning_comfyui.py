"""comfyui against a plain restatement of its arithmetic."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fake_encoder import END, START, Array, FakeEncoder, sd1, sd2, sdxl

from promptlens import analyze, conditioning

WORDS = " ".join(["cat", "dog"] * 40)
EMPTY = {"clip-l": (START, *[END] * 76), "clip-h": (START, END, *[0] * 75), "clip-g": (START, END, *[0] * 75)}
PROMPTS = {
    "empty": "",
    "plain": "a cat",
    "weights": "a (red:1.5) cat (blue:0.5) (((sky)))",
    "weight zero": "a (cat:0) here",
    "weight below zero": "a (cat:-1) here",
    "weight in the second chunk": f"{WORDS} (bird:1.4)",
    "square brackets and breaks are text": "[cat] BREAK (dog:1.2)",
    "literal end token": "a <|endoftext|> (cat:1.2)",
}


def close(a: Any, b: Any) -> None:
    np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-5)


def naive(text: str, encoder: FakeEncoder, name: str, model: str, layer: int, norm: bool) -> Array:
    use = next(u for u in analyze(text, host="comfyui", model=model).usage.encoders if u.encoder.name == name)
    empty = encoder.state(EMPTY[name], layer=layer, final_norm=norm)
    rows = []
    for chunk in use.chunks:
        z = encoder.state(chunk.ids, layer=layer, final_norm=norm)
        for place, weight in enumerate(chunk.weights):
            rows.append(z[place] if weight == 1.0 else empty[place] + (z[place] - empty[place]) * weight)
    return np.asarray(rows)


@pytest.mark.parametrize("text", PROMPTS.values(), ids=PROMPTS.keys())
def test_sd1(text: str) -> None:
    encoders = sd1()
    got = conditioning(text, "comfyui", "sd15", encoders=encoders)
    close(got.hidden, naive(text, encoders["clip-l"], "clip-l", "sd15", 1, True))
    close(got.pooled, encoders["clip-l"].pool(analyze(text, host="comfyui", model="sd15").usage.encoders[0].chunks[0].ids))


@pytest.mark.parametrize("text", PROMPTS.values(), ids=PROMPTS.keys())
def test_sdxl_weighs_each_encoder_from_its_own_empty_prompt(text: str) -> None:
    encoders = sdxl()
    got = conditioning(text, "comfyui", encoders=encoders)
    close(got.hidden, np.concatenate([naive(text, e, name, "sdxl", 2, False) for name, e in encoders.items()], axis=1))
    g = encoders["clip-g"]
    close(got.pooled, g.project(g.pool(analyze(text, host="comfyui", model="sdxl").usage.encoders[1].chunks[0].ids)))


@pytest.mark.parametrize(
    ("model", "skip", "layers"),
    [
        pytest.param("sd15", 1, {"clip-l": (1, True)}, id="SD1 -1 is the default"),
        pytest.param("sd15", 2, {"clip-l": (2, True)}, id="SD1 -2"),
        pytest.param("sd15", 4, {"clip-l": (1, True)}, id="past the layers it is the last"),
        pytest.param("sd21", None, {"clip-h": (2, True)}, id="SD2 takes the penultimate with the norm"),
        pytest.param("sd21", 3, {"clip-h": (3, True)}, id="SD2 -3"),
        pytest.param("sdxl", 1, {"clip-l": (1, False), "clip-g": (1, False)}, id="SDXL -1 is the last without the norm"),
        pytest.param("sdxl", 4, {"clip-l": (1, True), "clip-g": (4, False)}, id="SDXL -4 is past the layers of one"),
    ],
)
def test_layers(model: str, skip: int | None, layers: dict[str, tuple[int, bool]]) -> None:
    encoders = {"sd15": sd1, "sd21": sd2, "sdxl": sdxl}[model]()
    text = "a (red:1.5) cat"
    got = conditioning(text, "comfyui", model, encoders=encoders, clip_skip=skip)
    sides = [naive(text, encoders[name], name, model, layer, norm) for name, (layer, norm) in layers.items()]
    close(got.hidden, np.concatenate(sides, axis=1))


def test_sd2_has_no_pooled_vector() -> None:
    assert conditioning("a cat", "comfyui", "sd21", encoders=sd2()).pooled is None


def test_embeddings_lie_in_their_places_across_chunks() -> None:
    """72 words and ten vectors: eight or more are cut at the edge of the window, three here and seven there."""
    encoder = sd1()["clip-l"]
    ten = np.random.default_rng(5).standard_normal((10, 6)).astype(np.float32)
    one = np.random.default_rng(6).standard_normal(6).astype(np.float32)
    text = " ".join(["cat"] * 72) + " embedding:ten embedding:sub/one, dog"
    got = conditioning(
        text, "comfyui", "sd15", encoders={"clip-l": encoder}, embeddings={"sub/one.pt": one, "ten.safetensors": {"clip_l": ten}}
    )
    first = encoder.state((START, *[2368] * 72, 0, 0, 0, END), vectors={73 + n: ten[n] for n in range(3)})
    placed = {1 + n: ten[3 + n] for n in range(7)} | {8: one}
    second = encoder.state((START, *[0] * 8, 267, 1929, *[END] * 66), vectors=placed)
    close(got.hidden, np.concatenate([first, second]))


def test_the_empty_prompt_is_encoded_only_for_weights() -> None:
    encoder = sd1()["clip-l"]
    conditioning("a cat", "comfyui", "sd15", encoders={"clip-l": encoder})
    conditioning("a (cat:1.0)", "comfyui", "sd15", encoders={"clip-l": encoder})
    conditioning("a (cat:1.1)", "comfyui", "sd15", encoders={"clip-l": encoder})
    assert encoder.calls == [1, 1, 2]


@pytest.mark.parametrize("weight", ["inf", "nan", "1e39", "-inf"])
def test_weights_that_are_no_numbers_stay_in_their_places(weight: str) -> None:
    encoders = sd1()
    got = conditioning(f"a (cat:{weight})", "comfyui", "sd15", encoders=encoders).hidden
    plain = conditioning("a cat", "comfyui", "sd15", encoders=encoders).hidden
    assert not np.isfinite(got[2]).all()
    np.testing.assert_array_equal(np.delete(got, 2, axis=0), np.delete(plain, 2, axis=0))
