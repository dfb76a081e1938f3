"""ComfyUI.

Brackets weigh, a number in them replaces the weight so far, and everything else is text. What is cut is a group: a segment of one weight,
parted further only at `embedding:`. A group of fewer than 8 tokens moves on whole, a longer one fills the window and is cut anywhere. T5's
window is never cut. Flux and HiDream take the summary of CLIP's first chunk alone. Left out: what the web page does before (`{a|b}`
choices, comments).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from promptlens.hosts import EncoderUse, Host, Parsed, ParsedLine
from promptlens.hosts._comfy import MARKS, pack_groups, parse_comfy
from promptlens.hosts._comfy_t5 import pack_comfy_t5
from promptlens.hosts._options import check_choice, check_embeddings, check_flag
from promptlens.models import CLIP_FAMILIES, Encoder, Model
from promptlens.tokens import Reading, tokenizer


@dataclass(frozen=True, slots=True)
class Options:
    """What shapes the windows in a ComfyUI install.

    embeddings  files in the embeddings folder: {name: vectors}, name relative to it; or the folder
    tokenizer   "slow" with transformers 4 (ComfyUI's own requirement), "fast" with transformers 5
    ftfy        whether the ftfy package is installed beside it, which changes how the slow tokenizer cleans text
    grouping    "segment" since 2024-12-10; "word" before, when a group was a blank-separated word
    """

    embeddings: Mapping[str, int] = field(default_factory=dict)
    tokenizer: Literal["slow", "fast"] = "slow"
    ftfy: bool = False
    grouping: Literal["segment", "word"] = "segment"

    def __post_init__(self) -> None:
        check_choice(self, "tokenizer")
        check_choice(self, "grouping")
        check_flag(self, "ftfy")
        check_embeddings(self)


_SLOW, _SLOW_FTFY, _FAST = Reading("slow"), Reading("slow-ftfy"), Reading("fast")


def parse(text: str, options: Options) -> Parsed:
    return parse_comfy(text, embeddings=options.embeddings, by_word=options.grouping == "word")


def pack(line: ParsedLine, encoder: Encoder, model: Model, options: Options) -> EncoderUse:
    if encoder.vocabulary != "clip":
        return pack_comfy_t5(line, encoder, model, "5" if options.tokenizer == "fast" else "4")
    # Every CLIP encoder is read with the tokenizer files of SD1: "!" is never special here.
    reading = _FAST if options.tokenizer == "fast" else _SLOW_FTFY if options.ftfy else _SLOW
    return pack_groups(line, encoder, tokenizer(reading))


HOST = Host(
    name="comfyui",
    title="ComfyUI",
    parse=parse,
    pack=pack,
    options=Options,
    reference="ComfyUI 0.3.64 (a125cd84): comfy/sd1_clip.py, comfy/sdxl_clip.py; before 2024-12-10: a220d11e; observed. "
    "T5: comfy/text_encoders/; read, not observed",
    summary="Chunks of 75, cut anywhere, also within a word; a weighted group of fewer than 8 tokens moves on whole. Shows no count.",
    syntax=frozenset({"round", "weight", "embedding-prefix"}),
    families=CLIP_FAMILIES | {"cascade", "sd3", "flux", "chroma", "pixart", "hidream"},
    plain=lambda options: None if options.grouping == "word" else MARKS,
)
