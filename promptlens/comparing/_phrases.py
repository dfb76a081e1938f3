"""Phrases: what stands between the commas of a prompt, and the chunks that each of them reaches."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass

from promptlens.hosts import EncoderUse
from promptlens.report import Usage
from promptlens.rules._brackets import readable
from promptlens.rules._tags import normal, outer_tags
from promptlens.spans import Span

LOST = -1


@dataclass(frozen=True, slots=True)
class Phrase:
    """A comma-tag of a prompt.

    `key` is what it says, without brackets, weight and case. `chunks` has for each encoder of the model the chunks (from 0; LOST) that
    tokens of it are in: two where a boundary cuts it, none where it costs no token. `tokens` is what it costs each encoder, `weight` the
    weight of most of its tokens.
    """

    text: str
    key: str
    span: Span
    chunks: tuple[tuple[int, ...], ...]
    tokens: tuple[int, ...]
    weight: float


def phrases(usage: Usage) -> tuple[Phrase, ...]:
    """The comma-tags of the counted texts of a prompt, in order."""
    indexes = [_Places(use) for use in usage.encoders]
    found = []
    for tag in outer_tags(usage, readable(usage)):
        span = Span(tag.start, tag.end)
        inside = [index.inside(span) for index in indexes]
        chunks = tuple(tuple(dict.fromkeys(label for label, _ in places)) for places in inside)
        weights = [weight for places in inside for _, weight in places]
        usual = max(dict.fromkeys(weights), key=weights.count) if weights else 1.0
        text = span.of(usage.prompt)
        found.append(Phrase(text, normal(text), span, chunks, tuple(map(len, inside)), usual))
    return tuple(found)


class _Places:
    """The tokens of one encoder by their place in the prompt, each with its chunk and weight."""

    def __init__(self, use: EncoderUse) -> None:
        tokens = use.tokens
        ranges = [(c.start, c.stop, n) for n, c in enumerate(use.chunks)] + [(a, b, LOST) for a, b in use.lost_places]
        placed = [(tokens[n].span.start, label, tokens[n].weight) for a, b, label in ranges for n in range(a, b)]
        placed.sort(key=lambda place: place[0])
        self.starts = [start for start, _, _ in placed]
        self.labels = [(label, weight) for _, label, weight in placed]

    def inside(self, span: Span) -> list[tuple[int, float]]:
        """(chunk, weight) of the tokens that begin in a span."""
        return self.labels[bisect_left(self.starts, span.start) : bisect_right(self.starts, span.end - 1)]
