"""Reading compel's syntax bit by bit: numbers, names, options, quoted text, and where an error is."""

from __future__ import annotations

import re
from dataclasses import dataclass

from promptlens.hosts import HostFailure
from promptlens.hosts._rewrite import Derived, Piece
from promptlens.spans import Span

Options = list[tuple[str, bool]]  # (name or number, is it a name with a number as its value)

_SPACE = re.compile(r"[ \t\n\r]*")
_REAL = re.compile(r"[+-]?(?:\d+\.\d*|\.\d+)")
_WHOLE = re.compile(r"-?[0-9]+")
_SIGNS = re.compile(r"\++|-+")
KEYWORD = re.compile(r"[A-Za-z0-9_-]+")
_QUOTED = re.compile(r'"(?:\\"|[^"\n\r])*"')
# What pyparsing undoes inside quotes; of these only \t \n \f \r are likely to be meant.
_QUOTED_ESCAPE = re.compile(r"\\[tnfr]|\\[0-7]3|\\0|\\x[0-9a-fA-F]2|\\u[0-9a-fA-F]4")

PLUS, MINUS = 1.1, 0.9  # for each sign


@dataclass(frozen=True, slots=True)
class Scanner:
    """Reads a text; each method takes a place and gives the end of what it finds there (and what it is), or None."""

    source: Derived

    @property
    def text(self) -> str:
        return self.source.text

    def arguments(self, at: int | None) -> tuple[int, Options] | None:
        """`(option, option, ...)`, possibly none."""
        start = None if at is None else self.literal("(", at)
        if start is None:
            return None
        end, options = self.options(start)
        close = self.literal(")", end)
        return None if close is None else (close, options)

    def options(self, at: int) -> tuple[int, Options]:
        """A list of `name=value`, numbers and names; as far as it goes."""
        options: Options = []
        end = at
        while (found := self.option(at)) is not None:
            end = found[0]
            options.append(found[1])
            comma = self.literal(",", end)
            if comma is None:
                break
            at = comma
        return end, options

    def option(self, at: int) -> tuple[int, tuple[str, bool]] | None:
        at = self.space(at)
        name = KEYWORD.match(self.text, at)
        equals = self.literal("=", name.end()) if name else None
        if name and equals is not None:
            number = self.number(equals)
            end = number[0] if number else self.match(KEYWORD, equals)
            if end is not None:
                return end, (name.group(), number is not None)
        number = self.number(at)
        if number:
            return number[0], (str(number[1]), False)
        return (name.end(), (name.group(), False)) if name else None

    def amount(self, at: int, *, numbers: bool) -> tuple[int, float] | None:
        """A weight: so many signs, or a number."""
        signs = _SIGNS.match(self.text, at)
        if not signs:
            return self.number(at) if numbers and self.space(at) == at else None
        try:
            return signs.end(), pow(PLUS if signs.group()[0] == "+" else MINUS, len(signs.group()))
        except OverflowError:
            raise self.failure(
                "OverflowError", "So many signs are too large a weight; compel stops with an error.", *signs.span()
            ) from None

    def number(self, at: int) -> tuple[int, float] | None:
        at = self.space(at)
        found = _REAL.match(self.text, at) or _WHOLE.match(self.text, at)
        return (found.end(), float(found.group())) if found else None

    def space(self, at: int) -> int:
        found = _SPACE.match(self.text, at)
        return found.end() if found else at

    def literal(self, wanted: str, at: int) -> int | None:
        at = self.space(at)
        return at + len(wanted) if self.text.startswith(wanted, at) else None

    def match(self, pattern: re.Pattern[str], at: int) -> int | None:
        found = pattern.match(self.text, self.space(at))
        return found.end() if found else None

    def weight(self, name: str) -> float:
        try:
            return float(name)
        except ValueError:
            raise self.failure("ValueError", f"{name!r} is no weight; compel stops with an error.", 0) from None

    def span(self, start: int, end: int) -> Span:
        return self.source.origin.span(start, end) if self.source.origin else Span(start, end)

    def failure(self, error: str, message: str, start: int, end: int | None = None) -> HostFailure:
        return HostFailure(error, message, self.span(start, len(self.text) if end is None else end))

    def quoted(self, at: int) -> tuple[int, Derived] | None:
        """Text in quotes, without them."""
        found = _QUOTED.match(self.text, at)
        return (found.end(), _unescaped(self.source.cut(found.start() + 1, found.end() - 1))) if found else None


def _unescaped(inner: Derived) -> Derived:
    """Text between quotes with the escapes undone that pyparsing undoes."""
    pieces: list[Piece] = []
    done = 0
    for match in _QUOTED_ESCAPE.finditer(inner.text):
        pieces += [(done, match.start()), (*match.span(), _escaped_character(match.group()[1:]))]
        done = match.end()
    return inner.rebuild([*pieces, (done, len(inner.text))]) if pieces else inner


def _escaped_character(escape: str) -> str:
    if escape[0] in "tnfr":
        return {"t": "\t", "n": "\n", "f": "\f", "r": "\r"}[escape]
    if escape[0] in "xu":
        char = chr(int(escape[1:], 16))
        return '\\"' if char == '"' else char
    return "\0" if escape == "0" else escape
