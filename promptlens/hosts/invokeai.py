"""InvokeAI: prompts for SD1, SD2 and SDXL, through compel.

Prompts are never cut off: every encoder reads windows that end after the last sentence that fits. With SDXL and an empty prompt it skips
the encoders and uses zeros. Left out: textual inversions (`<name>`), dynamic prompts, and its other model families.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from promptlens.hosts import EncoderUse, Host, Parsed, ParsedLine
from promptlens.hosts._compel import parse_prompt
from promptlens.hosts._compel_pack import pack_compel
from promptlens.hosts._options import check_choice
from promptlens.models import Encoder, Model
from promptlens.tokens import Reading, tokenizer


@dataclass(frozen=True, slots=True)
class Options:
    """What InvokeAI asks of compel. There is nothing to set: the fields are here so that options for compel fit."""

    truncate_long_prompts: Literal[False] = False
    split_long_text_mode: Literal["SENTENCES"] = "SENTENCES"

    def __post_init__(self) -> None:
        check_choice(self, "truncate_long_prompts")
        check_choice(self, "split_long_text_mode")


def parse(text: str, options: Options) -> Parsed:
    return parse_prompt(text)


def pack(line: ParsedLine, encoder: Encoder, model: Model, options: Options) -> EncoderUse:
    # transformers 5.5, which InvokeAI pins, finds special tokens in any case with every tokenizer.
    return pack_compel(line, encoder, tokenizer(Reading("fast", bang=encoder.pad == 0, fold=True)))


HOST = Host(
    name="invokeai",
    title="InvokeAI",
    parse=parse,
    pack=pack,
    options=Options,
    reference="InvokeAI 6.14.0-alpha (8e71a8a5) with compel 2.5.1 and transformers 5.5.4: invokeai/app/invocations/compel.py; observed",
    summary="Chunks of at most 75, cut after the last full stop, or else comma or word. .and() starts a new chunk. (x:1.2) is text.",
    syntax=frozenset({"plus", "number-weight", "conjunction", "blend", "swap", "lora-call"}),
)
