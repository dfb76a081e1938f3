"""The largest expansion of a template: of each `{a|b}` the choice with the most tokens, of each `__name__` its longest text.

`{0.5::a|b}` and `{2$$a|b|c}` are understood (so many of the largest, joined as the template says). Left out: variables, `%{}`, Jinja,
globs in wildcard names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

Count = Callable[[str], int]

_UNITS = re.compile(r"\\.|[{}|]|__[\w*/. -]+?__", re.DOTALL)
_SHARE = re.compile(r"\s*\d*\.?\d+::")
_PICKS = re.compile(r"\s*(?:\d{1,3}-)?(\d{1,3})\$\$(?:([^${}]*)\$\$)?")

# Wildcards in the texts of wildcards are followed so deep, and braces in braces.
MAX_DEPTH = 5
MAX_BRACES = 50


class Choice(NamedTuple):
    """The text chosen for `template[start:end]`, with its tokens."""

    start: int
    end: int
    text: str
    tokens: int


class _Group(NamedTuple):
    """An open brace: where it is, and the text of its choices so far, the last one open."""

    start: int
    choices: list[list[str]]


def largest(template: str, count: Count, wildcards: Mapping[str, Sequence[str]], depth: int = 0) -> tuple[str, list[Choice]]:
    """The expansion that takes the most tokens by `count`, and the outermost choices made for it.

    >>> largest("a {red|dark blue} cat", lambda text: len(text.split()), {})[0]
    'a dark blue cat'
    """
    stack = [_Group(0, [[]])]
    chosen: list[Choice] = []
    at = 0
    for match in _UNITS.finditer(template):
        unit, group = match.group(), stack[-1]
        group.choices[-1].append(template[at : match.start()])
        at = match.end()
        if unit == "{" and len(stack) <= MAX_BRACES:
            stack.append(_Group(match.start(), [[]]))
        elif unit == "|" and len(stack) > 1:
            group.choices.append([])
        elif unit == "}" and len(stack) > 1:
            stack.pop()
            choices = ["".join(parts) for parts in group.choices]
            text = _chosen(choices, count) if len(choices) > 1 else f"{{{choices[0]}}}"  # a brace without "|" is text
            if len(choices) > 1 and len(stack) == 1:
                chosen.append(Choice(group.start, at, text.strip(), count(text)))
            stack[-1].choices[-1].append(text)
        else:
            text = _wildcard(unit, count, wildcards, depth) if unit.startswith("__") else unit
            if text != unit and len(stack) == 1:
                chosen.append(Choice(match.start(), at, text.strip(), count(text)))
            group.choices[-1].append(text)
    stack[-1].choices[-1].append(template[at:])
    for group in stack[1:]:  # braces that are never closed are text
        stack[0].choices[-1].append("{" + "|".join("".join(parts) for parts in group.choices))
    return "".join(stack[0].choices[0]), chosen


def _chosen(choices: list[str], count: Count) -> str:
    """The largest choice; as many as the group picks, joined."""
    picks = _PICKS.match(choices[0])
    if picks:
        choices = [choices[0][picks.end() :], *choices[1:]]
    ranked = sorted((_SHARE.sub("", text, count=1) for text in choices), key=count, reverse=True)
    if not picks:
        return ranked[0]
    separator = picks.group(2) if picks.group(2) is not None else ", "
    return separator.join(ranked[: max(int(picks.group(1)), 1)])


@dataclass(slots=True)
class _Known:
    """The largest texts of the wildcards asked about last: their files can be long, and many prompts use them."""

    wildcards: Mapping[str, Sequence[str]] | None = None
    count: Count | None = None
    texts: dict[tuple[str, int], str] = field(default_factory=dict)


_known = _Known()


def _wildcard(unit: str, count: Count, wildcards: Mapping[str, Sequence[str]], depth: int) -> str:
    """The largest text of a wildcard; the wildcard itself where it is not known."""
    lines = wildcards.get(unit[2:-2].strip(), ())
    if not lines or depth >= MAX_DEPTH:
        return unit
    if _known.wildcards is not wildcards or _known.count != count:
        _known.wildcards, _known.count, _known.texts = wildcards, count, {}
    text = _known.texts.get((unit, depth))
    if text is None:
        text = max((largest(line, count, wildcards, depth + 1)[0] for line in lines), key=count)
        _known.texts[unit, depth] = text
    return text
