"""Styled text and its wrapping: what a page is made of, before it is known whether it is drawn in colour.

A `Run` is text with the name of a style, a `Row` one line of them. Widths are terminal cells, and grapheme clusters are never parted.
What cannot be printed is shown as an escape: nothing out of a prompt can steer the terminal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from promptlens.spans import cell_width, clusters
from promptlens.terminal import escape

# A cluster may hold any number of combining marks; from here on they are only counted.
MAX_CLUSTER = 32
MAX_LOOK_BACK = 64

# Text of one cell a character, with the signs that pages use: measured without loading the tables of all the others.
_SIMPLE = re.compile("[ -~·…┃━╸─↵]*")

JOINERS = "\u200c\u200d"
TAGS = ("\U000e0020", "\U000e007f")  # they spell the flags of England, Scotland and Wales


class Run(NamedTuple):
    """Text of one style; "" is the plain one."""

    text: str
    style: str = ""


Row = list[Run]


class Atom(NamedTuple):
    """The least that wrapping moves: a visible cluster, its width, and whether a line may break around it."""

    text: str
    style: str
    width: int
    kind: str = ""  # "": part of a word; " ": a blank; "\n": ends the line; "|": a line may break on both sides


def visible(cluster: str) -> str:
    r"""A grapheme cluster as it may be printed.

    >>> visible("\x1b"), visible("é"), visible("\u202e")
    ('\\x1b', 'é', '\\u202e')
    """
    if len(cluster) > MAX_CLUSTER:
        cluster = cluster[:MAX_CLUSTER]
    if not cluster.isprintable():
        cluster = "".join(c if c.isprintable() or _belongs(c, cluster) else escape(c) for c in cluster)
    if not cluster.isascii() and not cell_width(cluster):
        return f"◌{cluster}" if cell_width(f"◌{cluster}") else ascii(cluster)[1:-1]  # a mark with no letter to stand on
    return cluster


def _belongs(char: str, cluster: str) -> bool:
    """Joiners and tags within an emoji or a script that needs them."""
    return not cluster[0].isascii() and cluster[0].isprintable() and (char in JOINERS or TAGS[0] <= char <= TAGS[1])


def visible_text(text: str) -> str:
    """A stretch of text in one line, as it may be printed."""
    if _SIMPLE.fullmatch(text):
        return text
    return "".join(visible(s.of(text)) for s in clusters(text))


def quoted(text: str, limit: int = 240) -> str:
    """A stretch of the user's text in quotes, in one line; the middle of a long one is left out and counted."""
    if len(text) <= limit:
        return f'"{visible_text(text)}"'
    head, tail = cluster_start(text, limit * 2 // 3), cluster_start(text, len(text) - limit // 3)
    return f'"{visible_text(text[:head])}" … {tail - head:,} characters … "{visible_text(text[tail:])}"'


def cluster_start(text: str, at: int) -> int:
    """Where the grapheme cluster around a place begins (looking back no further than clusters in use are long)."""
    if at <= 0 or at >= len(text) or (text[at - 1 : at + 1].isalpha() and text[at - 1 : at + 1].isascii()):
        return at
    low = at
    while low > 0 and at - low < MAX_LOOK_BACK and not (text[low].isascii() and text[low].isalnum()):
        low -= 1
    return max((s.start + low for s in clusters(text[low : at + 1]) if s.start + low <= at), default=at)


def atoms(text: str, style: str = "") -> Iterator[Atom]:
    """The clusters of a text without line breaks."""
    if _SIMPLE.fullmatch(text):
        yield from (Atom(char, style, 1, " " if char == " " else "") for char in text)
        return
    for span in clusters(text):
        cluster = span.of(text)
        if cluster == " ":
            yield Atom(cluster, style, 1, " ")
            continue
        printed = visible(cluster)
        width = cell_width(printed)
        if printed == cluster:
            yield Atom(printed, style, width, "|" if width > 1 else "")
        else:  # an escape may be wider than a line
            yield from (Atom(s.of(printed), style, cell_width(s.of(printed))) for s in clusters(printed))


def wrap(runs: Iterable[Run], width: int, *, first: str = "", indent: str = "") -> list[Row]:
    """Runs as lines of at most `width` cells: `first` begins the first, `indent` the others (plain ASCII)."""
    return wrap_atoms((a for run in runs for a in atoms(run.text, run.style)), width, first=first, indent=indent)


def wrap_atoms(items: Iterable[Atom], width: int, *, first: str = "", indent: str = "") -> list[Row]:
    """Atoms as lines of at most `width` cells. Blanks at the end of a line are dropped."""
    wrapped = _Wrapped(width, first, indent)
    for atom in items:
        wrapped.add(atom)
    return wrapped.rows()


class _Wrapped:
    """Lines being filled."""

    def __init__(self, width: int, first: str, indent: str) -> None:
        self.width = width
        self.indent = Atom(indent, "", len(indent))
        self.done: list[Row] = []
        self.line: list[Atom] = [Atom(first, "", len(first))]
        self.cells = self.line[0].width
        self.word: list[Atom] = []
        self.word_cells = 0

    def add(self, atom: Atom) -> None:
        if atom.kind == "\n":
            self.word.append(atom)
            self.word_cells += atom.width
            self.end_word()
            self.end_line()
        elif atom.kind == " ":
            self.end_word()
            if self.cells < self.width:
                self.put(atom)
            else:
                self.end_line()
        elif atom.kind == "|":
            self.end_word()
            self.word, self.word_cells = [atom], atom.width
            self.end_word()
        else:
            self.word.append(atom)
            self.word_cells += atom.width

    def end_word(self) -> None:
        """Move the word to the line; a word longer than a line is cut between its clusters."""
        word, cells = self.word, self.word_cells
        self.word, self.word_cells = [], 0
        if self.cells + cells > self.width and len(self.line) > 1 and cells <= self.width - self.indent.width:
            self.end_line()
        for atom in word:
            if self.cells + atom.width > self.width and len(self.line) > 1:
                self.end_line()
            self.put(atom)

    def put(self, atom: Atom) -> None:
        self.line.append(atom)
        self.cells += atom.width

    def end_line(self) -> None:
        self.done.append(_joined(self.line))
        self.line = [self.indent]
        self.cells = self.indent.width

    def rows(self) -> list[Row]:
        self.end_word()
        if len(self.line) > 1 or not self.done:
            self.end_line()
        return self.done


def _joined(line: Sequence[Atom]) -> Row:
    """One run for neighbours of one style, with no blanks at the end. A wide cluster stays a run of its own (pictures place each run)."""
    end = len(line)
    while end and not line[end - 1].text.strip(" "):
        end -= 1
    row: Row = []
    wide = False
    for atom in line[:end]:
        if row and not wide and atom.kind != "|" and row[-1].style == atom.style:
            row[-1] = Run(row[-1].text + atom.text, atom.style)
        elif atom.text:
            row.append(Run(atom.text, atom.style))
        wide = atom.kind == "|"
    return row


def plain(row: Row) -> str:
    """The text of a row."""
    return "".join(run.text for run in row)
