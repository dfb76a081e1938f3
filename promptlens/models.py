"""Text encoders and base models: the only place that says 77, 75, 512, a pad id, a width, a hidden layer or a repository.

A new model is one row of `MODELS`; a new encoder is one row of `ENCODERS`. What a host makes of the same encoder (ComfyUI pads T5 where
diffusers cuts it) is the host's to say.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from promptlens.errors import UnknownNameError

# "none": the model takes nothing but the pooled vector
Layer = Literal["last", "penultimate", "none"]


@dataclass(frozen=True, slots=True)
class Encoder:
    """One text encoder as one model uses it.

    `window` counts BOS (which T5 has not: None) and EOS, `capacity` is what is left for the prompt. `pad` is the id its own tokenizer pads
    with (hosts may pad differently: that is theirs to say). `layer` and `final_norm` say which hidden states the model is conditioned on,
    `pooled` whether it also gets the pooled vector. `weights` names a repository that holds the weights. `tokenizer` is the file of its
    vocabulary where the package brings none and the user named one; empty: it is looked for.
    """

    name: str
    title: str
    vocabulary: str
    window: int
    bos: int | None
    eos: int
    pad: int
    width: int
    layer: Layer
    final_norm: bool
    pooled: bool
    weights: str
    tokenizer: str = ""

    @property
    def capacity(self) -> int:
        """Tokens of the prompt that fit one window: 75 for CLIP, 511 for T5 in Flux."""
        return self.window - (1 if self.bos is None else 2)

    @property
    def start(self) -> int:
        """BOS, of an encoder that has one."""
        assert self.bos is not None, f"{self.name} has no start token"
        return self.bos

    @property
    def summary_only(self) -> bool:
        """The model takes one vector of it for the whole prompt, and no token by token states."""
        return self.layer == "none"


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

# google/t5-v1_1-xxl: config.json (d_model, eos_token_id, pad_token_id). 512 is what its tokenizer_config.json calls model_max_length.
_T5 = Encoder(
    name="t5-xxl",
    title="T5 v1.1 XXL",
    vocabulary="t5",
    window=512,
    bos=None,
    eos=1,
    pad=0,
    width=4096,
    layer="last",
    final_norm=True,
    pooled=False,
    weights="google/t5-v1_1-xxl",
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
        # the small encoder that comes with the package: pooled vectors alone mean something, in the 512 numbers of CLIP ViT-B/32's space
        replace(_CLIP, name="preview", title="Preview (approximates CLIP ViT-B/32)", width=192, pooled=True, weights=""),
        _T5,
        # ComfyUI comfy/text_encoders/hidream.py: start 128000, pad 128009, which is also its end of turn
        Encoder(
            name="llama-8b",
            title="Llama 3.1 8B Instruct",
            vocabulary="llama-3",
            window=128,
            bos=128000,
            eos=128009,
            pad=128009,
            width=4096,
            layer="last",
            final_norm=False,
            pooled=False,
            weights="meta-llama/Llama-3.1-8B-Instruct",
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Model:
    """A base model: its text encoders in the order the model joins them, and the host most of its users run.

    `family` names the architecture: hosts that run one model of a family run all of them, with the same windows.
    """

    name: str
    title: str
    encoders: tuple[Encoder, ...]
    default_host: str
    family: str


_L, _H, _G = ENCODERS["clip-l"], ENCODERS["clip-h"], ENCODERS["clip-g"]
_SDXL = (replace(_L, layer="penultimate", final_norm=False), _G)
# Flux and HiDream take one pooled vector of CLIP and every token of T5 (ComfyUI comfy/text_encoders/flux.py, hidream.py).
_SUMMARY_L, _SUMMARY_G = replace(_L, layer="none", pooled=True), replace(_G, layer="none")
# SD3: the last but one layers of both, beside each other, then T5's after them; both pooled vectors (sd3_clip.py). 256 is the
# max_sequence_length of StableDiffusion3Pipeline.
_SD3 = (replace(_L, layer="penultimate", final_norm=False, pooled=True), _G, replace(_T5, window=256))


def _tuned(name: str, title: str) -> Model:
    """A model that was tuned from SDXL and keeps its text encoders and their layers."""
    return Model(name, title, _SDXL, "a1111", "sdxl")


MODELS: dict[str, Model] = {
    m.name: m
    for m in (
        Model("sd15", "Stable Diffusion 1.x", (_L,), "a1111", "sd15"),
        Model("sd21", "Stable Diffusion 2.x", (_H,), "a1111", "sd21"),
        Model("sdxl", "Stable Diffusion XL", _SDXL, "a1111", "sdxl"),
        # sgm's sd_xl_refiner.yaml: bigG alone
        Model("sdxl-refiner", "Stable Diffusion XL Refiner", (_G,), "a1111", "sdxl-refiner"),
        # their model cards: tuned from SDXL 1.0 (NoobAI from Illustrious), with its two encoders
        _tuned("pony", "Pony Diffusion V6 XL"),
        _tuned("illustrious", "Illustrious XL"),
        _tuned("noobai", "NoobAI XL"),
        _tuned("animagine", "Animagine XL"),
        # ComfyUI comfy/sdxl_clip.py StableCascadeClipG: the last layer, without the final norm, padded with the end token; pooled too
        Model("cascade", "Stable Cascade", (replace(_G, pad=49407, layer="last"),), "comfyui", "cascade"),
        Model("sd3", "Stable Diffusion 3", _SD3, "comfyui", "sd3"),
        Model("sd35", "Stable Diffusion 3.5", _SD3, "comfyui", "sd3"),
        # max_sequence_length: 512 is the default of FluxPipeline, 256 what the guidance-distilled schnell was trained with and takes
        Model("flux", "FLUX.1 dev", (_SUMMARY_L, _T5), "comfyui", "flux"),
        Model("flux-schnell", "FLUX.1 schnell", (_SUMMARY_L, replace(_T5, window=256)), "comfyui", "flux"),
        # comfy/supported_models.py: Chroma is read with PixArt's tokenizer, T5 without any padding
        Model("chroma", "Chroma", (_T5,), "comfyui", "chroma"),
        # diffusers PixArtSigmaPipeline: max_sequence_length 300
        Model("pixart", "PixArt Sigma", (replace(_T5, window=300),), "comfyui", "pixart"),
        # comfy/text_encoders/hidream.py: the first 128 tokens of T5; Llama, from 128 on
        Model("hidream", "HiDream I1", (_SUMMARY_L, _SUMMARY_G, replace(_T5, window=128), ENCODERS["llama-8b"]), "comfyui", "hidream"),
    )
}

# What most hosts are for.
CLIP_FAMILIES = frozenset({"sd15", "sd21", "sdxl", "sdxl-refiner"})


def get_model(name: str) -> Model:
    """Row of `MODELS`; an unknown name raises `UnknownNameError` with the nearest one."""
    try:
        return MODELS[name]
    except KeyError:
        raise UnknownNameError("model", name, MODELS) from None


def with_tokenizer(model: Model, file: str) -> Model:
    """The model with its T5 encoders read with the vocabulary in a file; the model itself where there is no file."""
    if not file or all(e.vocabulary != "t5" for e in model.encoders):
        return model
    return replace(model, encoders=tuple(replace(e, tokenizer=file) if e.vocabulary == "t5" else e for e in model.encoders))
