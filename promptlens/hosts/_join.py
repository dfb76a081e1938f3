"""Several texts whose chunks a host sends one after the other, as if they were one: Fooocus' lines, compel's parts, sections at breaks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from promptlens.hosts import Chunk, EncoderUse, Fragment, ParsedLine, Stream


def join_uses(uses: Sequence[EncoderUse]) -> EncoderUse:
    """What one encoder gets of all the texts; counts are added up."""
    if any(use.unknown for use in uses):
        return uses[0]
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


def pack_sections(line: ParsedLine, pack: Callable[[ParsedLine], EncoderUse]) -> EncoderUse:
    """A line with breaks, each section between them packed on its own."""
    sections: list[list[Fragment]] = [[]]
    for fragment in line.fragments:
        if fragment.kind == "break":
            sections.append([])
        else:
            sections[-1].append(fragment)
    if len(sections) == 1:
        return pack(line)
    uses = [pack(replace(line, fragments=tuple(section))) for section in sections]
    for n, use in enumerate(uses[:-1] if uses[0].chunks else ()):
        uses[n] = replace(use, chunks=(*use.chunks[:-1], replace(use.chunks[-1], cut="break")))
    return join_uses(uses)
