"""compel: its tree as texts with weights. InvokeAI uses it too.

A prompt is parts (`.and()`), each a text, a blend of texts, or a text with swaps. Words next to each other with one weight are one
fragment, joined by blanks. Weights multiply. Observed in compel 2.5.1, prompt_parser.py (`flatten`) and compel.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from promptlens.hosts import Fragment, HostFailure, Mix, Parsed, ParsedLine
from promptlens.hosts._compel_parser import parse_compel
from promptlens.hosts._compel_tree import Attention, Blend, Lora, Nodes, Swap, Text
from promptlens.hosts._rewrite import Derived, Piece, join
from promptlens.spans import Span

_COMMA = re.compile(r",(?:\S)")
_SYNTAX = re.compile(r"""["(\\\x0b\x0c]|[+-](?![^\s"()\\,.+=-])""")
_ESCAPED = re.compile(r'(\\+)[()"]')


@dataclass(frozen=True, slots=True)
class _Piece:
    """A word with the weight it comes to."""

    text: Derived
    weight: float


@dataclass(frozen=True, slots=True)
class _SwapPiece:
    original: tuple[Fragment, ...]
    replacement: tuple[Fragment, ...]


def parse_prompt(text: str) -> Parsed:
    """The texts of a prompt. Raises `HostFailure` where compel raises before it encodes anything."""
    spaced = _spaced(text) if text.strip() else Derived("")
    if not _SYNTAX.search(spaced.text):
        return Parsed((ParsedLine(spaced.text, (Fragment(spaced.text, origin=spaced.origin),)),), joined=True)
    tree = parse_compel(spaced)
    removed: list[Fragment] = []
    lines: list[ParsedLine] = []
    number = 0
    for part, weight in zip(tree.parts, tree.weights, strict=True):
        found = list(_lines(part, number, weight, removed))
        number += bool(found)
        lines += found
    if tree.rest.text.strip():
        removed.append(Fragment(tree.rest.text, kind="ignored", origin=tree.rest.origin))
    if not lines:
        failure = HostFailure("IndexError", "No words are left to encode; compel stops with an error.", Span(0, len(text)))
        return Parsed((ParsedLine(text, ()),), tuple(removed), True, failure)
    if number > 1:
        lines = [replace(line, label=f"part {line.part + 1}{', ' * bool(line.label)}{line.label}") for line in lines]
    return Parsed(tuple(lines), tuple(removed), joined=True)


def _spaced(text: str) -> Derived:
    """The prompt with a blank put after each comma that has none."""
    pieces: list[Piece] = []
    done = 0
    for match in _COMMA.finditer(text):
        pieces += [(done, match.start() + 1), " "]
        done = match.start() + 1
    return Derived(text).rebuild([*pieces, (done, len(text))]) if pieces else Derived(text)


def _lines(part: Nodes | Blend, number: int, weight: float, removed: list[Fragment]) -> Iterator[ParsedLine]:
    """The texts of a part: one, or the members of a blend, or both sides of its swaps."""
    if isinstance(part, Blend):
        yield from _blend_lines(part, number, weight, removed)
        return
    pieces = _fused(_flat(part, 1.0, removed))
    if not pieces:
        return
    if not any(isinstance(piece, _SwapPiece) for piece in pieces):
        yield _line([piece for piece in pieces if isinstance(piece, Fragment)], number, weight)
        return
    original = [f for piece in pieces for f in (piece.original if isinstance(piece, _SwapPiece) else (piece,))]
    replacement = [f for piece in pieces for f in (piece.replacement if isinstance(piece, _SwapPiece) else (piece,))]
    yield replace(_line(original, number, weight), label="original", mix=Mix("original"))
    yield replace(_line(replacement, number, weight), label="replacement", mix=Mix("replacement"), counted=False)


def _blend_lines(blend: Blend, number: int, weight: float, removed: list[Fragment]) -> Iterator[ParsedLine]:
    members = [pieces for nodes in blend.members if (pieces := _fused(_flat(nodes, 1.0, removed)))]
    swaps = any(isinstance(piece, _SwapPiece) for pieces in members for piece in pieces)
    if swaps or len(members) < len(blend.members):
        why = "A swap inside a blend" if swaps else "A blend with an empty member"
        raise HostFailure("ParsingException", f"{why} cannot be encoded; compel stops with an error.", Span(0, 0))
    for n, (pieces, share) in enumerate(zip(members, blend.weights, strict=True)):
        line = _line([piece for piece in pieces if isinstance(piece, Fragment)], number, weight)
        label = f"blend {n + 1} of {len(members)}"
        yield replace(line, label=label, mix=Mix("blend", share, blend.normalize), counted=n == 0)


def _line(fragments: list[Fragment], number: int, weight: float) -> ParsedLine:
    return ParsedLine(" ".join(f.text for f in fragments), tuple(fragments), number, weight)


def _flat(nodes: Nodes, weight: float, removed: list[Fragment]) -> Iterator[_Piece | _SwapPiece]:
    """Words and swaps in order, weights multiplied out."""
    for node in nodes:
        if isinstance(node, Text):
            yield _Piece(node.text, weight)
        elif isinstance(node, Attention):
            yield from _flat(node.children, weight * node.weight, removed)
        elif isinstance(node, Swap):
            yield _SwapPiece(_side(node, node.original, weight, removed), _side(node, node.replacement, weight, removed))
        elif isinstance(node, Lora):
            removed.append(Fragment(node.text.text, kind="network", origin=node.text.origin))


def _side(swap: Swap, nodes: Nodes, weight: float, removed: list[Fragment]) -> tuple[Fragment, ...]:
    """One side of a swap."""
    pieces = _fused(_flat(nodes, weight, removed))
    fragments = [piece for piece in pieces if isinstance(piece, Fragment)]
    if len(fragments) < len(pieces):
        raise HostFailure("AttributeError", "A swap inside a swap cannot be encoded; compel stops with an error.", swap.span)
    return tuple(fragments) or (Fragment(""),)


def _fused(pieces: Iterator[_Piece | _SwapPiece]) -> list[Fragment | _SwapPiece]:
    """Neighbouring words of equal weight as one fragment."""
    found: list[Fragment | _SwapPiece] = []
    for weight, group in groupby(pieces, key=lambda p: p.weight if isinstance(p, _Piece) else None):
        if weight is None:
            found += [piece for piece in group if isinstance(piece, _SwapPiece)]
            continue
        texts = [piece.text for piece in group if isinstance(piece, _Piece)]
        # Escapes are undone each time compel makes a fragment: twice, and with every further word that is joined to it.
        text = join([_unescaped(t, 2 + len(texts) - max(n, 1)) for n, t in enumerate(texts)], " ")
        found.append(Fragment(text.text, weight, origin=text.origin))
    return found


def _unescaped(text: Derived, times: int) -> Derived:
    """The text with so many backslashes before brackets and quotes gone."""
    if "\\" not in text.text:
        return text
    slices: list[tuple[int, int]] = []
    done = 0
    for match in _ESCAPED.finditer(text.text):
        backslashes = match.end(1) - min(times, len(match.group(1)))
        slices.append((done, backslashes))
        done = match.end(1)
    return text.pick([*slices, (done, len(text.text))])
