"""A line of the prompt as boxes for a picture, from left to right.

Text of a right-to-left script is shaped by whoever draws it, but the order of boxes is ours: from the first to the last right-to-left box
with no left-to-right one between, they stand in the reverse order, as the Unicode bidirectional algorithm has it for words. Left out:
its finer points (numbers within such text, explicit marks).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from promptlens.influences._page import Piece

_MIRRORED = str.maketrans("()[]{}<>«»", ")(][}{><»«")


class Box(NamedTuple):
    """A stretch of a line: of one unit, or between units."""

    text: str
    cells: int
    unit: int | None = None


def boxes(line: Sequence[Piece]) -> Iterator[tuple[Box, int]]:
    """Each box with the cell it begins at."""
    at = 0
    for box in _placed([_box(unit, list(group)) for unit, group in groupby(line, key=_place)]):
        if box.text.strip(" "):
            yield box, at
        at += box.cells


def _place(piece: Piece) -> tuple[int | None, bool]:
    """Blanks between units are boxes of their own, which are not drawn."""
    atom, unit = piece
    return unit, unit is None and atom.kind == " "


def _box(place: tuple[int | None, bool], pieces: Sequence[Piece]) -> Box:
    return Box("".join(a.text for a, _ in pieces), sum(a.width for a, _ in pieces), place[0])


def _placed(found: Sequence[Box]) -> Iterator[Box]:
    at = 0
    while at < len(found):
        end = _run_end(found, at) if _is_rtl(found[at]) else at
        run = found[at : end + 1]
        yield from (_turned(box) for box in reversed(run)) if _is_rtl(found[at]) else run
        at = end + 1


def _run_end(found: Sequence[Box], at: int) -> int:
    """The last right-to-left box of a run, or what closes a bracket that was opened in it."""
    end = at
    for n in range(at + 1, len(found)):
        if _is_rtl(found[n]) is False:
            break
        end = n if _is_rtl(found[n]) else end
    between = "".join(box.text for box in found[at : end + 1] if box.unit is None)
    opened = sum(between.count(c) for c in "([{") > sum(between.count(c) for c in ")]}")
    return end + 1 if opened and end + 1 < len(found) and found[end + 1].text[:1] in (")", "]", "}") else end


def _turned(box: Box) -> Box:
    """A word is turned by whoever draws it; signs between words have no direction of their own."""
    return box if _is_rtl(box) else box._replace(text=box.text[::-1].translate(_MIRRORED))


def _is_rtl(box: Box) -> bool | None:
    """Whether the first letter is of a right-to-left script; None without letters."""
    directions = (unicodedata.bidirectional(char) for char in box.text)
    return next((d != "L" for d in directions if d in ("L", "R", "AL")), None)
