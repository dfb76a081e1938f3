"""The mask method is what captum calls feature ablation: the same numbers from its own code."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("safetensors")
pytest.importorskip("captum")

import captum.attr as captum
import torch
from naive import ACTIVATIONS, TINY, Written, write_encoders

from promptlens import analyze
from promptlens.influences import influence

pytestmark = pytest.mark.encoder

PROMPTS = (
    Written((("a", "cat"),)),
    Written((("a", "red", "cat"), ("oil", "painting"), ("forest",))),
    Written((("portrait", "of", "a", "fox"), ("misty",), ("neon", "rain", "at", "night"), ("ultradetailed",))),
)


@pytest.fixture(scope="module")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return write_encoders(tmp_path_factory.mktemp("weights"), ("clip-l",))


@pytest.mark.parametrize("lens", ["pooled", "conditioning"])
@pytest.mark.parametrize("unit", ["word", "tag"])
@pytest.mark.parametrize("prompt", PROMPTS, ids=[p.text for p in PROMPTS])
def test_mask_equals_feature_ablation(prompt: Written, unit: str, lens: str, encoders: dict[str, Any]) -> None:
    (chunk,) = analyze(prompt.text, "diffusers", "sd15").usage.encoders[0].chunks
    ids = torch.tensor([chunk.ids])
    model = TINY["reference"](ACTIVATIONS["clip-l"])
    end = chunk.ids.index(49407)

    def states(mask: Any) -> Any:
        with torch.no_grad():
            return model(ids.expand(len(mask), -1), attention_mask=mask).last_hidden_state.double()

    everything = torch.ones(1, 77)
    whole = states(everything)[0]

    def closeness(mask: Any) -> Any:
        """What is left of the prompt: 1 - distance, so that an ablated feature's attribution is its distance."""
        got = states(mask)
        if lens == "pooled":
            return torch.nn.functional.cosine_similarity(got[:, end], whole[end][None])
        return 1 - (got - whole).flatten(1).norm(dim=1) / whole.norm()

    features = torch.zeros(1, 77, dtype=torch.long)
    places = prompt.places(unit)
    for number, (start, stop) in enumerate(places, 1):
        for slot, token in enumerate(chunk.tokens, 1):
            if token.span.start < stop and start < token.span.end:
                features[0, slot] = number
    # Feature 0 holds what no word covers, BOS and EOS too; its attribution is not used.
    found = captum.FeatureAblation(closeness).attribute(everything, baselines=0.0, feature_mask=features)[0]
    want = [float(found[features[0] == number][0]) for number in range(1, len(places) + 1)]
    got = influence(prompt.text, "diffusers", "sd15", encoders=encoders, unit=unit, lens=lens, method="mask")  # type: ignore[arg-type]
    np.testing.assert_allclose(got.scores, want, rtol=0, atol=1e-5)
    assert min(want) > 5e-5
