"""diffusers: the `encode_prompt` of its Stable Diffusion and SDXL pipelines.

One window. The first 75 tokens stay, the rest is dropped, and a warning names it. No weights, no BREAK: all syntax is text. Each tokenizer
of SDXL cuts on its own. A textual inversion is a set of added tokens `name`, `name_1`, ...: the pipeline writes them out wherever the
name occurs in the prompt. Left out: the pipelines' callers that split prompts themselves (compel, sd_embed have their own rows).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from promptlens.hosts import EncoderUse, Host, Parsed, ParsedLine, Stream, make_chunk, new_fragment, new_line, new_parsed, new_use
from promptlens.hosts._added_tokens import AddedTokens
from promptlens.hosts._hf import hf_reading
from promptlens.hosts._options import check_choice, check_embeddings, check_flag
from promptlens.models import Encoder, Model
from promptlens.tokens import tokenizer


@dataclass(frozen=True, slots=True)
class Options:
    """What shapes the window in diffusers.

    embeddings  textual inversions loaded with load_textual_inversion: {token: vectors}, in the order they were loaded
    tokenizer   "fast" with transformers 5 (today's diffusers cannot be imported with 4), "slow" with 4
    ftfy        whether ftfy is installed, which changes how the slow tokenizer cleans text
    negative    the text is the negative prompt, which is cut without a warning
    """

    embeddings: Mapping[str, int] = field(default_factory=dict)
    tokenizer: Literal["fast", "slow"] = "fast"
    ftfy: bool = False
    negative: bool = False

    def __post_init__(self) -> None:
        check_choice(self, "tokenizer")
        check_flag(self, "ftfy")
        check_flag(self, "negative")
        check_embeddings(self)


def parse(text: str, options: Options) -> Parsed:
    return new_parsed((new_line(text, (new_fragment(text),)),))


def pack(line: ParsedLine, encoder: Encoder, model: Model, options: Options) -> EncoderUse:
    stream = Stream(tokenizer(hf_reading(encoder, options.tokenizer, options.ftfy)))
    added = AddedTokens(options.embeddings, stream.tokenizer) if options.embeddings else None
    if added is None:
        stream.add(line.fragments[0])
    else:
        for fragment, token_id in added.fragments(line.text):
            if token_id is None:
                stream.add(fragment)
            else:
                stream.add_vectors(fragment, fragment.text, 1, token_id)
    count, capacity = len(stream), encoder.capacity
    if count <= capacity:
        return new_use(encoder, (make_chunk(stream, 0, count, encoder, "end"),), (), count, stream)
    chunk = make_chunk(stream, 0, capacity, encoder, "full")
    removed = None
    if not options.negative:
        ids = stream.ids[capacity:]
        removed = added.decode(ids) if added else stream.tokenizer.vocabulary.decode(ids)
        removed = _tidied(removed) if options.tokenizer == "slow" and model.name in _TIDIED_MODELS else removed
    return EncoderUse(encoder, (chunk,), ((capacity, count),), count, stream, removed)


# The tokenizer_config.json of these asks the Python tokenizer's decode to take some blanks out again, which it does in this order
# (transformers 4, clean_up_tokenization); that of SD1 does not.
_TIDIED_MODELS = frozenset({"sdxl"})
_UNSPACED = (" .", " ?", " !", " ,", " ' ", " n't", " 'm", " 's", " 've", " 're")


def _tidied(text: str) -> str:
    for piece in _UNSPACED:
        text = text.replace(piece, piece.strip())
    return text


HOST = Host(
    name="diffusers",
    title="diffusers",
    parse=parse,
    pack=pack,
    options=Options,
    reference="diffusers 0.42.1 with transformers 5.23: encode_prompt of StableDiffusionPipeline and StableDiffusionXLPipeline; observed",
    summary="One window of 75 tokens; the rest is lost. Weights and BREAK are read as words.",
    syntax=frozenset({"embedding-name"}),
)
