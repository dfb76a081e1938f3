"""SwarmUI's texts that change with the sampling step: `[a|b]`, `[a:b:0.5]`, and the tags that come to the same.

Read in SwarmTextHandling.py, not observed; malformed brackets are taken as text here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from promptlens.hosts._rewrite import Derived, join
from promptlens.spans import Origin, Run

_ESCAPED = re.compile(r"\\([\[\]])")
MAX_DEPTH = 50  # past this, tags and brackets are text
NUMBER = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)\s*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Changing:
    """Texts that take turns: by step, or from step `when` on the second."""

    options: tuple[Nodes, ...]
    when: float | None = None

    def at(self, step: int) -> Nodes:
        """What is read at a step, counted from 0."""
        return self.options[step % len(self.options) if self.when is None else step >= self.when]


@dataclass(frozen=True, slots=True)
class Bracket:
    """A square bracket that changes nothing."""

    text: Derived


Node = Derived | Changing | Bracket
Nodes = tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """The main prompt (no label), or one that a tag begins."""

    label: str
    nodes: Nodes


def moved(nodes: Iterable[Node], to: Derived) -> list[Node]:
    """The nodes as if all their text stood at another place."""

    start, end = to.origin.range(0, len(to.text)) if to.origin else (0, len(to.text))

    def at_once(text: Derived) -> Derived:
        return Derived(text.text, Origin((Run(0, len(text.text), start, end),)))

    found: list[Node] = []
    for node in nodes:
        if isinstance(node, Changing):
            found.append(replace(node, options=tuple(tuple(moved(option, to)) for option in node.options)))
        elif isinstance(node, Bracket):
            found.append(Bracket(at_once(node.text)))
        else:
            found.append(at_once(node))
    return found


def length_of(nodes: Iterable[Node]) -> int:
    """Characters of all the texts in the nodes."""
    total = 0
    for node in nodes:
        if isinstance(node, Changing):
            total += sum(length_of(option) for option in node.options)
        else:
            total += len((node.text if isinstance(node, Bracket) else node).text)
    return total


def brackets(text: Derived, steps: int, depth: int = 0) -> Iterator[Node]:
    """Text with `[a|b]`, `[a:b:when]` and `[b:when]` worked out."""
    done = 0
    for start, end, marks in _bracket_pairs(text.text) if depth < MAX_DEPTH else ():
        if done < start:
            yield text.cut(done, start)
        pieces = [text.cut(a + 1, b) for a, b in zip([start, *marks], [*marks, end - 1], strict=True)]
        when = pieces[-1].text
        if marks and text.text[marks[0]] == "|":
            yield Changing(tuple(tuple(brackets(piece, steps, depth + 1)) for piece in pieces))
        elif 1 <= len(marks) <= 2 and NUMBER.fullmatch(when):
            texts = [tuple(brackets(piece, steps, depth + 1)) for piece in pieces[:-1]]
            yield Changing((texts[0] if len(texts) == 2 else (), texts[-1]), step_of(when, steps))
        else:
            yield from (Bracket(text.cut(start, start + 1)), text.cut(start + 1, end - 1), Bracket(text.cut(end - 1, end)))
        done = end
    if done < len(text.text):
        yield text.cut(done, len(text.text))


def _bracket_pairs(text: str) -> Iterator[tuple[int, int, list[int]]]:
    """The outermost square brackets, and where the first kind of mark in them (":" or "|") stands."""
    opened: list[tuple[int, list[int]]] = []
    pairs: list[tuple[int, int, list[int]]] = []
    for match in re.finditer(r"\\[\[\]]|[\[\]:|]", text):
        mark, at = match.group(), match.start()
        if mark == "[":
            opened.append((at, []))
        elif mark == "]" and opened:
            start, marks = opened.pop()
            while pairs and pairs[-1][0] > start:
                pairs.pop()
            pairs.append((start, at + 1, marks))
        elif mark in (":", "|") and opened and (not opened[-1][1] or text[opened[-1][1][0]] == mark):
            opened[-1][1].append(at)
    yield from pairs


def section_texts(section: Section, steps: int) -> Iterator[tuple[Derived, tuple[tuple[int, int], ...]]]:
    """The texts of a section, each with the ranges of steps (counted from 1) it is used for; no ranges where there is only one."""
    if not any(isinstance(node, Changing) for node in section.nodes):
        yield _text(section.nodes, 0, brackets=True), ()
        return
    texts: dict[str, Derived] = {}
    ranges: dict[str, list[tuple[int, int]]] = {}
    for step in range(steps):
        text = _text(section.nodes, step, brackets=False)
        texts.setdefault(text.text, text)
        used = ranges.setdefault(text.text, [])
        if used and used[-1][1] == step:
            used[-1] = (used[-1][0], step + 1)
        else:
            used.append((step + 1, step + 1))
    for key, text in texts.items():
        yield text, tuple(ranges[key]) if len(texts) > 1 else ()


def _text(nodes: Nodes, step: int, *, brackets: bool) -> Derived:
    """What is read at a step. Plain brackets stay only where nothing changes."""
    text = join(list(_flat(nodes, step, brackets)), "")
    slices: list[tuple[int, int]] = []
    done = 0
    for match in _ESCAPED.finditer(text.text):
        slices.append((done, match.start()))
        done = match.start(1)
    return text.pick([*slices, (done, len(text.text))]) if slices else text


def _flat(nodes: Nodes, step: int, brackets: bool) -> Iterator[Derived]:
    for node in nodes:
        if isinstance(node, Changing):
            yield from _flat(node.at(step), step, brackets)
        elif isinstance(node, Bracket):
            yield from (node.text,) if brackets else ()
        else:
            yield node


def step_of(when: str, steps: int) -> float:
    """A number below 1 is a share of the steps."""
    value = float(when)
    return value * steps if value < 1 else value
