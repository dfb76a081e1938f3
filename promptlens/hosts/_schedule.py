"""Prompt editing of the AUTOMATIC1111 family: `[from:to:when]`, `[to:when]`, `[from::when]`, `[a|b]`.

A prompt with such brackets is several texts, one after the other during sampling. `when` is a step, or with a point in it a share of the
steps. What is not well formed stays as text. Observed in stable-diffusion-webui 1.10.0, modules/prompt_parser.py, whose grammar is
ambiguous for malformed nested brackets: there the host answers differently from run to run, and this parser takes the reading that
keeps the most brackets meaningful.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import isinf
from typing import NamedTuple

from promptlens.hosts import HostFailure
from promptlens.spans import Span

Slices = tuple[tuple[int, int], ...]

_PLAIN = re.compile(r"(?:[^\\\[\]():|]|\\.)+")
_WHEN = re.compile(r"\s*([+-]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?)\s*\]", re.ASCII)

# Brackets nested deeper than this are text; no one nests prompt editing so deep, and the parser below recurses.
MAX_DEPTH = 100


class Schedule(NamedTuple):
    """One text of a schedule, as slices of the prompt; `until_step` is the last step it is used for."""

    until_step: int
    slices: Slices


class _Text(NamedTuple):
    start: int
    end: int


class _Scheduled(NamedTuple):
    before: tuple[_Node, ...]
    after: tuple[_Node, ...]
    when: str
    span: Span


class _Alternate(NamedTuple):
    options: tuple[tuple[_Node, ...], ...]


_Node = _Text | _Scheduled | _Alternate


def schedules(text: str, steps: int, *, share_below_one: bool = False) -> tuple[Schedule, ...]:
    """The texts of a prompt over so many sampling steps, in order; one, the whole text, where it holds no prompt editing.

    `share_below_one`: `when` is a share of the steps if it is below 1, point or not (SD.Next). Raises `HostFailure` for a step number
    too large for the host.
    """
    whole = (Schedule(steps, ((0, len(text)),)),)
    if "[" not in text or not (":" in text or "|" in text):
        return whole
    nodes = _Parser(text, share_below_one).parse()
    if nodes is None or all(isinstance(n, _Text) for n in nodes):
        return whole
    return tuple(Schedule(step, tuple(_at_step(nodes, step, steps))) for step in sorted(_ends(nodes, steps)))


def _ends(nodes: tuple[_Node, ...], steps: int) -> set[int]:
    """The steps after which the text may change."""
    ends = {steps}
    for node in nodes:
        if isinstance(node, _Scheduled):
            when = _step(node, steps)
            if when >= 1:
                ends.add(when)
            ends |= _ends(node.before, steps) | _ends(node.after, steps)
        elif isinstance(node, _Alternate):
            ends.update(range(1, steps + 1))
    return ends


def _step(node: _Scheduled, steps: int) -> int:
    """A number with a point is a share of the steps, one without is a step."""
    value = float(node.when) * (steps if "." in node.when else 1)
    if isinf(value):
        raise HostFailure(
            "OverflowError", f"The step {node.when!r} is too large a number; the host stops with an error on this prompt.", node.span
        )
    return min(steps, int(value))


def _at_step(nodes: tuple[_Node, ...], step: int, steps: int) -> Iterator[tuple[int, int]]:
    for node in nodes:
        if isinstance(node, _Text):
            yield node.start, node.end
        elif isinstance(node, _Scheduled):
            yield from _at_step(node.before if step <= _step(node, steps) else node.after, step, steps)
        else:
            yield from _at_step(node.options[(step - 1) % len(node.options)], step, steps)


class _Parser:
    """Recursive descent; what each opening bracket opens is remembered, so the time is linear in the text."""

    def __init__(self, text: str, share_below_one: bool) -> None:
        self.text = text
        self.share_below_one = share_below_one
        self.known: dict[int, tuple[tuple[_Node, ...], int] | None] = {}

    def parse(self) -> tuple[_Node, ...] | None:
        """The whole text, or None where the host takes all of it literally: a `|` outside brackets, a backslash at the end of a line."""
        nodes: list[_Node] = []
        at = 0
        while at < len(self.text):
            char = self.text[at]
            group = self.group(at, 0) if char in "[(" else None
            if group:
                nodes += group[0]
                at = group[1]
            elif char in "[]():":
                nodes.append(_Text(at, at + 1))
                at += 1
            else:
                plain = _PLAIN.match(self.text, at)
                if not plain:
                    return None
                nodes.append(_Text(at, plain.end()))
                at = plain.end()
        return tuple(nodes)

    def prompt(self, at: int, depth: int) -> tuple[tuple[_Node, ...], int]:
        """Plain text and well-formed brackets, as far as they go."""
        nodes: list[_Node] = []
        while at < len(self.text):
            if self.text[at] in "[(":
                group = self.group(at, depth + 1)
                if not group:
                    break
                nodes += group[0]
                at = group[1]
                continue
            plain = _PLAIN.match(self.text, at)
            if not plain:
                break
            nodes.append(_Text(at, plain.end()))
            at = plain.end()
        return tuple(nodes), at

    def group(self, at: int, depth: int) -> tuple[tuple[_Node, ...], int] | None:
        """What the bracket at this place encloses, and where it ends; None where it is not well formed."""
        if depth > MAX_DEPTH:
            return None
        if at not in self.known:
            self.known[at] = self.round(at, depth) if self.text[at] == "(" else self.square(at, depth)
        return self.known[at]

    def round(self, start: int, depth: int) -> tuple[tuple[_Node, ...], int] | None:
        """`(prompt)` or `(prompt:prompt)`: stays as it is, but what is inside may be edited."""
        nodes, at = self.prompt(start + 1, depth)
        inner: list[_Node] = [_Text(start, start + 1), *nodes]
        if self.text.startswith(":", at):
            more, upto = self.prompt(at + 1, depth)
            inner += [_Text(at, at + 1), *more]
            at = upto
        if not self.text.startswith(")", at):
            return None
        return (*inner, _Text(at, at + 1)), at + 1

    def square(self, start: int, depth: int) -> tuple[tuple[_Node, ...], int] | None:
        """`[prompt]`, `[a|b]`, `[to:when]` or `[from:to:when]`."""
        first, at = self.prompt(start + 1, depth)
        if self.text.startswith("]", at):
            return (_Text(start, start + 1), *first, _Text(at, at + 1)), at + 1
        if self.text.startswith("|", at):
            return self.alternate(first, at, depth)
        if not self.text.startswith(":", at):
            return None
        when = _WHEN.match(self.text, at + 1)
        if when:
            return (_Scheduled((), first, self.when(when), Span(*when.span(1))),), when.end()
        second, at = self.prompt(at + 1, depth)
        when = _WHEN.match(self.text, at + 1) if self.text.startswith(":", at) else None
        if not when:
            return None
        return (_Scheduled(first, second, self.when(when), Span(*when.span(1))),), when.end()

    def when(self, found: re.Match[str]) -> str:
        """The number, without its point where it counts steps all the same."""
        text = found.group(1)
        return str(int(float(text))) if self.share_below_one and 1 <= float(text) < 1e9 else text

    def alternate(self, first: tuple[_Node, ...], at: int, depth: int) -> tuple[tuple[_Node, ...], int] | None:
        options = [first]
        while self.text.startswith("|", at):
            option, at = self.prompt(at + 1, depth)
            options.append(option)
        if not self.text.startswith("]", at):
            return None
        return (_Alternate(tuple(options)),), at + 1
