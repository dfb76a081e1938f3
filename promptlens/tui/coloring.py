"""Which colour each character of a prompt has in the editor, worked out from its report. No widgets, no colours: names of styles.

    "0a" "0b"      a token of a chunk in the first hue, in its two shades by turns; "+" and "-" behind it: weighed up or down
    "mark0"        the blank before a chunk: a bar is drawn there; "!" behind a shade: a chunk begins here and there is no blank for a bar
    "lost"         never reaches the model; "syntax": no token comes from it; "removed": the host takes it out; "failed": the host fails

Colours change between grapheme clusters only.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from promptlens.hosts import EncoderUse
from promptlens.render._draw import LOST, drawing
from promptlens.render._runs import visible_text
from promptlens.report import Report
from promptlens.spans import Span, clusters
from promptlens.tokens import Token

HUES = 4
# Texts of one prompt that are coloured: of the very many that prompt editing can make the first say it.
COLORED_LINES = 32

_RUN = re.compile(r"(?:[ -~]?[^\n -~]+)+")


class Coloring(NamedTuple):
    """A style for each character of a prompt; the tokens of the text that counts, and for each the chunk (or LOST) and slot it is in."""

    text: str
    styles: list[str]
    tokens: tuple[Token, ...] = ()
    starts: tuple[int, ...] = ()
    places: tuple[tuple[int, int], ...] = ()


NOTHING = Coloring("", [])

# The last few, as several panes ask for the same one: by identity, for the hash of a report is as much work.
_last: deque[tuple[Report, Coloring]] = deque(maxlen=4)


def coloring(report: Report) -> Coloring:
    """The colours of a report; of one that was asked for just before, the same object."""
    for known, found in _last:
        if known is report:
            return found
    found = _colored(report)
    _last.append((report, found))
    return found


def _colored(report: Report) -> Coloring:
    usage = report.usage
    text = usage.prompt
    styles = ["syntax"] * len(text)
    edges = cluster_edges(text)
    counted: tuple[tuple[Token, ...], list[tuple[int, int]]] = ((), [])
    taken: set[int] = set()
    for number, line in enumerate(usage.lines[:COLORED_LINES]):
        if not line.encoders:
            continue
        tokens, places = _placed(text, line.encoders[0])
        if number == usage.counted:
            counted = (tokens, places)
        _paint(text, styles, edges, taken, tokens, places)
    for fragment in usage.removed:
        _fill(styles, edges, fragment.span, "removed")
    if usage.failure is not None:
        _fill(styles, edges, usage.failure.span, "failed")
    tokens, places = counted
    return Coloring(text, styles, tokens, tuple([t.span.start for t in tokens]), tuple(places))


def _placed(text: str, use: EncoderUse) -> tuple[tuple[Token, ...], list[tuple[int, int]]]:
    """The tokens of an encoder in the order of the text, and the chunk and slot of each (slot 0: lost)."""
    drawn = drawing(text, (), use)
    tokens = tuple(drawn.tokens)
    places = [(LOST, 0)] * len(tokens)
    for start, end, label in drawn.ranges:
        if label != LOST:
            for slot, at in enumerate(range(start, min(end, len(tokens))), start=1):
                places[at] = (label, slot)
    return tokens, places


def _paint(
    text: str,
    styles: list[str],
    edges: dict[int, Span],
    taken: set[int],
    tokens: tuple[Token, ...],
    places: list[tuple[int, int]],
) -> None:
    """Colour the tokens of one text where none of an earlier text is."""
    before = 0
    for n, (token, (chunk, _)) in enumerate(zip(tokens, places, strict=True)):
        start, end = token.span.start, token.span.end
        if edges:
            start, end = _widened(edges, start, end)
        if start >= end or start in taken:
            continue
        taken.add(start)
        style = "lost" if chunk == LOST else _shade(chunk, n, token.weight)
        styles[start:end] = [style] * (end - start)
        if chunk not in (before, LOST):
            _mark(text, styles, start, chunk)
        before = chunk if chunk != LOST else before


def _shade(chunk: int, n: int, weight: float) -> str:
    return f"{chunk % HUES}{'ab'[n % 2]}{'+' if weight > 1 else '-' if weight < 1 else ''}"


def _mark(text: str, styles: list[str], at: int, chunk: int) -> None:
    """Mark where a chunk begins: on the blank before it, or else on its first character."""
    first = at
    while first > 0 and text[first - 1] in "([{" and styles[first - 1] == "syntax":
        first -= 1
    if first > 0 and text[first - 1] == " ":
        styles[first - 1] = f"mark{chunk % HUES}"
    else:
        style = styles[at]
        while at < len(styles) and styles[at] == style:
            styles[at] = f"{style}!"
            at += 1


def _fill(styles: list[str], edges: dict[int, Span], span: Span, style: str) -> None:
    start, end = _widened(edges, span.start, span.end) if edges else (span.start, span.end)
    styles[start:end] = [style] * (end - start)


def _widened(edges: dict[int, Span], start: int, end: int) -> tuple[int, int]:
    if start in edges:
        start = edges[start].start
    if end - 1 in edges:
        end = max(edges[end - 1].end, end)
    return start, end


def cluster_edges(text: str) -> dict[int, Span]:
    """For each character of a cluster of several: the cluster's span. Empty for plain text."""
    if text.isascii():
        return {}
    found: dict[int, Span] = {}
    for run in _RUN.finditer(text):
        for start, end in _run_clusters(run[0]):
            span = Span(start + run.start(), end + run.start())
            for at in range(span.start, span.end):
                found[at] = span
    return found


@lru_cache(maxsize=4096)
def _run_clusters(run: str) -> tuple[tuple[int, int], ...]:
    return tuple((s.start, s.end) for s in clusters(run) if s.end - s.start > 1)


def runs(styles: list[str], start: int, end: int) -> Iterator[tuple[int, int, str]]:
    """Stretches of one style between two places."""
    at = start
    while at < end:
        style, upto = styles[at], at + 1
        while upto < end and styles[upto] == style:
            upto += 1
        yield at, upto, style
        at = upto


def token_at(found: Coloring, index: int) -> int | None:
    """Number of the token at a place of the prompt, or of the one that ends there; None where there is none."""
    n = bisect_right(found.starts, index) - 1
    while n > 0 and found.starts[n - 1] == found.starts[n]:  # of the tokens of one emoji the first
        n -= 1
    return n if n >= 0 and found.tokens[n].span.end >= index else None


def token_words(found: Coloring, index: int) -> str:
    """What the token at a place is, in words: `token 17 "silver" · id 3467 · chunk 1 slot 18`; nothing where there is none."""
    n = token_at(found, index)
    if n is None:
        return ""
    token, (chunk, slot) = found.tokens[n], found.places[n]
    where = "lost" if chunk == LOST else f"chunk {chunk + 1} slot {slot}"
    weight = "" if token.weight == 1.0 else f" · weight {token.weight:g}"
    shown = visible_text(token.span.of(found.text))
    return f'token {n + 1} "{shown}" · id {token.id} · {where}{weight}'
