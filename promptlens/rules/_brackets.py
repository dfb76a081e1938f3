"""Brackets of a prompt as its host pairs them, and the texts within which it does.

Escaped brackets are text. Round and square brackets are paired apart from each other, as the hosts do. What the host takes out before it
reads the prompt (comments, networks) is blanked first, so that every index is one of the prompt.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from promptlens.report import Usage
from promptlens.rules._reading import reading

# Only the family with square brackets escapes the backslash too.
_UNITS = re.compile(r"\\[()\[\]\\]|[()\[\]]")
_UNITS_ROUND = re.compile(r"\\[()\[\]]|[()\[\]]")
_AND = re.compile(r"\bAND\b")
_LINE = re.compile(r"[^\n]+")


class Pair(NamedTuple):
    """A bracket and the one that closes it: `text[start:end]`, both included; `depth` counts the pairs of either kind around it."""

    start: int
    end: int
    depth: int


class Brackets(NamedTuple):
    """Pairs by place, and the brackets that have no partner."""

    pairs: list[Pair]
    unclosed: list[int]
    unopened: list[int]


def readable(usage: Usage) -> str:
    """The prompt with blanks for what the host takes out before it reads."""
    if not usage.removed:
        return usage.prompt
    pieces, at = [], 0
    for span in sorted(fragment.span for fragment in usage.removed):
        if span.end > at:
            pieces += [usage.prompt[at : span.start], " " * (span.end - max(span.start, at))]
            at = span.end
    return "".join([*pieces, usage.prompt[at:]])


def texts(usage: Usage, text: str) -> Iterator[tuple[int, int]]:
    """Ranges of the prompt that the host reads apart: what AND separates, or lines."""
    read = reading(usage)
    if "and" in read.live and "AND" in text:
        at = 0
        for match in _AND.finditer(text):
            yield at, match.start()
            at = match.end()
        yield at, len(text)
    elif "\n" in text and read.splits_lines:
        yield from (match.span() for match in _LINE.finditer(text))
    else:
        yield 0, len(text)


def brackets(usage: Usage, text: str, kinds: str = "()[]") -> Brackets:
    """The brackets of `text`, which is `readable(usage)`, of the given kinds."""
    units = _UNITS if "square" in usage.host.syntax else _UNITS_ROUND
    found = Brackets([], [], [])
    for start, end in texts(usage, text):
        _match(text, start, end, units, kinds, found)
    found.pairs.sort()
    found.unclosed.sort()
    return found


def _match(text: str, start: int, end: int, units: re.Pattern[str], kinds: str, found: Brackets) -> None:
    opened: dict[str, list[int]] = {")": [], "]": []}
    partner = {"(": ")", "[": "]"}
    pairs: list[tuple[int, int]] = []
    for match in units.finditer(text, start, end):
        unit, at = match.group(), match.start()
        if unit not in kinds:
            continue
        if unit in partner:
            opened[partner[unit]].append(at)
        elif opened[unit]:
            pairs.append((opened[unit].pop(), at + 1))
        else:
            found.unopened.append(at)
    for left in opened.values():
        found.unclosed.extend(left)
    around: list[int] = []
    for first, last in sorted(pairs):
        while around and around[-1] <= first:
            around.pop()
        found.pairs.append(Pair(first, last, len(around)))
        around.append(last)


def live_kinds(usage: Usage) -> str:
    """The kinds of brackets that mean something to the host, as a string of them."""
    live = reading(usage).live
    return ("()" if "group" in live else "") + ("[]" if live & {"square", "schedule"} else "")


class Inside:
    """Whether a place is within any pair."""

    def __init__(self, pairs: list[Pair]) -> None:
        outer = [pair for pair in pairs if pair.depth == 0]
        self._starts = [pair.start for pair in outer]
        self._ends = [pair.end for pair in outer]

    def __call__(self, at: int) -> bool:
        """True between a bracket and the one that closes it."""
        n = bisect_right(self._starts, at) - 1
        return n >= 0 and self._starts[n] < at < self._ends[n]
