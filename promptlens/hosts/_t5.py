"""What the hosts share that run models with T5 in them: its vocabulary if it is here, and its windows.

A T5 window has no start token: tokens, the end token (id 1), padding (id 0). Its length is the host's to choose.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from promptlens.errors import VocabularyError
from promptlens.hosts import Chunk, Cut, EncoderUse, Fragment, Stream, ones
from promptlens.models import Encoder
from promptlens.t5_files import FETCH, find_file, named_file
from promptlens.unigram import Build, UnigramTokenizer, load_tokenizer

MISSING = f"its vocabulary is not on this machine. Fetch it (2 MB): {FETCH}; or name it: --tokenizer FILE"
UNREAD = "PromptLens does not read its vocabulary"


def pack_other(encoder: Encoder, build: Build, pack: Callable[[UnigramTokenizer], EncoderUse]) -> EncoderUse:
    """What `pack` makes of T5's tokens; for an encoder whose vocabulary is not here, or not known at all, a use that says so.

    Raises `VocabularyError` for a file that the user named and that cannot be read.
    """
    if encoder.vocabulary != "t5":
        return EncoderUse(encoder, (), unknown=UNREAD)
    if encoder.tokenizer:
        return pack(load_tokenizer(named_file(encoder.tokenizer), build))
    file = find_file()
    if file is None:
        return EncoderUse(encoder, (), unknown=MISSING)
    try:
        tokenizer = load_tokenizer(file, build)
    except VocabularyError as error:
        return EncoderUse(encoder, (), unknown=str(error))
    return pack(tokenizer)


def t5_stream(tokenizer: UnigramTokenizer, fragments: Sequence[Fragment]) -> Stream:
    """The tokens of text fragments, each read on its own."""
    stream = Stream(tokenizer)
    for fragment in fragments:
        stream.add(fragment)
    return stream


def t5_chunk(stream: Stream, start: int, stop: int, encoder: Encoder, cut: Cut, length: int, *, end: bool = True) -> Chunk:
    """The window of stream places `start` to `stop`, filled up to `length` slots; `end`: with the end token."""
    content = (*stream.ids[start:stop], *((encoder.eos,) if end else ()))
    ids = (*content, *(encoder.pad,) * (length - len(content)))
    weighted = ones(stop - start) if stream.weights is None else stream.weights[start:stop]
    return Chunk(ids, (*weighted, *ones(len(ids) - (stop - start))), cut, start, stop, stream, lead=0)


def cut_at(stream: Stream, encoder: Encoder, length: int) -> EncoderUse:
    """One window of so many slots, filled up or cut, with the end token in it; what does not fit is lost."""
    sized = replace(encoder, window=length)
    count = len(stream)
    kept = min(count, sized.capacity)
    chunk = t5_chunk(stream, 0, kept, sized, "full" if kept < count else "end", length)
    return EncoderUse(sized, (chunk,), ((kept, count),) if kept < count else (), count, stream)


def cut_without_end(stream: Stream, encoder: Encoder, length: int) -> EncoderUse:
    """One window of so many slots, filled up; where the tokens do not leave room for the end token, they take its slot too."""
    count = len(stream)
    if count < length:
        return replace(cut_at(stream, encoder, length), shown_count=None)
    sized = replace(encoder, window=length + 1)
    chunk = t5_chunk(stream, 0, length, sized, "full" if count > length else "end", length, end=False)
    return EncoderUse(sized, (chunk,), ((length, count),) if count > length else (), None, stream)


def never_cut(stream: Stream, encoder: Encoder, least: int) -> EncoderUse:
    """One window as long as it takes, of at least so many slots."""
    length = max(len(stream) + 1, least)
    sized = replace(encoder, window=length)
    return EncoderUse(sized, (t5_chunk(stream, 0, len(stream), sized, "end", length),), (), None, stream)
