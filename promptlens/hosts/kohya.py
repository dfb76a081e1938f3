"""kohya's sd-scripts: how it reads a training caption.

A caption is the first line of its text. Its tokens are cut at `max_token_length` and always fill as many windows as that allows, empty
ones included: no regard for commas or words, no BREAK. Weights are read only with `weighted_captions`, where each weighted piece is
tokenised on its own. Left out: what the dataset settings do to captions before (shuffling, dropping, wildcards).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from promptlens.hosts import Chunk, EncoderUse, Fragment, Host, Parsed, ParsedLine, Stream, make_chunk, ones
from promptlens.hosts._emphasis import parse_emphasis
from promptlens.hosts._options import check_choice
from promptlens.models import Encoder, Model
from promptlens.spans import Origin
from promptlens.tokens import Reading, tokenizer


@dataclass(frozen=True, slots=True)
class Options:
    """Training arguments of sd-scripts that shape the windows.

    max_token_length    tokens of a caption that are kept: one, two or three windows (None: as 75)
    weighted_captions   read `(x:1.2)`, `(x)` and `[x]`
    """

    max_token_length: Literal[None, 75, 150, 225] = 225
    weighted_captions: bool = False

    def __post_init__(self) -> None:
        check_choice(self, "max_token_length")


# "!" is the pad token in the tokenizer folder of SD2.1, and so special in captions. For SDXL the pad id is set to 0 after loading.
_PLAIN = Reading("slow-ftfy")
_READINGS = {"clip-l": _PLAIN, "clip-g": _PLAIN, "clip-h": Reading("slow-ftfy", bang=True)}


def parse(text: str, options: Options) -> Parsed:
    caption, newline, ignored = text.partition("\n")
    fragments = parse_emphasis(caption, breaks=False, tight=True) if options.weighted_captions else (Fragment(caption),)
    line = ParsedLine(caption, fragments)
    if not ignored.strip():
        return Parsed((line,))
    start = len(caption) + len(newline)
    return Parsed((line,), (Fragment(ignored, kind="ignored", origin=Origin.of_slices([(start, len(text))])),))


def pack(line: ParsedLine, encoder: Encoder, model: Model, options: Options) -> EncoderUse:
    stream = Stream(tokenizer(_READINGS[encoder.name]))
    for fragment in line.fragments:
        stream.add(fragment)
    room = options.max_token_length or encoder.capacity
    count = len(stream)
    kept = min(count, room)
    if room <= encoder.capacity:
        chunks = [make_chunk(stream, 0, kept, encoder, "full" if count > kept else "end")]
    else:
        chunks = list(_slices(stream, kept, room, encoder))
    lost = [(c.start - 1, c.start) for c in chunks if c.start % encoder.capacity == 1 and c.start - 1 < kept]
    if count > kept:
        lost.append((kept, count))
    # What its tokenizer counts in the caption: with the brackets and numbers of weights.
    shown = stream.tokenizer.count(line.text) if options.weighted_captions else count
    return EncoderUse(encoder, tuple(chunks), tuple(lost), shown, stream)


def _slices(stream: Stream, kept: int, room: int, encoder: Encoder) -> Iterator[Chunk]:
    """The windows that the padded sequence of BOS, tokens, EOS is sliced into, each with its first and last id put back."""
    bos, eos, pad, capacity = encoder.bos, encoder.eos, encoder.pad, encoder.capacity
    content = [*stream.ids[:kept], eos, *(pad,) * (room - kept)]
    last = content[room]
    weights = [*(stream.weights or ones(len(stream)))[:kept], *ones(room - kept)]
    for at in range(0, room, capacity):
        ids = content[at : at + capacity]
        start, stop = min(at, kept), min(at + capacity, kept)
        if pad == eos:
            end = last
        else:
            end = last if ids[-1] in (eos, pad) else eos
            if ids[0] == pad:  # taken for an empty window, also where it is a "!" of the caption: it is overwritten
                ids[0] = eos
                start = min(start + 1, stop)
        yield Chunk(
            (bos, *ids, end), (1.0, *weights[at : at + capacity], 1.0), "full" if stop < len(stream) else "end", start, stop, stream
        )


HOST = Host(
    name="kohya",
    title="kohya sd-scripts",
    parse=parse,
    pack=pack,
    options=Options,
    reference="sd-scripts 48d368fa with transformers 4.54.1 and ftfy: library/strategy_base.py, library/strategy_sdxl.py; observed",
    summary="The first line of a caption, cut at max_token_length into windows of 75, also within a word. The rest is lost.",
    syntax=frozenset({"round", "square", "weight"}),
)
