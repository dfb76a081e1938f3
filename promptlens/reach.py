"""Which words reach which encoder: what one of them loses, another may still read.

Encoders with a vocabulary of their own (T5 beside CLIP) have windows of their own size: words that one of them drops are in the picture
all the same where the other reads them. Encoders of one vocabulary share a limit, and what one of them drops is missed.
"""

from __future__ import annotations

from collections.abc import Sequence

from promptlens.hosts import EncoderUse
from promptlens.spans import Span


def lost_span(use: EncoderUse, places: tuple[int, int]) -> Span:
    """Where lost tokens are in the prompt."""
    start, stop = places
    return Span(use.place(start).start, use.place(stop - 1).end)


def still_read_by(use: EncoderUse, uses: Sequence[EncoderUse], span: Span) -> list[EncoderUse]:
    """Encoders of another vocabulary that lose nothing of a span; also those of which it is not known what they get."""
    others = [other for other in uses if other.encoder.vocabulary != use.encoder.vocabulary]
    return [other for other in others if other.unknown or not _loses(other, span)]


def _loses(use: EncoderUse, span: Span) -> bool:
    spans = [lost_span(use, places) for places in use.lost_places]
    return any(lost.start < span.end and span.start < lost.end for lost in spans)


def misses_words(uses: Sequence[EncoderUse]) -> bool:
    """Whether anything is lost that no encoder reads instead."""
    return any(not still_read_by(use, uses, lost_span(use, places)) for use in uses for places in use.lost_places)


def all_read_by(use: EncoderUse, uses: Sequence[EncoderUse]) -> list[EncoderUse]:
    """Encoders that read everything an encoder loses."""
    found = [still_read_by(use, uses, lost_span(use, places)) for places in use.lost_places]
    return [other for other in uses if found and all(any(other is reader for reader in readers) for readers in found)]


def counted_use(uses: Sequence[EncoderUse]) -> EncoderUse:
    """The encoder that the host's counter counts for, else the first of which anything is known."""
    return next((use for use in uses if use.shown_count is not None), next((use for use in uses if not use.unknown), uses[0]))
