"""kohya's sd-scripts: how it reads a training caption.

A caption is the first line of its text. Its tokens are cut at `max_token_length` and always fill as many windows as that allows, empty ones
included: no regard for commas or words, no BREAK. Weights are read only with `weighted_captions`, where each weighted piece is tokenised on
its own. SD3 and Flux have one window for each CLIP encoder and one of T5; they read no weights. Left out: what the dataset settings do to
captions before (shuffling, dropping, wildcards).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from promptlens.hosts import Chunk, EncoderUse, Fragment, Host, HostFailure, Parsed, ParsedLine, Stream, make_chunk, ones
from promptlens.hosts._emphasis import parse_emphasis
from promptlens.hosts._options import check_choice, check_range
from promptlens.hosts._t5 import cut_at, pack_other, t5_stream
from promptlens.models import CLIP_FAMILIES, Encoder, Model
from promptlens.spans import Origin, Span
from promptlens.tokens import Reading, tokenizer


@dataclass(frozen=True, slots=True)
class Options:
    """Training arguments of sd-scripts that shape the windows.

    max_token_length    tokens of a caption that are kept: one, two or three windows (None: as 75)
    weighted_captions   read `(x:1.2)`, `(x)` and `[x]`; not for SD3 and Flux
    t5xxl_max_token_length  slots of T5's window; None: 256 for SD3 and Flux schnell, 512 for Flux dev
    """

    max_token_length: Literal[None, 75, 150, 225] = 225
    weighted_captions: bool = False
    t5xxl_max_token_length: int | None = None

    def __post_init__(self) -> None:
        if self.t5xxl_max_token_length is not None:
            check_range(self, "t5xxl_max_token_length", 1, 1024)
        check_choice(self, "max_token_length")


WEIGHT_DECIMALS = 6

# "!" is the pad token in the tokenizer folder of SD2.1, and so special in captions. For SDXL the pad id is set to 0 after loading.
_PLAIN = Reading("slow-ftfy")
_READINGS = {"clip-l": _PLAIN, "clip-g": _PLAIN, "clip-h": Reading("slow-ftfy", bang=True)}


def parse(text: str, options: Options) -> Parsed:
    caption, newline, ignored = text.partition("\n")
    line = ParsedLine(caption, _weighted(caption) if options.weighted_captions else (Fragment(caption),))
    if not ignored.strip():
        return Parsed((line,))
    start = len(caption) + len(newline)
    return Parsed((line,), (Fragment(ignored, kind="ignored", origin=Origin.of_slices([(start, len(text))])),))


def _weighted(caption: str) -> tuple[Fragment, ...]:
    """Pieces with their weights, to as many decimals as were observed (the host holds them in single precision)."""
    pieces = parse_emphasis(caption, breaks=False, tight=True)
    return tuple(replace(piece, weight=round(piece.weight, WEIGHT_DECIMALS)) for piece in pieces)


def pack(line: ParsedLine, encoder: Encoder, model: Model, options: Options) -> EncoderUse:
    new = model.family not in CLIP_FAMILIES
    if new and options.weighted_captions:
        raise HostFailure(
            "NotImplementedError", f"Weighted captions do not go with {model.title}; training stops.", Span(0, len(line.text))
        )
    if encoder.vocabulary != "clip":
        length = options.t5xxl_max_token_length or encoder.window
        return pack_other(encoder, "4", lambda tokens: cut_at(t5_stream(tokens, line.fragments), encoder, length))
    stream = Stream(tokenizer(_READINGS[encoder.name]))
    for fragment in line.fragments:
        stream.add(fragment)
    room = encoder.capacity if new else options.max_token_length or encoder.capacity
    count = len(stream)
    kept = min(count, room)
    lost: list[tuple[int, int]] = []
    if room <= encoder.capacity:
        chunks = [make_chunk(stream, 0, kept, encoder, "full" if count > kept else "end")]
    else:
        chunks = [_slice(stream, at, kept, room, encoder, lost) for at in range(0, room, encoder.capacity)]
    if count > kept:
        lost.append((kept, count))
    # What its tokenizer counts in the caption: with the brackets and numbers of weights.
    shown = stream.tokenizer.count(line.text) if options.weighted_captions else count
    return EncoderUse(encoder, tuple(chunks), tuple(lost), shown, stream)


def _slice(stream: Stream, at: int, kept: int, room: int, encoder: Encoder, lost: list[tuple[int, int]]) -> Chunk:
    """The window cut at a place out of the padded sequence of BOS, tokens and EOS, its first and last id put back."""
    eos, pad, capacity = encoder.eos, encoder.pad, encoder.capacity
    start, stop = min(at, kept), min(at + capacity, kept)
    fill = [eos, *(pad,) * room] if at <= kept < at + capacity else [pad] * capacity
    ids = [*stream.ids[start:stop], *fill][:capacity]
    weights = ones(capacity + 2)
    if stream.weights is not None:
        weights = (1.0, *stream.weights[start:stop], *ones(capacity - (stop - start) + 1))
    last = eos if kept == room else pad  # of the whole sequence
    lead = 1
    if pad != eos:
        if ids[-1] not in (eos, pad):
            last = eos
        if ids[0] == pad:  # taken for an empty window, also where it is a "!" of the caption: it is overwritten
            ids[0] = eos
            lost += [(start, start + 1)] if start < stop else []
            start, lead = (start + 1, 2) if start < stop else (start, 1)
    return Chunk((encoder.start, *ids, last), weights, "full" if stop < len(stream) else "end", start, stop, stream, lead=lead)


HOST = Host(
    name="kohya",
    title="kohya sd-scripts",
    parse=parse,
    pack=pack,
    options=Options,
    reference="sd-scripts 48d368fa with transformers 4.54.1 and ftfy: library/strategy_base.py, library/strategy_sdxl.py; observed. "
    "SD3 and Flux: library/strategy_sd3.py, library/strategy_flux.py; read, not observed",
    summary="The first line of a caption, cut at max_token_length into windows of 75, also within a word. The rest is lost.",
    syntax=frozenset({"round", "square", "weight"}),
    families=CLIP_FAMILIES | {"sd3", "flux"},
    # a "!" may be id 0, the pad of bigG, which is taken for the start of an empty window
    plain=lambda options: None if options.weighted_captions else "!",
)
