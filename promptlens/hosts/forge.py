"""stable-diffusion-webui-forge.

It reads and cuts prompts as AUTOMATIC1111 does, but reads every encoder with a Hugging Face tokenizer and ftfy, moves words after a comma
from at most 20 tokens back (not a setting here), and trims the white space around the prompt. T5 has chunks of its own, parted by BREAK
alone; Flux takes the summary of CLIP's first chunk. Left out: styles, and the rough count it shows before a model is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from promptlens.hosts import EncoderUse, Host, Parsed, ParsedLine
from promptlens.hosts._forge_t5 import pack_forge_t5
from promptlens.hosts._options import check_choice, check_embeddings, check_range
from promptlens.hosts._webui import MARKS, pack_webui, parse_webui
from promptlens.models import CLIP_FAMILIES, Encoder, Model
from promptlens.tokens import Reading, tokenizer

BACKTRACK = 20


@dataclass(frozen=True, slots=True)
class Options:
    """Settings of Forge that shape the windows.

    emphasis    "None" reads brackets and BREAK as words
    steps       sampling steps, for prompt editing
    embeddings  installed textual inversions: {name: vectors}, or a folder
    negative    the text goes into the negative prompt box, where AND does not split
    """

    emphasis: Literal["Original", "No norm", "Ignore", "None"] = "Original"
    steps: int = 20
    embeddings: Mapping[str, int] = field(default_factory=dict)
    negative: bool = False

    def __post_init__(self) -> None:
        check_range(self, "steps", 1, 1000)
        check_choice(self, "emphasis")
        check_embeddings(self)


def parse(text: str, options: Options) -> Parsed:
    return parse_webui(text, steps=options.steps, emphasis=options.emphasis != "None", negative=options.negative, strip=True)


def pack(line: ParsedLine, encoder: Encoder, model: Model, options: Options) -> EncoderUse:
    if encoder.vocabulary != "clip":
        return pack_forge_t5(line, encoder, model)
    # The tokenizer folders of the encoders that pad with id 0 name "!" as their pad token, which makes it special in the text too.
    reading = Reading("slow-ftfy", bang=encoder.pad == 0)
    use = pack_webui(line, encoder, tokenizer(reading), backtrack=BACKTRACK, embeddings=options.embeddings, names=reading)
    return use if model.family in CLIP_FAMILIES else replace(use, shown_count=None)  # the page counts T5's tokens


HOST = Host(
    name="forge",
    title="Forge",
    parse=parse,
    pack=pack,
    options=Options,
    reference="stable-diffusion-webui-forge dfdcbab6: backend/text_processing/classic_engine.py, modules/processing.py; observed. "
    "T5: backend/text_processing/t5_engine.py; read, not observed",
    summary="Chunks of 75. Moves the words after the last comma on if it is at most 20 tokens back. BREAK starts a new chunk.",
    syntax=frozenset({"round", "square", "weight", "break", "and", "schedule", "network", "comment", "embedding-name"}),
    families=CLIP_FAMILIES | {"sd3", "flux", "chroma"},
    counter=True,
    plain=lambda options: None if options.embeddings else MARKS,
)
