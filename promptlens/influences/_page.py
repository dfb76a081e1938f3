"""The page of `promptlens influence`: the prompt as a heat strip, the ranking, what does nothing, which boundaries move.

    a photo of a red cat
    · 22222 ·· · 555 999      9 is the strongest word, · no more than a comma does

The marks say it without colour too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from promptlens.encoder.preview import LABEL as PREVIEW_LABEL
from promptlens.hosts import HOSTS
from promptlens.influences._notes import notes
from promptlens.influences._precision import caution
from promptlens.influences._ranking import ranking
from promptlens.influences._result import MEANING, Influence
from promptlens.influences._steps import level, mark
from promptlens.models import get_model
from promptlens.render._runs import Atom, Row, Run, atoms, wrap

WHERE = "own, later, end: shares of the change at the word's own positions, at later words, at EOS and padding; the rest is elsewhere."


def page(found: Influence, width: int, top: int | None = None) -> Iterator[Row]:
    """Rows of at most `width` cells; `top`: only so many of the ranking."""
    names = f"{HOSTS[found.host].name} · {get_model(found.model).title}"
    if found.approximate:
        yield from wrap([Run(PREVIEW_LABEL, "title")], width)
    elif found.precision == "bf16":
        yield from wrap([Run(caution(found.lens), "title")], width)
    yield from wrap([Run(names, "title"), Run(f" · influence of each {found.unit} · lens {found.lens} · {found.method}", "dim")], width)
    yield []
    yield from strip(found, width)
    if not found.scores:
        yield from notes(found, width)
        return
    yield from wrap([Run(_legend(found), "dim")], width, first="  ", indent="  ")
    yield []
    yield from ranking(found, top, width)
    if not found.approximate or found.quiet or any(found.moved) or found.left_out:
        yield []
    if found.lens == "conditioning":
        yield from wrap([Run(WHERE, "dim")], width)
    yield from notes(found, width)
    yield []
    yield from wrap([Run(MEANING, "dim")], width)


def _legend(found: Influence) -> str:
    if found.approximate:
        return f"9 high, 5 medium, 1 low: thirds of the {found.unit}s; · does no more than a comma"
    return f"9 is the strongest {found.unit}, · does no more than a comma"


def strip(found: Influence, width: int) -> Iterator[Row]:
    """The prompt in lines, and under each the marks of its words."""
    for line in prompt_lines(found, width - 2):
        yield [Run("  "), *_joined((a.text, a.style) for a, _ in line)]
        yield [Run("  "), *_joined((mark(found, n) * a.width, a.style) for a, n in line)]


def _joined(pieces: Iterable[tuple[str, str]]) -> Iterator[Run]:
    """One run for neighbours of one style."""
    for style, group in groupby(pieces, key=lambda piece: piece[1]):
        yield Run("".join(text for text, _ in group), style)


Piece = tuple[Atom, int | None]
"""What is printed of a cluster of the prompt, and the unit that it belongs to."""


def prompt_lines(found: Influence, width: int) -> Iterator[list[Piece]]:
    """The prompt in lines of at most `width` cells, broken between words where that is possible."""
    line: list[Piece] = []
    for word in _words(_pieces(found)):
        cells = sum(a.width for a, _ in word)
        full = sum(a.width for a, _ in line) + cells > width
        if line and full and (line[-1][0].kind == " " or word[0][0].kind == " "):
            yield line
            line = []
            if word[0][0].kind == " ":
                continue
        for item in word:
            if sum(a.width for a, _ in line) + item[0].width > width:
                yield line
                line = []
            line.append(item)
    if line:
        yield line


def _pieces(found: Influence) -> Iterator[Piece]:
    text = "".join(" " if c in "\n\r\t" else c for c in found.prompt)
    at = 0
    for n, span in enumerate(found.spans):
        if span.start < at:
            continue
        yield from ((a, None) for a in atoms(text[at : span.start], "syntax"))
        step = level(found, n)
        yield from ((a, n) for a in atoms(span.of(text), f"heat-{step}" if step else "dim"))
        at = span.end
    yield from ((a, None) for a in atoms(text[at:], "syntax"))


def _words(items: Iterator[Piece]) -> Iterator[list[Piece]]:
    word: list[Piece] = []
    for item in items:
        if item[0].kind == " ":
            if word:
                yield word
            yield [item]
            word = []
        else:
            word.append(item)
    if word:
        yield word
