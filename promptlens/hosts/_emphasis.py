"""The emphasis syntax that AUTOMATIC1111 made common: `(x)`, `[x]`, `(x:1.2)`, escapes, and BREAK.

`(x)` multiplies by 1.1, `[x]` divides by 1.1, `(x:1.2)` multiplies by the number; nested brackets multiply; an unclosed bracket lasts to
the end. A backslash makes the next bracket or backslash literal, and vanishes before anything else. Neighbours of equal weight are one
fragment, joined before tokenising. Observed in stable-diffusion-webui 1.10.0, modules/prompt_parser.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from promptlens.hosts import Fragment, FragmentKind, HostFailure
from promptlens.spans import Origin, Run, Span

# One lexical unit each: an escape, a bracket, a weight with its closing bracket, plain text, a lone colon.
_UNITS = re.compile(
    r"(?P<escape>\\[()\[\]\\]|\\)|(?P<open>[(\[])|:\s*(?P<weight>[+-]?[.\d]+)\s*\)|(?P<close>[)\]])|(?P<text>[^\\()\[\]:]+|:)"
)
# kohya and sd_embed read no blanks around the number
_UNITS_TIGHT = re.compile(_UNITS.pattern.replace(r":\s*(?P<weight>[+-]?[.\d]+)\s*\)", r":(?P<weight>[+-]?[.\d]+)\)"))
_BREAK = re.compile(r"\s*\bBREAK\b\s*")

UP = 1.1
DOWN = 1 / 1.1


@dataclass(slots=True)
class _Part:
    """A stretch of text as slices of the line, with the weight it has so far."""

    slices: list[tuple[int, int]]
    weight: float = 1.0
    is_break: bool = False
    text: str = field(default="")


def parse_emphasis(text: str, origin: Origin | None = None, *, breaks: bool = True, tight: bool = False) -> tuple[Fragment, ...]:
    """Fragments of a line, in order, never empty. `origin` maps the line to the prompt.

    `breaks`: BREAK outside brackets (at weight exactly -1) becomes a fragment of kind "break". `tight`: no blanks around a weight.
    Raises `HostFailure` for a weight like `1.2.3`, on which `float` fails in the host.
    """
    parts: list[_Part] = []
    round_open: list[int] = []
    square_open: list[int] = []

    def weigh(start: int, factor: float) -> None:
        for part in parts[start:]:
            part.weight *= factor

    for unit in (_UNITS_TIGHT if tight else _UNITS).finditer(text):
        kind, value, at = unit.lastgroup, unit.group(), unit.start()
        if kind == "escape":
            parts.append(_Part([(at + 1, unit.end())]))
        elif kind == "open":
            (round_open if value == "(" else square_open).append(len(parts))
        elif kind == "weight" and round_open:
            weigh(round_open.pop(), _number(unit, origin))
        elif value == ")" and round_open:
            weigh(round_open.pop(), UP)
        elif value == "]" and square_open:
            weigh(square_open.pop(), DOWN)
        else:
            parts.extend(_text_parts(text, at, unit.end(), breaks))
    _weigh_unclosed(parts, round_open, UP)
    _weigh_unclosed(parts, square_open, DOWN)
    return tuple(_fragment(p, text, origin) for p in _merged(parts or [_Part([])]))


def _number(unit: re.Match[str], origin: Origin | None) -> float:
    number = unit.group("weight")
    try:
        return float(number)
    except ValueError:
        start, end = unit.span("weight")
        span = origin.span(start, end) if origin else Span(start, end)
        raise HostFailure(
            "ValueError", f"The weight {number!r} is not a number; the host stops with an error on this prompt.", span
        ) from None


def _text_parts(text: str, start: int, end: int, breaks: bool) -> list[_Part]:
    """Plain text, with each BREAK as a part of its own of weight -1 and the blanks around it gone."""
    if not breaks or text.find("BREAK", start, end) < 0:
        return [_Part([(start, end)])]
    found: list[_Part] = []
    piece = text[start:end]  # word boundaries are those of the piece: a bracket beside BREAK is one
    at = 0
    for match in _BREAK.finditer(piece):
        found.append(_Part([(start + at, start + match.start())]))
        word = start + piece.index("BREAK", match.start())
        found.append(_Part([(word, word + 5)], -1.0, is_break=True))
        at = match.end()
    found.append(_Part([(start + at, end)]))
    return found


def _weigh_unclosed(parts: list[_Part], opened: list[int], factor: float) -> None:
    """Each bracket left open weighs all that follows it. Linear: a count of open brackets is multiplied out once per starting weight."""
    reached: dict[float, tuple[int, float]] = {}
    open_here = 0
    for i, part in enumerate(parts):
        while open_here < len(opened) and opened[open_here] <= i:
            open_here += 1
        times, weight = reached.get(part.weight, (0, part.weight))
        own = part.weight
        for _ in range(open_here - times):
            weight *= factor
        reached[own] = (open_here, weight)
        part.weight = weight


def _merged(parts: list[_Part]) -> list[_Part]:
    merged: list[_Part] = []
    for part in parts:
        if merged and merged[-1].weight == part.weight:
            _extend(merged[-1].slices, part.slices)
            merged[-1].is_break = False
        else:
            merged.append(part)
    return merged


def _extend(slices: list[tuple[int, int]], more: list[tuple[int, int]]) -> None:
    """Add slices; one that begins where the last ends is joined to it."""
    for start, end in more:
        if slices and slices[-1][1] == start:
            slices[-1] = (slices[-1][0], end)
        else:
            slices.append((start, end))


def _fragment(part: _Part, text: str, origin: Origin | None) -> Fragment:
    piece = "".join(text[a:b] for a, b in part.slices)
    place = Origin.of_slices(part.slices)
    if not place.runs and part.slices:
        place = Origin((Run(0, 0, *part.slices[0]),))
    kind: FragmentKind = "break" if piece == "BREAK" and part.weight == -1.0 else "text"
    return Fragment(piece, part.weight, kind, place if origin is None else place.through(origin))
