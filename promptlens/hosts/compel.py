"""compel: weighted prompts for diffusers pipelines.

`word++`, `(words)1.2` and `"words"-` weigh; `.and()` sends several texts one after the other, `.blend()` mixes them, `.swap()` encodes the
original words. A long prompt is cut after the last sentence that fits, or else the last phrase or word. AUTOMATIC1111's `(x:1.2)` is text
here. Left out: textual inversions, and models whose encoders are not CLIP.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from promptlens.hosts import EncoderUse, Host, HostFailure, Parsed, ParsedLine
from promptlens.hosts._compel import parse_prompt
from promptlens.hosts._compel_pack import SplitMode, pack_compel
from promptlens.hosts._hf import hf_reading
from promptlens.hosts._options import check_choice
from promptlens.models import Encoder, Model
from promptlens.spans import Span
from promptlens.tokens import tokenizer


@dataclass(frozen=True, slots=True)
class Options:
    """Arguments of `Compel` that shape the windows, and the tokenizer under it.

    truncate_long_prompts     only the first 75 tokens; `Compel` does so unless told otherwise, CompelForSD and CompelForSDXL do not
    split_long_text_mode      where a window of a long prompt may end; "BRUTAL": anywhere
    downweight_mode           how weights below 1 are made: matters to the conditioning, not to the windows
    returned_embeddings_type  which hidden layer is used (None: as the model wants it): matters to the conditioning only
    tokenizer                 "fast" with transformers 5, "slow" with 4
    ftfy                      whether ftfy is installed, which changes how the slow tokenizer cleans text
    """

    truncate_long_prompts: bool = False
    split_long_text_mode: SplitMode = "SENTENCES"
    downweight_mode: Literal["MASK", "REMOVE"] = "MASK"
    returned_embeddings_type: Literal[
        None, "LAST_HIDDEN_STATES_NORMALIZED", "PENULTIMATE_HIDDEN_STATES_NORMALIZED", "PENULTIMATE_HIDDEN_STATES_NON_NORMALIZED"
    ] = None
    tokenizer: Literal["fast", "slow"] = "fast"
    ftfy: bool = False

    def __post_init__(self) -> None:
        for name in ("split_long_text_mode", "downweight_mode", "returned_embeddings_type", "tokenizer"):
            check_choice(self, name)


def parse(text: str, options: Options) -> Parsed:
    return parse_prompt(text)


def pack(line: ParsedLine, encoder: Encoder, model: Model, options: Options) -> EncoderUse:
    if line.weight != 1 and encoder.pooled:
        why = "Weights in .and() cannot be encoded where the model also wants the pooled vector; compel stops with an error."
        raise HostFailure("AttributeError", why, line.fragments[0].span if line.fragments else Span(0, 0))
    return pack_compel(
        line,
        encoder,
        tokenizer(hf_reading(encoder, options.tokenizer, options.ftfy)),
        truncate=options.truncate_long_prompts,
        mode=options.split_long_text_mode,
        masked=options.downweight_mode == "MASK",
    )


HOST = Host(
    name="compel",
    title="compel",
    parse=parse,
    pack=pack,
    options=Options,
    reference="compel 2.5.1 with transformers 5.23: prompt_parser.py, embeddings_provider.py; observed",
    summary="Chunks of at most 75, cut after the last full stop, or else comma or word. .and() starts a new chunk. (x:1.2) is text.",
    syntax=frozenset({"plus", "number-weight", "conjunction", "blend", "swap", "lora-call"}),
)
