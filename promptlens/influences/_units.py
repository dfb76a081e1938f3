"""Words and tags: what can be taken out of a prompt, and the commas that say how much nothing is."""

from __future__ import annotations

import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby
from typing import Literal

from promptlens.errors import InputError
from promptlens.influences._reading import Reading, overlap
from promptlens.rules._brackets import readable
from promptlens.rules._tags import outer_tags
from promptlens.spans import Span
from promptlens.tokens import Token

UnitKind = Literal["word", "tag"]

# Of 2,000 words each is read without, through all chunks after it: with CLIP-L on two cores that is about an hour, and of each pair of them
# similarity is 4,000,000 numbers.
MOST = 2_000


@dataclass(frozen=True, slots=True)
class Unit:
    """A word or a tag; `tokens` counts what it costs the first encoder, `lost` says that none of them reaches it."""

    span: Span
    label: str
    tokens: int
    lost: bool = False


def units(reading: Reading, kind: UnitKind) -> tuple[Unit, ...]:
    """The words, or the tags, of the texts that are measured, in order. Punctuation alone is no unit.

    Raises `InputError` for more than anybody waits for.
    """
    tokens = reading.tokens()
    lost = {t.span for t in reading.lost()}
    spans = _words(reading) if kind == "word" else _tags(reading, tokens)
    ordered = sorted(tokens, key=lambda t: t.span.start)
    starts = [t.span.start for t in ordered]
    ends = list(accumulate((t.span.end for t in ordered), max))
    found = []
    for span in spans:
        near = ordered[bisect_right(ends, span.start) : bisect_left(starts, span.end)]  # a long prompt has thousands of both
        inside = [t for t in near if overlap(t.span, span)]
        if inside and any(_says_something(t.span.of(reading.usage.prompt)) for t in inside):
            found.append(Unit(span, span.of(reading.usage.prompt), len(inside), all(t.span in lost for t in inside)))
    if len(found) > MOST:
        raise InputError(
            f"This prompt has {len(found):,} {kind}s, and each takes a reading of its own: at most {MOST:,} are measured. Give a part of it"
            + (", or take --unit tag." if kind == "word" else ".")
        )
    return tuple(found)


def _words(reading: Reading) -> list[Span]:
    spans: set[Span] = set()
    for line in reading.lines:
        for _, group in groupby(line.encoders[reading.numbers[0]].tokens, key=lambda t: t.word):
            word = list(group)
            spans.add(Span(word[0].span.start, word[-1].span.end))
    return sorted(spans)


def _tags(reading: Reading, tokens: Sequence[Token]) -> list[Span]:
    """Pieces between the commas that are outside brackets."""
    text = readable(reading.usage)
    return [Span(tag.start, tag.end) for tag in outer_tags(reading.usage, text)]


def _says_something(text: str) -> bool:
    return any(unicodedata.category(c)[0] in "LNS" and c not in "<>|+=^~$`" for c in text)


def commas(reading: Reading, limit: int) -> tuple[Span, ...]:
    """The commas among the tokens, at most `limit`, evenly spread."""
    found = sorted({t.span for t in reading.tokens() if t.span.of(reading.usage.prompt) == ","})
    if len(found) <= limit:
        return tuple(found)
    return tuple(found[round(n * (len(found) - 1) / (limit - 1))] for n in range(limit))
