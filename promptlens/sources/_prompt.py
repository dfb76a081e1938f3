"""A prompt and where it came from: `Prompt`, the `Place` its text has in the file, and the way from one to the other and back.

    Prompt.locate(offset)            line and column of a character of the prompt in the file, through escapes
    splice(text, prompt, edits)      the file's text after edits of the prompt; every character outside them is kept
    replace_text(text, prompt, new)  the same with the new text as a whole: only what differs is written

It leaves out reading files (_document.py) and what makes a text a prompt (the formats).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from promptlens.sources._codec import Edit, NotWritable, decoded, edited
from promptlens.sources._document import Document
from promptlens.spans import line_column

Role = Literal["positive", "negative", "caption"]

# Why something in a file is worth a word though it is no prompt: "ignored": lines the host never reads; "literal": a line of options that
# the host takes as a prompt as it stands; "duplicate": a key said twice, of which programs keep the last; "bytes": bytes that are not text,
# which the host drops; "empty": a caption or prompt with nothing in it; "missing": a row without the field that holds its prompt.
NoticeKind = Literal["ignored", "literal", "duplicate", "bytes", "empty", "missing"]


class Text(str):
    """A string read from a file that knows where its raw form is: `document.text[start:end]`, to be read by `codec`."""

    __slots__ = ("codec", "context", "end", "start")

    start: int
    end: int
    codec: str
    context: str

    def __new__(cls, value: str, start: int, end: int, codec: str, context: str = "") -> Text:
        self = super().__new__(cls, value)
        self.start = start
        self.end = end
        self.codec = codec
        self.context = context
        return self

    def place(self, document: Document) -> Place:
        """Where it is in the document."""
        return Place(self.start, document.text[self.start : self.end], *document.position(self.start), self.codec, self.context)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text stands in its file: `raw` begins at index `start` of the file's text, at `line` and `column` (counted from 1)."""

    start: int
    raw: str
    line: int
    column: int
    codec: str = "plain"
    context: str = ""

    @property
    def text(self) -> str:
        """What the raw form means."""
        return decoded(self.codec, self.raw, self.context)[0]

    def locate(self, offset: int) -> tuple[int, int]:
        """Line and column in the file of a character of the text."""
        text, origin = decoded(self.codec, self.raw, self.context)
        at = min(max(offset, 0), len(text))
        index = origin.range(at, at + 1)[0] if at < len(text) else origin.range(at, at)[1]
        line, column = line_column(self.raw, index)
        return (self.line, self.column + column - 1) if line == 1 else (self.line + line - 1, column)


@dataclass(frozen=True, slots=True)
class Piece:
    """`prompt.text[start:end]` stands at `place`; None: a node of the host makes it out of other texts.

    `skip` counts the characters of the place's text before it (a weight, white space) that are no part of the prompt.
    """

    start: int
    end: int
    place: Place | None
    skip: int = 0


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt of a file.

    `line` and `column` are where its text begins, counted from 1. `key` says which one of the file it is, as the format names things
    ("prompts[2].text", a style's name, a node). `computed` says what makes the text at run time; the text is then empty. `skipped` says
    why the host does not run it (a muted node). `encoder` is the one encoder that reads it, where there is only one. `readers` are the
    keys of further nodes that read the same text. `pieces` and `mirrors` are for writing it back.
    """

    text: str
    path: str = ""
    line: int = 1
    column: int = 1
    role: Role = "positive"
    key: str = ""
    format: str = ""
    computed: str | None = None
    skipped: str | None = None
    encoder: str | None = None
    readers: tuple[str, ...] = ()
    pieces: tuple[Piece, ...] = ()
    mirrors: tuple[Place, ...] = ()

    @property
    def writable(self) -> bool:
        """True when at least a part of it can be edited in its file."""
        return any(p.place is not None for p in self.pieces)

    def locate(self, offset: int) -> tuple[int, int]:
        """Line and column in the file of the character at an offset of the text."""
        for piece in self.pieces:
            if piece.place is not None and (offset < piece.end or piece is self.pieces[-1]):
                return piece.place.locate(max(offset - piece.start, 0) + piece.skip)
        return self.line, self.column


@dataclass(frozen=True, slots=True)
class Notice:
    """Something in a file that is no prompt but worth a word; `text` is what stands there, `key` the prompt it belongs to."""

    kind: NoticeKind
    message: str
    path: str
    line: int
    column: int = 1
    text: str = ""
    key: str = ""


Item = Prompt | Notice


def prompt_at(
    document: Document,
    text: Text,
    *,
    key: str,
    role: Role = "positive",
    start: int = 0,
    end: int | None = None,
    mirrors: Iterable[Text] = (),
) -> Prompt:
    """The prompt that is one text of a document, or `text[start:end]` of it."""
    place = text.place(document)
    value = str.__str__(text)[start:end]
    line, column = place.locate(start)
    piece = Piece(0, len(value), place, start)
    other = tuple(m.place(document) for m in mirrors)
    return Prompt(value, document.path, line, column, role, key, pieces=(piece,), mirrors=other)


def prompt_in_line(
    path: str, text: str, start: int, line: int, column: int, *, key: str, role: Role = "positive", context: str = ""
) -> Prompt:
    """The prompt that is a part of a line, as it stands there; `start` is its index in the file's text."""
    place = Place(start, text, line, column, "line", context)
    value = text if text.isascii() else decoded("line", text, context)[0]
    return Prompt(value, path, line, column, role, key, pieces=(Piece(0, len(value), place),))


FileEdit = tuple[int, int, str]  # start and end in the file's text, and what to put there


def file_edits(prompt: Prompt, edits: Sequence[Edit]) -> list[FileEdit]:
    """Edits of a prompt as edits of its file, one for each place; raises `NotWritable` where there is no way."""
    changes: list[FileEdit] = []
    for edit in edits:
        if not any(_inside(edit, piece) for piece in prompt.pieces):
            raise NotWritable(f"{prompt.path}:{prompt.line}:{prompt.column}: {_why_not(prompt)}.")
    taken: set[int] = set()
    by_place: dict[Place, dict[Edit, None]] = {}  # several pieces may stand in one place, with something between that is not sent
    for piece in prompt.pieces:
        own = [i for i, edit in enumerate(edits) if i not in taken and _inside(edit, piece)]
        taken.update(own)
        shift = piece.skip - piece.start
        if piece.place is not None and own:
            local = by_place.setdefault(piece.place, {})
            local.update({(edits[i][0] + shift, edits[i][1] + shift, edits[i][2]): None for i in own})
    for stands, inside in by_place.items():
        for place in (stands, *prompt.mirrors):
            try:
                raw = edited(place.codec, place.raw, place.context, tuple(inside))
            except NotWritable as error:
                raise NotWritable(f"{prompt.path}:{place.line}:{place.column}: {error}.") from None
            if raw != place.raw:
                changes.append((place.start, place.start + len(place.raw), raw))
    return changes


def _inside(edit: Edit, piece: Piece) -> bool:
    return piece.place is not None and piece.start <= edit[0] and edit[1] <= piece.end


def _why_not(prompt: Prompt) -> str:
    if prompt.computed:
        return f"the text is {prompt.computed}; change it there"
    if not prompt.writable:
        return "this prompt cannot be written back to its file"
    return "the change reaches over texts that stand in different places of the file"


def apply(text: str, changes: Iterable[FileEdit]) -> str:
    """The file's text after the edits; the same edit given twice is made once, and two that overlap raise `NotWritable`."""
    parts, at = [], 0
    for start, end, new in sorted(set(changes)):
        if start < at:
            raise NotWritable("two changes of the file overlap")
        parts += [text[at:start], new]
        at = end
    return "".join([*parts, text[at:]])


def splice(text: str, prompt: Prompt, edits: Sequence[Edit]) -> str:
    """The file's text after edits of one of its prompts; every character outside them stays as it is."""
    changes = file_edits(prompt, edits)
    for start, end, _ in changes:
        known = [p.place for p in prompt.pieces if p.place] + list(prompt.mirrors)
        if not any(p.start == start and text[start:end] == p.raw for p in known):
            raise NotWritable(f"{prompt.path}: the file has changed since it was read; read it again.")
    return apply(text, changes)


def replace_text(text: str, prompt: Prompt, new: str) -> str:
    """The file's text with another text for one of its prompts."""
    return splice(text, prompt, difference(prompt.text, new))


def difference(old: str, new: str) -> list[Edit]:
    """The one edit that turns a text into another, without what both begin and end with.

    >>> difference("a red cat", "a blue cat")
    [(2, 5, 'blue')]
    """
    if old == new:
        return []
    start, limit = 0, min(len(old), len(new))
    while start < limit and old[start] == new[start]:
        start += 1
    end = 0
    while end < limit - start and old[-1 - end] == new[-1 - end]:
        end += 1
    return [(start, len(old) - end, new[start : len(new) - end])]
