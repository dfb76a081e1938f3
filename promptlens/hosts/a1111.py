"""AUTOMATIC1111's stable-diffusion-webui.

SD1 and the first encoder of SDXL are read with transformers' Python tokenizer and ftfy, SD2 and bigG with open_clip's. Both of SD3 are read
with the first, and T5 gets as many slots as CLIP's chunks have. It does not run Flux. Left out: styles, the hires prompt, the old emphasis
implementation, and embeddings stored in pictures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from promptlens.hosts import EncoderUse, Host, Parsed, ParsedLine
from promptlens.hosts._options import check_choice, check_embeddings, check_flag, check_range
from promptlens.hosts._t5 import cut_without_end, pack_other, t5_stream
from promptlens.hosts._webui import MARKS, pack_webui, parse_webui
from promptlens.models import CLIP_FAMILIES, Encoder, Model
from promptlens.tokens import Reading, tokenizer


@dataclass(frozen=True, slots=True)
class Options:
    """Settings of the webui that shape the windows, named as in its config.json where it has them.

    comma_padding_backtrack  tokens after the last comma that may move to the next chunk (0 to 74; 0: never)
    emphasis                 "None" reads brackets and BREAK as words
    steps                    sampling steps, for prompt editing
    embeddings               installed textual inversions: {name: vectors}, or a folder
    negative                 the text goes into the negative prompt box, where AND does not split
    """

    comma_padding_backtrack: int = 20
    emphasis: Literal["Original", "No norm", "Ignore", "None"] = "Original"
    steps: int = 20
    embeddings: Mapping[str, int] = field(default_factory=dict)
    negative: bool = False

    def __post_init__(self) -> None:
        check_range(self, "comma_padding_backtrack", 0, 74)
        check_range(self, "steps", 1, 1000)
        check_choice(self, "emphasis")
        check_flag(self, "negative")
        check_embeddings(self)


_HF = Reading("slow-ftfy")
_OPEN_CLIP = Reading("open_clip")
_READINGS = {"clip-l": _HF, "clip-h": _OPEN_CLIP, "clip-g": _OPEN_CLIP}
_SD3 = {"clip-l": _HF, "clip-g": _HF}


def parse(text: str, options: Options) -> Parsed:
    return parse_webui(text, steps=options.steps, emphasis=options.emphasis != "None", negative=options.negative)


def pack(line: ParsedLine, encoder: Encoder, model: Model, options: Options) -> EncoderUse:
    if encoder.vocabulary != "clip":
        return _pack_t5(line, encoder, model, options)
    readings = _READINGS if model.family in CLIP_FAMILIES else _SD3
    return pack_webui(
        line,
        encoder,
        tokenizer(readings[encoder.name]),
        backtrack=options.comma_padding_backtrack,
        embeddings=options.embeddings,
        names=readings[model.encoders[0].name],
    )


def _pack_t5(line: ParsedLine, encoder: Encoder, model: Model, options: Options) -> EncoderUse:
    """SD3's T5: one window of as many slots as CLIP's chunks have together. BREAK is left out of it, and so are weights.

    Read in modules/models/sd3/sd3_cond.py, not observed.
    """
    first = pack(line, model.encoders[0], model, options)
    fragments = [replace(fragment, weight=1.0) for fragment in line.fragments if fragment.kind != "break"]
    slots = sum(len(chunk.ids) for chunk in first.chunks)
    return pack_other(encoder, "4", lambda tokens: cut_without_end(t5_stream(tokens, fragments), encoder, slots))


HOST = Host(
    name="a1111",
    title="AUTOMATIC1111",
    parse=parse,
    pack=pack,
    options=Options,
    reference="stable-diffusion-webui 1.10.0: modules/sd_hijack_clip.py, modules/prompt_parser.py, modules/sd_emphasis.py; observed. "
    "SD3: modules/models/sd3/sd3_cond.py; read, not observed",
    summary="Chunks of 75. Moves the words after the last comma on if it is at most 20 tokens back. BREAK starts a new chunk.",
    syntax=frozenset({"round", "square", "weight", "break", "and", "schedule", "network", "comment", "embedding-name"}),
    families=CLIP_FAMILIES | {"sd3"},
    counter=True,
    plain=lambda options: None if options.embeddings else MARKS,
)
