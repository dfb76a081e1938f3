"""What compel's syntax says, as a tree; _compel_parser.py makes it, _compel.py works it out."""

from __future__ import annotations

from dataclasses import dataclass

from promptlens.hosts._rewrite import Derived
from promptlens.spans import Span


@dataclass(frozen=True, slots=True)
class Text:
    """A word, a run without white space, a comma or a point."""

    text: Derived


@dataclass(frozen=True, slots=True)
class Attention:
    weight: float
    children: Nodes


@dataclass(frozen=True, slots=True)
class Swap:
    original: Nodes
    replacement: Nodes
    span: Span


@dataclass(frozen=True, slots=True)
class Lora:
    text: Derived


Node = Text | Attention | Swap | Lora
Nodes = tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Blend:
    members: tuple[Nodes, ...]
    weights: tuple[float, ...]
    normalize: bool


@dataclass(frozen=True, slots=True)
class Tree:
    """A parsed prompt: parts with their weights, and what compel does not read after `.and()`."""

    parts: tuple[Nodes | Blend, ...]
    weights: tuple[float, ...]
    rest: Derived
