"""Several texts whose chunks a host sends one after the other, as if they were one: Fooocus' lines, compel's conjunctions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from promptlens.hosts import Chunk, EncoderUse, Stream


def join_uses(uses: Sequence[EncoderUse]) -> EncoderUse:
    """What one encoder gets of all the texts; counts are added up."""
    stream = Stream.join([use.stream for use in uses if use.stream is not None])
    chunks: list[Chunk] = []
    lost: list[tuple[int, int]] = []
    for use, base in zip(uses, _bases(uses), strict=True):
        chunks += [replace(c, start=c.start + base, stop=c.stop + base, stream=stream) for c in use.chunks]
        lost += [(start + base, stop + base) for start, stop in use.lost_places]
    counts = [use.shown_count for use in uses if use.shown_count is not None]
    return EncoderUse(uses[0].encoder, tuple(chunks), tuple(lost), sum(counts) if counts else None, stream)


def _bases(uses: Sequence[EncoderUse]) -> Iterator[int]:
    """Where the tokens of each text begin in the joined stream."""
    base = 0
    for use in uses:
        yield base
        base += len(use.stream) if use.stream is not None else 0
