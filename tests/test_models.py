"""The tables of encoders and base models."""

from __future__ import annotations

import pytest

from promptlens import ENCODERS, HOSTS, MODELS
from promptlens.errors import UnknownNameError
from promptlens.models import Encoder, Model, get_model
from promptlens.vocab import SIZE, VOCABULARIES

CLIP = ["clip-l", "clip-h", "clip-g"]


@pytest.mark.parametrize("encoder", [ENCODERS[n] for n in CLIP], ids=CLIP)
def test_clip_reads_windows_of_77_of_which_75_are_the_prompts(encoder: Encoder) -> None:
    assert (encoder.window, encoder.capacity) == (77, 75)
    assert (encoder.vocabulary, encoder.bos, encoder.eos) == ("clip", 49406, 49407)


@pytest.mark.parametrize(
    ("name", "pad", "width"),
    [
        pytest.param("clip-l", 49407, 768, id="clip-l pads with its end token"),
        pytest.param("clip-h", 0, 1024, id="clip-h pads with 0"),
        pytest.param("clip-g", 0, 1280, id="clip-g pads with 0"),
    ],
)
def test_padding_and_width(name: str, pad: int, width: int) -> None:
    assert (ENCODERS[name].pad, ENCODERS[name].width) == (pad, width)


@pytest.mark.parametrize(
    ("model", "encoders"),
    [
        pytest.param("sd15", [("clip-l", "last", True, False)], id="SD1 takes the last layer of CLIP-L"),
        pytest.param("sd21", [("clip-h", "penultimate", True, False)], id="SD2 takes the last but one of OpenCLIP-H"),
        pytest.param(
            "sdxl",
            [("clip-l", "penultimate", False, False), ("clip-g", "penultimate", False, True)],
            id="SDXL joins CLIP-L and OpenCLIP-G, and takes the pooled vector of G",
        ),
    ],
)
def test_what_a_model_is_conditioned_on(model: str, encoders: list[tuple[str, str, bool, bool]]) -> None:
    assert [(e.name, e.layer, e.final_norm, e.pooled) for e in MODELS[model].encoders] == encoders


@pytest.mark.parametrize("encoder", ENCODERS.values(), ids=ENCODERS)
def test_every_encoder_is_whole(encoder: Encoder) -> None:
    assert ENCODERS[encoder.name] is encoder
    assert encoder.capacity < encoder.window
    assert encoder.weights.count("/") == 1 or encoder.name == "preview", "a repository is owner/name"
    if encoder.vocabulary in VOCABULARIES:  # the others are on the user's machine
        assert all(0 <= i < SIZE for i in (encoder.start, encoder.eos, encoder.pad))


@pytest.mark.parametrize(
    ("model", "encoders"),
    [
        pytest.param("sd3", [("clip-l", 77, False), ("clip-g", 77, False), ("t5-xxl", 256, False)], id="SD3 joins two of CLIP and T5"),
        pytest.param("flux", [("clip-l", 77, True), ("t5-xxl", 512, False)], id="Flux takes one vector of CLIP, and 512 slots of T5"),
        pytest.param("flux-schnell", [("clip-l", 77, True), ("t5-xxl", 256, False)], id="schnell has 256"),
        pytest.param("cascade", [("clip-g", 77, False)], id="Stable Cascade reads with bigG alone"),
        pytest.param("pony", [("clip-l", 77, False), ("clip-g", 77, False)], id="Pony is read as SDXL"),
    ],
)
def test_windows_and_what_is_taken_of_them(model: str, encoders: list[tuple[str, int, bool]]) -> None:
    assert [(e.name, e.window, e.summary_only) for e in MODELS[model].encoders] == encoders


def test_t5_has_no_start_token() -> None:
    assert (ENCODERS["t5-xxl"].bos, ENCODERS["t5-xxl"].eos, ENCODERS["t5-xxl"].pad) == (None, 1, 0)
    assert ENCODERS["t5-xxl"].capacity == 511


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_every_model_is_whole(model: Model) -> None:
    assert MODELS[model.name] is model
    assert get_model(model.name) is model
    assert model.encoders
    assert {e.name for e in model.encoders} <= ENCODERS.keys()
    assert model.family in HOSTS[model.default_host].families


def test_an_unknown_model_is_named_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"Unknown model 'sdlx'\. Known: sd15, sd21, sdxl.*Did you mean 'sdxl'\?"):
        get_model("sdlx")
