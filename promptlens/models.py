"""Text encoders and base models: the only place that says 77, 75, a pad id, a width, a hidden layer or a repository.

A new model is one row of `MODELS`; a new encoder is one row of `ENCODERS`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from promptlens.errors import UnknownNameError

Layer = Literal["last", "penultimate"]


@dataclass(frozen=True, slots=True)
class Encoder:
    """One text encoder as one model uses it.

    `window` counts BOS and EOS, `capacity` is what is left for the prompt. `pad` is the id its own tokenizer pads with
    (hosts may pad differently: that is theirs to say). `layer` and `final_norm` say which hidden states the model is
    conditioned on, `pooled` whether it also gets the pooled vector. `weights` names a repository that holds the weights.
    """

    name: str
    title: str
    vocabulary: str
    window: int
    bos: int
    eos: int
    pad: int
    width: int
    layer: Layer
    final_norm: bool
    pooled: bool
    weights: str

    @property
    def capacity(self) -> int:
        """Tokens of the prompt that fit one window: 75 for CLIP."""
        return self.window - 2


_CLIP = Encoder(
    name="clip-l",
    title="CLIP ViT-L/14",
    vocabulary="clip",
    window=77,
    bos=49406,
    eos=49407,
    pad=49407,
    width=768,
    layer="last",
    final_norm=True,
    pooled=False,
    weights="openai/clip-vit-large-patch14",
)

ENCODERS: dict[str, Encoder] = {
    e.name: e
    for e in (
        _CLIP,
        # the tokenizer configurations of SD2.1 and of SDXL's second encoder name "!" (id 0) as their pad token
        replace(
            _CLIP,
            name="clip-h",
            title="OpenCLIP ViT-H/14",
            pad=0,
            width=1024,
            layer="penultimate",
            weights="laion/CLIP-ViT-H-14-laion2B-s32B-b79K",
        ),
        replace(
            _CLIP,
            name="clip-g",
            title="OpenCLIP ViT-bigG/14",
            pad=0,
            width=1280,
            layer="penultimate",
            final_norm=False,
            pooled=True,
            weights="laion/CLIP-ViT-bigG-14-laion2B-39B-b160k",
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Model:
    """A base model: its text encoders in the order the model joins them, and the host most of its users run."""

    name: str
    title: str
    encoders: tuple[Encoder, ...]
    default_host: str


MODELS: dict[str, Model] = {
    m.name: m
    for m in (
        Model("sd15", "Stable Diffusion 1.x", (ENCODERS["clip-l"],), "a1111"),
        Model("sd21", "Stable Diffusion 2.x", (ENCODERS["clip-h"],), "a1111"),
        Model(
            "sdxl",
            "Stable Diffusion XL",
            (replace(ENCODERS["clip-l"], layer="penultimate", final_norm=False), ENCODERS["clip-g"]),
            "a1111",
        ),
    )
}


def get_model(name: str) -> Model:
    """Row of `MODELS`; an unknown name raises `UnknownNameError` with the nearest one."""
    try:
        return MODELS[name]
    except KeyError:
        raise UnknownNameError("model", name, MODELS) from None
