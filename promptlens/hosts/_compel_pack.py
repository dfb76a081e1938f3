"""How compel cuts tokens into windows, where it breaks off, and on what it fails. InvokeAI uses it too.

Observed in compel 2.5.1, embeddings_provider.py.
"""

from __future__ import annotations

from typing import Literal

from promptlens.hosts import Chunk, Cut, EncoderUse, HostFailure, ParsedLine, Stream, make_chunk
from promptlens.models import Encoder
from promptlens.tokens import Tokenizer
from promptlens.vocab import END_OF_WORD

SplitMode = Literal["SENTENCES", "PHRASES", "WORDS", "BRUTAL"]

_SENTENCE = frozenset({269})  # ".</w>"
_PHRASE = frozenset({269, 267, 282, 281})  # . , ; : at the end of a word


def pack_compel(
    line: ParsedLine, encoder: Encoder, tokenizer: Tokenizer, *, truncate: bool = False, mode: SplitMode = "SENTENCES", masked: bool = True
) -> EncoderUse:
    """Chunks of a text.

    `truncate`: the first window only. `mode`: where a window may end. `masked`: fragments of weight below 1 are masked out (compel's
    default), which fails for one without tokens.
    """
    stream = Stream(tokenizer)
    beyond = False
    for fragment in line.fragments:
        before = len(stream)
        stream.add(fragment)
        if len(stream) > before:
            beyond = beyond or (truncate and before >= encoder.capacity)
        elif masked and fragment.weight < 1 and not beyond:
            raise HostFailure("TypeError", "A weight below 1 on no words at all; compel stops with an error.", fragment.span)
    if not line.fragments:
        return EncoderUse(encoder, (), (), 0, stream)
    count, start = len(stream), 0
    chunks: list[Chunk] = []
    while not chunks or (start < count and not truncate):
        stop, cut = _split(stream, start, encoder.capacity, "BRUTAL" if truncate else mode)
        chunks.append(make_chunk(stream, start, stop, encoder, cut))
        start = stop
    return EncoderUse(encoder, tuple(chunks), ((start, count),) if start < count else (), count, stream)


def _split(stream: Stream, start: int, capacity: int, mode: SplitMode) -> tuple[int, Cut]:
    """Where the window that begins at a place ends: after the last sentence in it, or else the last phrase, or else the last word."""
    limit = start + capacity
    if len(stream) <= limit:
        return len(stream), "end"
    for ends, cut in ((_SENTENCE, "sentence"), (_PHRASE, "comma")):
        if mode == "SENTENCES" or (mode == "PHRASES" and cut == "comma"):
            for at in range(limit - 1, start - 1, -1):
                if stream.ids[at] in ends:
                    return at + 1, "sentence" if stream.ids[at] in _SENTENCE else "comma"
    piece = stream.tokenizer.vocabulary.piece
    for at in range(limit - 1, start - 1, -1) if mode != "BRUTAL" else ():
        if piece(stream.ids[at]).endswith(END_OF_WORD):
            return at + 1, "full" if at == limit - 1 else "group"
    return limit, "full"
