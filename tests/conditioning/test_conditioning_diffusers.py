"""diffusers and sd_embed against plain restatements of their arithmetic."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fake_encoder import END, START, FakeEncoder, sd1, sd2, sdxl

from promptlens import analyze, conditioning
from promptlens.errors import ConditioningError, OptionError

WORDS = " ".join(["cat", "dog"] * 40)
PROMPTS = ["", "a cat", "a (red:1.5) cat", WORDS, "a <|endoftext|> cat", "wow!!!"]


def close(a: Any, b: Any) -> None:
    np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize(
    ("model", "skip", "layers"),
    [
        pytest.param("sd15", None, {"clip-l": (1, True)}, id="SD1"),
        pytest.param("sd15", 2, {"clip-l": (2, True)}, id="SD1 with its clip_skip 1"),
        pytest.param("sd21", None, {"clip-h": (2, True)}, id="SD2"),
        pytest.param("sdxl", None, {"clip-l": (2, False), "clip-g": (2, False)}, id="SDXL"),
        pytest.param("sdxl", 3, {"clip-l": (3, False), "clip-g": (3, False)}, id="SDXL with its clip_skip 1"),
    ],
)
@pytest.mark.parametrize("text", PROMPTS)
def test_diffusers_is_one_window_without_weights(text: str, model: str, skip: int | None, layers: dict[str, tuple[int, bool]]) -> None:
    encoders = {"sd15": sd1, "sd21": sd2, "sdxl": sdxl}[model]()
    got = conditioning(text, "diffusers", model, encoders=encoders, clip_skip=skip)
    uses = analyze(text, host="diffusers", model=model).usage.encoders
    sides = [
        encoders[name].state(use.chunks[0].ids, layer=layer, final_norm=norm)
        for use, (name, (layer, norm)) in zip(uses, layers.items(), strict=True)
    ]
    close(got.hidden, np.concatenate(sides, axis=1))
    if model == "sdxl":
        close(got.pooled, encoders["clip-g"].project(encoders["clip-g"].pool(uses[1].chunks[0].ids)))
    else:
        assert got.pooled is None


def test_diffusers_reads_pooled_at_the_largest_id_which_an_inversion_has() -> None:
    """`name` and `name_1` are ids 49408 and 49409: the second is read, although an end token comes later."""
    encoders = sdxl()
    two, wide = np.ones((2, 6), np.float32), np.arange(16, dtype=np.float32).reshape(2, 8)
    got = conditioning("a <two> cat", "diffusers", encoders=encoders, embeddings={"<two>": {"clip-l": two, "clip-g": wide}})
    ids = (START, 320, 0, 0, 2368, END)
    placed = {2: wide[0], 3: wide[1]}
    side_l = encoders["clip-l"].state((*ids, *[END] * 71), layer=2, final_norm=False, vectors={2: two[0], 3: two[1]})
    side_g = encoders["clip-g"].state((*ids, *[0] * 71), layer=2, final_norm=False, vectors=placed)
    close(got.hidden, np.concatenate([side_l, side_g], axis=1))
    g = encoders["clip-g"]
    close(got.pooled, g.project(g.pool((*ids, *[0] * 71), placed, at=3)))


HALF = {1.0: 1.0, 1.5: 1.5, 1.3: 1.2998046875, 1.1: 1.099609375, -1.0: -1.0}


@pytest.mark.parametrize("text", ["", "a (red:1.3) (cat:1.5)", f"{WORDS} (bird:1.1)", "a BREAK b"])
def test_sd_embed_multiplies_by_rounded_weights(text: str) -> None:
    encoder = sd1()["clip-l"]
    got = conditioning(text, "sd_embed", "sd15", encoders={"clip-l": encoder})
    chunks = analyze(text, host="sd_embed", model="sd15").usage.encoders[0].chunks
    rows = [row * HALF[w] for c in chunks for row, w in zip(encoder.state(c.ids), c.weights, strict=True)]
    close(got.hidden, np.asarray(rows))
    assert got.pooled is None


def test_sd_embed_rounds_visibly() -> None:
    encoder = sd1()["clip-l"]
    got = conditioning("(cat:1.1)", "sd_embed", "sd15", encoders={"clip-l": encoder})
    z = encoder.state((START, 2368, END))
    np.testing.assert_array_equal(got.hidden[1], z[1] * np.float32(1.099609375))
    assert np.abs(got.hidden[1] - z[1] * 1.1).max() > 1e-4


def test_sd_embed_weighs_both_encoders_by_the_first_and_pools_the_last_chunk() -> None:
    """Each "!" is one token of clip-g but three are one of clip-l, so the weight falls on other places of clip-g."""
    encoders = sdxl()
    text = f"!!! (cat:1.5) {WORDS}"
    got = conditioning(text, "sd_embed", encoders=encoders)
    uses = analyze(text, host="sd_embed", model="sdxl").usage.encoders
    assert uses[0].chunks[0].weights != uses[1].chunks[0].weights
    sides = [
        np.concatenate(
            [
                e.state(c.ids, layer=2, final_norm=False) * np.asarray(w.weights)[:, None]
                for c, w in zip(u.chunks, uses[0].chunks, strict=True)
            ]
        )
        for e, u in zip(encoders.values(), uses, strict=True)
    ]
    close(got.hidden, np.concatenate(sides, axis=1))
    assert len(uses[1].chunks) == 2
    close(got.pooled, encoders["clip-g"].project(encoders["clip-g"].pool(uses[1].chunks[1].ids)))


def test_sd_embed_encodes_no_more_groups_than_the_first_tokenizer_made() -> None:
    """80 "!" are five tokens of clip-l and 80 of clip-g."""
    assert conditioning("!" * 80, "sd_embed", encoders=sdxl()).hidden.shape == (77, 14)


@pytest.mark.parametrize(("model", "skip", "layer"), [("sd15", None, 1), ("sd15", 2, 2), ("sd21", None, 2), ("sd21", 3, 3)])
def test_sd_embed_layers(model: str, skip: int | None, layer: int) -> None:
    encoders: dict[str, FakeEncoder] = {"sd15": sd1, "sd21": sd2}[model]()
    got = conditioning("a cat", "sd_embed", model, encoders=encoders, clip_skip=skip)
    close(got.hidden, next(iter(encoders.values())).state((START, 320, 2368, END), layer=layer))


def test_sd_embed_has_no_clip_skip_for_sdxl() -> None:
    with pytest.raises(OptionError, match="sd_embed has no clip skip for sdxl"):
        conditioning("a cat", "sd_embed", encoders=sdxl(), clip_skip=2)


def test_sd_embed_groups_of_different_lengths_cannot_be_joined() -> None:
    with pytest.raises(ConditioningError, match="3 for clip-l and 5 for clip-g positions"):
        conditioning("!!!", "sd_embed", encoders=sdxl(), pad_last_block=False)
