"""Where things are in a prompt: spans, the origin of rewritten text, lines and columns, grapheme clusters, cell widths.

A `Span` counts `str` indices (code points) of the prompt as typed. An `Origin` remembers, for a text that was made out of the prompt
(syntax removed, Unicode cleaned), which characters of the prompt each of its characters came from. Nothing here knows about tokens.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Half-open range of `str` indices into the prompt as typed; not bytes, not terminal cells."""

    start: int
    end: int

    def of(self, text: str) -> str:
        """The text under the span.

        >>> Span(2, 5).of("a cat")
        'cat'
        """
        return text[self.start : self.end]

    def __len__(self) -> int:
        return self.end - self.start

    def __bool__(self) -> bool:
        return True


class Run(NamedTuple):
    """`text[at:upto]` came from `source[start:end]`: character by character when both are as long, else as a whole."""

    at: int
    upto: int
    start: int
    end: int


class Origin:
    """Maps ranges of a derived text back to the source it was made from; runs are in order of the derived text.

    >>> Origin([Run(0, 2, 0, 2), Run(2, 3, 2, 7)]).range(1, 3)   # "R&" made from "R &amp;"-like text
    (1, 7)
    """

    __slots__ = ("_starts", "runs")

    def __init__(self, runs: Iterable[Run]) -> None:
        self.runs: tuple[Run, ...] = tuple(runs)
        self._starts = [r.at for r in self.runs]

    @classmethod
    def identity(cls, length: int, start: int = 0) -> Origin:
        """The text is `source[start:start+length]` unchanged."""
        return cls((Run(0, length, start, start + length),)) if length else cls(())

    @classmethod
    def of_slices(cls, slices: Iterable[tuple[int, int]]) -> Origin:
        """The text is the given slices of the source, joined."""
        runs, at = [], 0
        for start, end in slices:
            if end > start:
                runs.append(Run(at, at + end - start, start, end))
                at += end - start
        return cls(runs)

    @property
    def is_identity(self) -> bool:
        """True when positions need no translation at all."""
        runs = self.runs
        return not runs or (len(runs) == 1 and runs[0].start == 0 and runs[0].end == runs[0].upto)

    @property
    def in_order(self) -> bool:
        """True when what comes later in the derived text never begins or ends earlier in the source, and nothing came from nothing."""
        return bool(self.runs) and all(run.start < run.end for run in self.runs) and all(_follows(a, b) for a, b in pairwise(self.runs))

    def range(self, at: int, upto: int) -> tuple[int, int]:
        """Source range of derived `[at, upto)`; an empty range gives an empty source range at the same place."""
        runs = self.runs
        if not runs:
            return (0, 0)
        if upto <= at:
            i = max(bisect_right(self._starts, at) - 1, 0)
            run = runs[i]
            if run.upto - run.at == run.end - run.start:
                place = run.start + min(max(at - run.at, 0), run.end - run.start)
            else:
                place = run.end if at >= run.upto else run.start
            return (place, place)
        first = runs[max(bisect_right(self._starts, at) - 1, 0)]
        last = runs[max(bisect_right(self._starts, upto - 1) - 1, 0)]
        start = first.start
        if first.upto - first.at == first.end - first.start:
            start += at - first.at
        end = last.end
        if last.upto - last.at == last.end - last.start:
            end = last.start + (upto - last.at)
        return (min(start, end), max(start, end))

    def span(self, at: int, upto: int) -> Span:
        """`range` as a `Span`."""
        return Span(*self.range(at, upto))

    def slice(self, at: int, upto: int) -> Origin:
        """Origin of `derived[at:upto]`."""
        return Origin(self._cut(at, upto, 0))

    def _cut(self, at: int, upto: int, shift: int) -> Iterator[Run]:
        for i in range(max(bisect_right(self._starts, at) - 1, 0), len(self.runs)):
            run = self.runs[i]
            if run.at >= upto:
                return
            low, high = max(run.at, at), min(run.upto, upto)
            if low >= high:
                continue
            if run.upto - run.at == run.end - run.start:
                yield Run(low - at + shift, high - at + shift, run.start + (low - run.at), run.start + (high - run.at))
            else:
                yield from _whole(low - at + shift, high - at + shift, run.start, run.end)

    def through(self, outer: Origin) -> Origin:
        """This origin, with its source positions translated by `outer` (of which this text's source is the derived text)."""
        if outer.is_identity:
            return self
        runs: list[Run] = []
        for run in self.runs:
            if run.upto - run.at == run.end - run.start:
                runs.extend(outer._cut(run.start, run.end, run.at))
            else:
                runs.extend(_whole(run.at, run.upto, *outer.range(run.start, run.end)))
        return Origin(runs)


def _follows(before: Run, run: Run) -> bool:
    """Whether a run begins and ends no earlier in the source than any part of the one before it: they may share a character, or all."""
    same = run.start == before.start and run.end == before.end
    return run.start >= before.end - 1 or (same and before.upto - before.at != before.end - before.start)


def _whole(at: int, upto: int, start: int, end: int) -> Iterator[Run]:
    """A stretch mapped as a whole; where it happens to be as long as its source, as two runs, neither of which is."""
    if upto - at == end - start > 1:
        yield Run(at, at + 1, start, end)
        at += 1
    yield Run(at, upto, start, end)


def join_origins(parts: Iterable[tuple[int, Origin]]) -> Origin:
    """Origin of texts joined together, each given as (length, origin)."""
    runs: list[Run] = []
    at = 0
    for length, origin in parts:
        runs.extend(Run(r.at + at, r.upto + at, r.start, r.end) for r in origin.runs)
        at += length
    return Origin(runs)


def line_column(text: str, index: int) -> tuple[int, int]:
    r"""Line and column of an index, both counted from 1; `\n`, `\r\n` and `\r` end lines.

    >>> line_column("a\nbc", 3)
    (2, 2)
    """
    before = text[:index]
    lines = before.replace("\r\n", "\n").replace("\r", "\n")
    if before.endswith("\r") and text[index : index + 1] == "\n":
        lines = lines[:-1]
    newline = lines.rfind("\n")
    return lines.count("\n") + 1, len(lines) - newline


# Letters, quotation marks, kana, ideographs and full-width signs that are never part of one cluster with another of them.
_ALONE = re.compile("[\x00-\x0c\x0e-\u02ff\u2010-\u2027\u3001-\u3029\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uff01-\uff60]*")


def clusters(text: str) -> list[Span]:
    """The grapheme clusters of a text: what a reader sees as one character.

    >>> [s.of("né👍🏽") for s in clusters("ne\u0301👍🏽")][0]
    'n'
    """
    if _ALONE.fullmatch(text):
        return [Span(i, i + 1) for i in range(len(text))]
    from wcwidth import iter_graphemes  # 10 ms, and slow: only for text with other characters

    spans, at = [], 0
    for cluster in iter_graphemes(text):
        spans.append(Span(at, at + len(cluster)))
        at += len(cluster)
    return spans


def characters(text: str) -> Sequence[str]:
    """The texts of `clusters`.

    >>> len(characters("né👍🏽"))
    3
    """
    return text if _ALONE.fullmatch(text) else [cluster.of(text) for cluster in clusters(text)]


def whole_clusters(text: str, span: Span) -> Span:
    """The span widened so that it begins and ends between grapheme clusters: what to colour for it."""
    around = text[max(span.start - 1, 0) : span.end + 1]
    if around.isascii() and "\r" not in around:
        return span
    low, high = _window(text, span)
    start, end = span.start, span.end
    for cluster in clusters(text[low:high]):
        a, b = cluster.start + low, cluster.end + low
        if a <= span.start < b:
            start = a
        if a < span.end <= b:
            end = b
    return Span(start, max(end, start))


def _window(text: str, span: Span) -> tuple[int, int]:
    """A stretch around the span that begins and ends between two ASCII letters or digits, so that only it need be segmented.

    One is not enough: a letter may belong to what is before it (U+0600) and what is after it (U+0301).
    """
    low, high = span.start, span.end
    while low > 0 and not _between_letters(text, low):
        low -= 1
    while high < len(text) and not _between_letters(text, high):
        high += 1
    return low, high


def _between_letters(text: str, at: int) -> bool:
    around = text[max(at - 1, 0) : at + 1]
    return len(around) == 2 and around.isascii() and around.isalnum()


# One cell each: printable ASCII and the signs that reports and screens are drawn with (lines, blocks), so that a plain one needs no
# width tables.
_NARROW = frozenset([*map(chr, range(0x20, 0x7F)), *map(chr, range(0x2500, 0x25A0)), *"·…–↵→↕▸▾●"])


def cell_width(text: str) -> int:
    """Terminal cells a text takes: 2 for wide characters and emoji, 0 for combining marks and control characters.

    >>> cell_width("日本"), cell_width("ab")
    (4, 2)
    """
    if (text.isascii() and text.isprintable()) or _NARROW.issuperset(text):
        return len(text)
    from wcwidth import wcswidth  # 10 ms

    cells = wcswidth(text)  # -1 for a text with a control character in it
    return cells if cells >= 0 else sum(max(wcswidth(s.of(text)), 0) for s in clusters(text))
