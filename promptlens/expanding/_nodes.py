"""The tree of a template, and what can be asked of it: how many texts it stands for, all of them, the largest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import permutations, product
from math import factorial

Cost = Callable[[str], int]


@dataclass(frozen=True, slots=True)
class Text:
    """Text as it stands."""

    text: str


@dataclass(frozen=True, slots=True)
class Sequence:
    """One part after the other."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """From `least` to `most` of the options, each at most once, joined; `name` is the wildcard whose values they are ("": braces)."""

    options: tuple[Node, ...]
    least: int = 1
    most: int = 1
    separator: str = ""
    name: str = ""


Node = Text | Sequence | Choice


def count(node: Node) -> int:
    """How many texts a tree stands for, the same ones counted each time; the order of several picks counts."""
    if isinstance(node, Text):
        return 1
    if isinstance(node, Sequence):
        total = 1
        for part in node.parts:
            total *= count(part)
        return total
    sums = [1, *[0] * node.most]  # sums[k]: products over k different options, summed (elementary symmetric polynomials)
    for option in node.options:
        each = count(option)
        for k in range(node.most, 0, -1):
            sums[k] += sums[k - 1] * each
    return sum(sums[k] * factorial(k) for k in range(node.least, node.most + 1))


def all_texts(node: Node) -> Iterator[str]:
    """Every text of a tree; for trees of which `count` is small."""
    if isinstance(node, Text):
        yield node.text
    elif isinstance(node, Sequence):
        yield from ("".join(texts) for texts in product(*(tuple(all_texts(part)) for part in node.parts)))
    else:
        texts = [tuple(all_texts(option)) for option in node.options]
        for size in range(node.least, node.most + 1):
            for picked in permutations(texts, size):
                yield from (node.separator.join(parts) for parts in product(*picked))


def largest(node: Node, cost: Cost) -> str:
    """The text made of the largest of every choice."""
    if isinstance(node, Text):
        return node.text
    if isinstance(node, Sequence):
        return "".join(largest(part, cost) for part in node.parts)
    texts = sorted((largest(option, cost) for option in node.options), key=cost, reverse=True)
    return node.separator.join(texts[: node.most])


def smallest(node: Node, cost: Cost) -> str:
    """The text made of the smallest of every choice."""
    if isinstance(node, Text):
        return node.text
    if isinstance(node, Sequence):
        return "".join(smallest(part, cost) for part in node.parts)
    texts = sorted((smallest(option, cost) for option in node.options), key=cost)
    return node.separator.join(texts[: node.least])


def choices(node: Node) -> Iterator[Choice]:
    """The outermost choices that leave something to choose, in order."""
    if isinstance(node, Sequence):
        for part in node.parts:
            yield from choices(part)
    elif isinstance(node, Choice) and len(node.options) > 1:
        yield node
    elif isinstance(node, Choice):
        for option in node.options:
            yield from choices(option)
