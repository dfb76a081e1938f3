"""sd_embed: long weighted prompts for diffusers pipelines.

It reads AUTOMATIC1111's weights, tokenises each weighted piece on its own and cuts the tokens into groups of 75 wherever that falls. The
shorter of the positive and the negative prompt is padded with end tokens to the length of the other. BREAK is a word of weight -1. Left
out: its functions for SD3, Flux and Stable Cascade.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from promptlens.hosts import Chunk, EncoderUse, Fragment, Host, HostFailure, Parsed, ParsedLine, Stream, ones
from promptlens.hosts._emphasis import parse_emphasis
from promptlens.hosts._hf import hf_reading
from promptlens.hosts._options import check_choice
from promptlens.models import Encoder, Model
from promptlens.spans import Origin, Run, Span
from promptlens.tokens import tokenizer


@dataclass(frozen=True, slots=True)
class Options:
    """Arguments of sd_embed's functions that shape the windows, and the tokenizer under them.

    pad_last_block   fill the last group with end tokens (None: as the functions do by default, for models of several encoders)
    negative_prompt  the other prompt of the call; a longer one pads this one
    tokenizer        "fast" with transformers 5, "slow" with 4
    ftfy             whether ftfy is installed, which changes how the slow tokenizer cleans text
    """

    pad_last_block: bool | None = None
    negative_prompt: str = ""
    tokenizer: Literal["fast", "slow"] = "fast"
    ftfy: bool = False

    def __post_init__(self) -> None:
        check_choice(self, "tokenizer")


# The host puts this word in place of an empty prompt.
EMPTY = "empty"


def parse(text: str, options: Options) -> Parsed:
    return Parsed((ParsedLine(text, _fragments(text)),))


def _fragments(text: str) -> tuple[Fragment, ...]:
    if not text:
        return (Fragment(EMPTY, origin=Origin((Run(0, len(EMPTY), 0, 0),))),)
    return tuple(replace(f, kind="text") for f in parse_emphasis(text, tight=True))


def pack(line: ParsedLine, encoder: Encoder, model: Model, options: Options) -> EncoderUse:
    stream = _stream(line.fragments, encoder, options)
    negative = _negative(options)
    count, total = len(stream), max(len(stream), len(_stream(negative, encoder, options)))
    if not total:
        raise HostFailure("RuntimeError", "Neither prompt has a token; the host stops with an error on an empty list.", _all(line))
    groups = -(-total // encoder.capacity)
    # It encodes as many groups as the first tokenizer made, for every encoder.
    first = model.encoders[0]
    encoded = groups if encoder is first else _groups(line, negative, first, options)
    if groups < encoded:
        raise HostFailure(
            "IndexError", f"{encoder.title} has fewer groups than {first.title}; the host stops with an error on this prompt.", _all(line)
        )
    padded = options.pad_last_block if options.pad_last_block is not None else len(model.encoders) > 1
    chunks = [_chunk(stream, n, groups, total, encoder, padded, n < encoded) for n in range(groups)]
    reached = min(encoded * encoder.capacity, count)
    return EncoderUse(encoder, tuple(chunks), ((reached, count),) if reached < count else (), count, stream)


def _negative(options: Options) -> tuple[Fragment, ...]:
    try:
        return _fragments(options.negative_prompt)
    except HostFailure as failure:
        raise HostFailure(failure.error, f"In the negative prompt: {failure}", Span(0, 0)) from None


def _groups(line: ParsedLine, negative: tuple[Fragment, ...], encoder: Encoder, options: Options) -> int:
    lengths = [len(_stream(fragments, encoder, options)) for fragments in (line.fragments, negative)]
    return -(-max(lengths) // encoder.capacity)


def _stream(fragments: tuple[Fragment, ...], encoder: Encoder, options: Options) -> Stream:
    stream = Stream(tokenizer(hf_reading(encoder, options.tokenizer, options.ftfy)))
    for fragment in fragments:
        stream.add(fragment)
    return stream


def _chunk(stream: Stream, number: int, groups: int, total: int, encoder: Encoder, padded: bool, encoded: bool) -> Chunk:
    """A group with BOS and EOS. One that is made but never `encoded` keeps its ids and has no tokens."""
    capacity, eos = encoder.capacity, encoder.eos
    start = number * capacity
    size = capacity if padded or number < groups - 1 else total - start
    content = stream.ids[start : start + capacity]
    fill = size - len(content)
    weights = ones(size + 2)
    if stream.weights is not None:
        weights = (1.0, *stream.weights[start : start + capacity], *ones(fill + 1))
    start = min(start, len(stream))
    stop = start + len(content)
    ids = (encoder.start, *content, *(eos,) * fill, eos)
    return Chunk(ids, weights, "full" if stop < len(stream) else "end", start if encoded else stop, stop, stream)


def _all(line: ParsedLine) -> Span:
    return Span(0, len(line.text))


HOST = Host(
    name="sd_embed",
    title="sd_embed",
    parse=parse,
    pack=pack,
    options=Options,
    reference="sd_embed 1.240829.1 (4a47f711) with transformers 5.23: src/sd_embed/embedding_funcs.py; observed",
    summary="Chunks of 75, cut anywhere, also within a word; weights as in AUTOMATIC1111. BREAK is read as a word.",
    syntax=frozenset({"round", "square", "weight"}),
)
