"""SD.Next's native prompt parser: brackets as AUTOMATIC1111's, but text is tidied piece by piece and weights are rounded.

Each piece of text loses what stands before its first letter or digit (so also a comma after a bracket), a newline is a BREAK, a lone colon
vanishes, and neighbours of equal weight are joined with a blank after a letter or digit. Two BREAKs in a row are joined too, and so become
words. Read in SD.Next's modules/prompt_parser.py, not observed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from promptlens.hosts import Fragment
from promptlens.hosts._rewrite import Derived, join

_UNITS = re.compile(r"(?P<escape>\\[()\[\]:\\]|\\)|(?P<open>[(\[])|:(?P<weight>[+-]?[.\d]+)\)|(?P<close>[)\]])|(?P<text>[^\\()\[\]:]+)")
_BREAK = re.compile(r"\s*\bBREAK\b|##\s*")
_BEFORE_WORDS = re.compile(r"\W*")

UP, DOWN = 1.1, 1 / 1.1
DECIMALS = 3
BREAK_WEIGHT = -1.0


@dataclass(slots=True)
class _Piece:
    texts: list[Derived]
    weight: float = 1.0
    is_break: bool = False

    def ends_in_word(self) -> bool:
        return self.texts[-1].text[-1:].isalnum()


@dataclass(slots=True)
class _Reader:
    """The pieces read so far, and where the open brackets stand among them."""

    text: Derived
    pieces: list[_Piece] = field(default_factory=list)
    opened: dict[str, list[int]] = field(default_factory=lambda: {"(": [], "[": []})

    def read(self) -> None:
        for unit in _UNITS.finditer(self.text.text):
            kind, value = unit.lastgroup, unit.group()
            round_open, square_open = self.opened["("], self.opened["["]
            if kind == "escape":
                self._escape(unit)
            elif kind == "open":
                self.opened[value].append(len(self.pieces))
            elif kind == "weight" and round_open:
                self._weigh(round_open.pop(), _number(unit.group("weight")))
            elif value == ")" and round_open:
                self._weigh(round_open.pop(), UP)
            elif value == "]" and square_open:
                self._weigh(square_open.pop(), DOWN)
            else:
                self._text(*unit.span())
        self._weigh_unclosed(self.opened["("], UP)
        self._weigh_unclosed(self.opened["["], DOWN)

    def _weigh(self, start: int, factor: float) -> None:
        for piece in self.pieces[start:]:
            piece.weight = round(piece.weight * factor, DECIMALS)

    def _weigh_unclosed(self, starts: list[int], factor: float) -> None:
        """Each bracket left open weighs all that follows it."""
        known: dict[float, list[float]] = {}
        times = 0
        for n, piece in enumerate(self.pieces):
            while times < len(starts) and starts[times] <= n:
                times += 1
            weights = known.setdefault(piece.weight, [piece.weight])
            while len(weights) <= times:
                weights.append(round(weights[-1] * factor, DECIMALS))
            piece.weight = weights[times]

    def _escape(self, unit: re.Match[str]) -> None:
        """The character goes to the piece before, unless a blank stands in between."""
        literal = self.text.cut(unit.start() + 1, unit.end())
        if self.pieces and self.text.text[unit.start() - 1] != " ":
            self.pieces[-1].texts.append(literal)
            self.pieces[-1].is_break = False
        else:
            self.pieces.append(_Piece([literal]))

    def _text(self, start: int, end: int) -> None:
        done = start
        for match in [*_BREAK.finditer(self.text.text[start:end]), None]:
            stop = start + match.start() if match else end
            self._words(done, stop)
            if match:
                done = start + match.end()
                self.pieces.append(_Piece([self.text.rebuild([(stop, done, "BREAK")])], BREAK_WEIGHT, True))

    def _words(self, start: int, end: int) -> None:
        piece = self.text.text[start:end]
        before = _BEFORE_WORDS.match(piece)
        first = start + (before.end() if before else 0)
        kept = self.text.text[first:end].rstrip()
        if kept:
            self.pieces.append(_Piece([self.text.cut(first, first + len(kept))]))


def _number(text: str) -> float:
    """A weight that is no number is passed over."""
    try:
        return float(text)
    except ValueError:
        return 1.0


def parse_native(text: Derived) -> tuple[Fragment, ...]:
    """Fragments of a text, those of kind "break" included; never empty."""
    reader = _Reader(text)
    reader.read()
    merged = list(_merged(reader.pieces))
    return tuple(_fragment(piece) for piece in merged) or (Fragment("", origin=text.cut(0, 0).origin),)


def _merged(pieces: list[_Piece]) -> Iterator[_Piece]:
    last: _Piece | None = None
    for piece in pieces:
        if last and last.weight == piece.weight:
            last.texts += [Derived(" "), *piece.texts] if last.ends_in_word() else piece.texts
            last.is_break = False
        else:
            if last:
                yield last
            last = piece
    if last:
        yield last


def _fragment(piece: _Piece) -> Fragment:
    text = join(piece.texts, "")
    return Fragment(text.text, piece.weight, "break" if piece.is_break else "text", text.origin)
