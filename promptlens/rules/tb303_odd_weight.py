"""TB303: weights that are no weights, or that weigh too much, nothing, or less than nothing."""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import replace

from promptlens.hosts import Fragment
from promptlens.report import Edit, Line, Usage
from promptlens.rules import Example, Hit, RuleSettings, rule
from promptlens.rules._brackets import Brackets, Inside, Pair, brackets, readable
from promptlens.rules._needs import Needs
from promptlens.rules._reading import reading
from promptlens.rules._words import shown
from promptlens.spans import Origin, Span

_BRACKET = re.compile(r"[()\[\]{}]")
_SIGNS = re.compile(r":\s*[-+.]?\.?\d|:\s*\.")
# `red hair:1.2` where a tag ends: with a point, since `16:9` and `12:30` are no weights.
_LOOSE = re.compile(r":[ \t]*([-+]?\d*\.\d+)[ \t]*(?=[,\n]|$)")
# What stands for a number before a closing bracket: `1,2`, `1.2.3`, `1.2f`, `.`, and with blanks, which not every host reads.
_NUMBER_LIKE = re.compile(r":(\s*(?:[-+]?[\d.][\d.,eE+-]*[fx%]?|[-+.,]+)\s*)\)")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)")
_PART_WEIGHT = re.compile(r":\s*([-+]?(?:\d+\.?\d*|\.\d+))\s*$")
_BREAKS = re.compile(r"BREAK(?:\s+BREAK)+")
_SQUARE_STEP = re.compile(r"\[([^\[\]:|]+):\s*(\d+\.\d+)\s*\]")


@rule(
    "TB303",
    "odd-weight",
    "warning",
    summary="a weight outside brackets, not a number, zero, negative or very large",
    why="A weight belongs in brackets with what it weighs: `(red hair:1.2)`. Without them, or with a comma for the point, it is "
    "read as words. A weight of 0 does not take words out: they keep their places and change those after them. A negative one"
    " turns the picture away from them in ways that are hard to foresee, and above 2 (max_weight) it mostly falls apart.",
    wrong=Example("a girl with red hair:1.3, blue eyes"),
    right=Example("a girl with (red hair:1.3), blue eyes"),
    needs=lambda settings, room: Needs(":"),
)
def odd_weight(usage: Usage, settings: RuleSettings) -> Iterator[Hit]:
    weighted = [
        fragment
        for line in usage.lines
        for fragment in line.fragments
        if fragment.weight != 1.0 and fragment.kind != "break" and not 0 < fragment.weight <= settings.max_weight
    ]
    if weighted:
        yield from _too_much(_joined(weighted, usage.prompt), usage.prompt, settings)
    if not _SIGNS.search(usage.prompt):
        return
    text = readable(usage)
    live = reading(usage).live
    found = brackets(usage, text)
    yield from _loose(text, found, "weight" in live, "and" in live)
    if "weight" in live:
        yield from _no_number(usage, text, found.pairs)
    if "schedule" in live:
        yield from _never(usage, text)


def _joined(weighted: list[Fragment], prompt: str) -> Iterator[Fragment]:
    """Neighbours of one weight as one: some hosts read the words of a group each by itself."""
    run = weighted[0]
    for fragment in weighted[1:]:
        whole = Span(run.span.start, max(run.span.end, fragment.span.end))
        if fragment.weight == run.weight and not prompt[run.span.end : fragment.span.start].strip(" \t\n,") and run.span < fragment.span:
            run = replace(run, text=whole.of(prompt), origin=Origin.of_slices([(whole.start, whole.end)]))
        else:
            yield run
            run = fragment
    yield run


def _too_much(weighted: Iterator[Fragment], prompt: str, settings: RuleSettings) -> Iterator[Hit]:
    reported: set[Span] = set()
    for fragment in weighted:
        span, weight = fragment.span, fragment.weight
        if span in reported or not fragment.text.strip() or fragment.text == "BREAK":
            continue
        reported.add(span)
        if _BREAKS.fullmatch(fragment.text):
            yield _joined_breaks(fragment, prompt)
            continue
        text = shown(span.of(prompt), 40)
        if weight == 0:
            yield Hit(span, f"{text} has the weight 0; it still takes its places and changes what follows", "Delete it instead.")
        elif weight < 0:
            yield Hit(span, f"{text} has the negative weight {weight:.4g}", "Put it into the negative prompt instead.")
        elif math.isnan(weight):
            yield Hit(span, f"the weight of {text} is not a number", "Write a number such as 1.2.")
        else:
            hint = f"Stay at {settings.max_weight:g} or below; a word also counts for more the nearer it is to the front."
            yield Hit(span, f"{text} has the weight {weight:.4g}, above {settings.max_weight:g}", hint)


def _joined_breaks(fragment: Fragment, prompt: str) -> Hit:
    """Two breaks in a row, of which the host makes words that it weighs as it marks a break: -1."""
    written = fragment.span.of(prompt)
    lines = not written.strip()
    what = "an empty line" if lines else shown(written)
    message = f"{what} is read as the words {shown(fragment.text)} with the negative weight {fragment.weight:.4g}"
    edit = Edit(fragment.span, "\n" if lines else " BREAK ")
    return Hit(fragment.span, message, "Keep one line break." if lines else "Keep one BREAK.", edit)


def _loose(text: str, found: Brackets, weights: bool, parts: bool) -> Iterator[Hit]:
    """Weights with no bracket around them. `parts`: where the text ends in one, the host takes it for the whole prompt's."""
    inside = Inside(found.pairs)
    ended = _PART_WEIGHT.search(text) if parts else None
    if ended and "AND" not in text and not inside(ended.start()):
        span = Span(ended.start(), ended.end(1))
        hint = "Put brackets around what it weighs, or a full stop after it if it is meant as text."
        message = f"{shown(span.of(text))} at the end is taken as the weight of the whole prompt, and never read"
        yield Hit(span, message, hint, _bracketed(text, ended, found, weights))
    for match in _LOOSE.finditer(text):
        if not inside(match.start()) and not (ended and match.start() == ended.start()):
            span = Span(match.start(), match.end(1))
            message = f"{shown(span.of(text))} weighs nothing: no bracket is around it"
            hint = "Put brackets around what it weighs: (red hair:1.2)."
            yield Hit(span, message, hint, _bracketed(text, match, found, weights))


def _bracketed(text: str, number: re.Match[str], found: Brackets, weights: bool) -> Edit | None:
    """The tag that ends in the number with its brackets, or with the one that is missing."""
    at, end = number.start(), number.end(1)
    start = max(text.rfind(",", 0, at), text.rfind("\n", 0, at)) + 1
    while start < at and text[start].isspace():
        start += 1
    opener = bisect_left(found.unclosed, at) - 1
    if opener >= 0 and found.unclosed[opener] >= start and text[found.unclosed[opener]] == "(":
        return Edit(Span(end, end), ")", safe=False)
    if not weights or start == at or _BRACKET.search(text, start, at):
        return None
    return Edit(Span(start, end), f"({text[start:at].rstrip()}:{number.group(1)})", safe=False)


def _no_number(usage: Usage, text: str, pairs: list[Pair]) -> Iterator[Hit]:
    """What stands where a weight should, but is no number to the host."""
    ends = {pair.end for pair in pairs if text[pair.start] == "("}
    failed = usage.failure.span if usage.failure else None
    for match in _NUMBER_LIKE.finditer(text):
        written = match.group(1)
        if match.end() not in ends or _NUMBER.fullmatch(written) or reading(usage).takes_weight(written):
            continue
        span = Span(*match.span(1))
        fails = failed is not None and failed.start < span.end and span.start < failed.end
        does = f"{usage.host.title} stops on it with an error" if fails else f"to {usage.host.title} it is words"
        right = written.strip().replace(",", ".")
        edit = Edit(span, right, safe=right == written.strip()) if _NUMBER.fullmatch(right) else None
        what = "has blanks around it" if right == written.strip() and edit else "is not a number"
        yield Hit(span, f"the weight {shown(written)} {what}: {does}", "Write it with one point and no blanks: 1.2.", edit)


def _never(usage: Usage, text: str) -> Iterator[Hit]:
    """Words of `[red hair:1.2]` that come in only after the last step."""
    for match in _SQUARE_STEP.finditer(text):
        span, words = Span(*match.span()), Span(*match.span(1))
        if float(match.group(2)) < 1 or any(_is_read(line, words) for line in usage.lines):
            continue
        message = f"{shown(span.of(text))} is no weight: in square brackets a number is a step, and these words never come in"
        edit = Edit(span, f"({match.group(1)}:{match.group(2)})", safe=False)
        yield Hit(span, message, "Weigh it with round brackets: (red hair:1.2).", edit)


def _is_read(line: Line, words: Span) -> bool:
    return any(words.start <= token.span.start < words.end for token in line.encoders[0].tokens)
