"""Plainhost: one window of CLIP, no syntax at all. What does not fit is dropped from the last whole word on."""

from __future__ import annotations

from dataclasses import dataclass

from promptlens.errors import OptionError
from promptlens.hosts import EncoderUse, Fragment, Host, Parsed, ParsedLine, Stream, make_chunk
from promptlens.models import Encoder, Model
from promptlens.tokens import Reading, tokenizer


@dataclass(frozen=True, slots=True)
class Options:
    """keep  tokens that are kept at most"""

    keep: int = 75

    def __post_init__(self) -> None:
        if not 1 <= self.keep <= 75:
            raise OptionError(f"keep must be a whole number from 1 to 75, not {self.keep!r}.")


def parse(text: str, options: Options) -> Parsed:
    return Parsed((ParsedLine(text, (Fragment(text),)),))


def pack(line: ParsedLine, encoder: Encoder, model: Model, options: Options) -> EncoderUse:
    stream = Stream(tokenizer(Reading("fast")))
    for fragment in line.fragments:
        stream.add(fragment)
    count = len(stream)
    kept = min(count, options.keep)
    while 0 < kept < count and stream.tokens[kept - 1].word == stream.tokens[kept].word:
        kept -= 1
    lost = ((kept, count),) if kept < count else ()
    return EncoderUse(encoder, (make_chunk(stream, 0, kept, encoder, "full" if lost else "end"),), lost, count, stream)


HOST = Host(
    name="plainhost",
    title="Plainhost",
    parse=parse,
    pack=pack,
    options=Options,
    reference="invented for this example",
    summary="One window of 75 tokens, cut between words; the rest is lost. No syntax.",
    observed=False,
)
