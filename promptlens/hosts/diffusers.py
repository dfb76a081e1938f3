"""diffusers: the `encode_prompt` of its Stable Diffusion and SDXL pipelines.

One window. The first 75 tokens stay, the rest is dropped, and a warning names it. No weights, no BREAK: all syntax is text. Each tokenizer
of SDXL and SD3 cuts on its own, and T5 at max_sequence_length. A textual inversion is a set of added tokens `name`, `name_1`, ...: the
pipeline writes them out wherever the name occurs in the prompt. Left out: the pipelines' callers that split prompts themselves (compel,
sd_embed have their own rows).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from promptlens.hosts import EncoderUse, Host, Parsed, ParsedLine, Stream, make_chunk, new_fragment, new_line, new_parsed, new_use
from promptlens.hosts._added_tokens import AddedTokens
from promptlens.hosts._hf import hf_reading
from promptlens.hosts._options import check_choice, check_embeddings, check_flag, check_range
from promptlens.hosts._t5 import cut_at, pack_other, t5_stream
from promptlens.models import CLIP_FAMILIES, Encoder, Model
from promptlens.tokens import tokenizer
from promptlens.unigram import Build, UnigramTokenizer


@dataclass(frozen=True, slots=True)
class Options:
    """What shapes the window in diffusers.

    embeddings  textual inversions loaded with load_textual_inversion: {token: vectors}, in the order they were loaded
    tokenizer   "fast" with transformers 5 (today's diffusers cannot be imported with 4), "slow" with 4
    ftfy        whether ftfy is installed, which changes how the slow tokenizer cleans text
    negative    the text is the negative prompt, which the pipelines of SD1, SD2 and SDXL cut without a warning
    max_sequence_length  slots of T5's window; None: what the pipeline has, 256 for SD3 and 512 for Flux
    """

    embeddings: Mapping[str, int] = field(default_factory=dict)
    tokenizer: Literal["fast", "slow"] = "fast"
    ftfy: bool = False
    negative: bool = False
    max_sequence_length: int | None = None

    def __post_init__(self) -> None:
        if self.max_sequence_length is not None:
            check_range(self, "max_sequence_length", 1, 512)
        check_choice(self, "tokenizer")
        check_flag(self, "ftfy")
        check_flag(self, "negative")
        check_embeddings(self)


# tokenizer_max_length - 1 of the pipelines, where the warning of T5's cut begins to quote.
WARNED_FROM = 76


def parse(text: str, options: Options) -> Parsed:
    return new_parsed((new_line(text, (new_fragment(text),)),))


def pack(line: ParsedLine, encoder: Encoder, model: Model, options: Options) -> EncoderUse:
    if encoder.vocabulary != "clip":
        build: Build = "5" if options.tokenizer == "fast" else "4"
        return pack_other(encoder, build, lambda tokens: _pack_t5(line, encoder, tokens, options))
    tokens = tokenizer(hf_reading(encoder, options.tokenizer, options.ftfy))
    stream = Stream(tokens)
    # Textual inversions are loaded into the first tokenizers; SD3's pipeline takes none.
    loads = options.embeddings and model.family != "sd3"
    added = AddedTokens(options.embeddings, tokens) if loads else None
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
    if not options.negative or model.family not in CLIP_FAMILIES:
        ids = stream.ids[capacity:]
        removed = added.decode(ids) if added else stream.tokenizer.vocabulary.decode(ids)
        removed = _tidied(removed) if options.tokenizer == "slow" and model.family in _TIDIED_FAMILIES else removed
    return EncoderUse(encoder, (chunk,), ((capacity, count),), count, stream, removed)


def _pack_t5(line: ParsedLine, encoder: Encoder, tokens: UnigramTokenizer, options: Options) -> EncoderUse:
    """T5's window. The warning names what comes after CLIP's 77 slots, whatever T5 itself keeps: so the pipelines of SD3 and Flux do."""
    length = options.max_sequence_length or encoder.window
    use = cut_at(t5_stream(tokens, line.fragments), encoder, length)
    if not use.lost_places or use.stream is None:
        return use
    return replace(use, removed_text=tokens.vocabulary.decode(use.stream.ids[WARNED_FROM:]))


# The tokenizer_config.json of these asks the Python tokenizer's decode to take some blanks out again, which it does in this order
# (transformers 4, clean_up_tokenization); that of SD1 does not.
_TIDIED_FAMILIES = frozenset({"sdxl", "sdxl-refiner"})
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
    reference="diffusers 0.42.1 with transformers 5.23: encode_prompt of the pipelines of SD1, SDXL, SD3 and Flux; observed",
    summary="One window of 75 tokens; the rest is lost. Weights and BREAK are read as words.",
    syntax=frozenset({"embedding-name"}),
    families=CLIP_FAMILIES | {"sd3", "flux"},
    plain=lambda options: None if options.embeddings else "",
)
