"""Fixing the prompts of a file: what would change, as bytes, and putting it in the file's place.

The file's encoding, byte order mark, line ends, order of keys and every character outside the edits stay as they are. What cannot be
written back where it stands is said and left. Which fixes there are is fixes.py's business.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import unified_diff

from promptlens.checking._directives import directives_in, only_a_directive
from promptlens.checking._entries import Plan, Reader, format_of, has_comments
from promptlens.errors import InputError
from promptlens.fixes import Applied, fix_with
from promptlens.shorten import Importance
from promptlens.sources import Document, Format, NotWritable, Prompt, load_document, read_document, rewrite
from promptlens.sources._codec import Edit
from promptlens.sources._prompt import difference
from promptlens.writing import write_atomically


@dataclass(frozen=True, slots=True)
class FixedFile:
    """A file and what fixing makes of it; `applied` are the changes, each with its prompt, `refused` says what could not be written."""

    path: str
    before: Document
    after: Document
    applied: tuple[tuple[Prompt, Applied], ...] = ()
    refused: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """True when there is something to write."""
        return self.before.text != self.after.text

    def diff(self) -> str:
        """The change as a unified diff, "" for none."""
        texts = [document.text.splitlines(keepends=True) for document in (self.before, self.after)]
        return "".join(_ended(unified_diff(texts[0], texts[1], self.path, self.path)))

    def write(self) -> None:
        """Put the new content in the file's place, at once or not at all; where the name is a link, in the place of what it leads to.

        Raises `InputError` where that cannot be done, or where the file was changed since it was read.
        """
        try:
            replace_file(self.path, self.before.to_bytes(), self.after.to_bytes())
        except UnicodeEncodeError as error:
            raise InputError(f"{self.path}: not fixed, since {self.after.encoding} cannot write {error.object[error.start]!r}.") from None


def fix_file(path: str, plan: Plan, *, named: bool = True, unsafe: bool = False, dropping: Importance | None = None) -> FixedFile | None:
    """What fixing makes of a file; None where nothing says that there are prompts in it, or where they cannot be written back (pictures).

    `unsafe`: also with edits that are guesses, move tags, or drop words. `dropping` says which words go first, and lets them go. Raises
    `UnreadableFile`.
    """
    row = format_of(path, plan, named=named)
    if row is None or row.read_bytes:
        return None
    return fix_document(load_document(path, row, plan.read), row, plan, unsafe=unsafe, dropping=dropping)


def fix_document(document: Document, row: Format, plan: Plan, *, unsafe: bool = False, dropping: Importance | None = None) -> FixedFile:
    """`fix_file` of what is in memory."""
    reader = Reader(row, plan, directives_in(document.to_bytes()) if has_comments(row, plan) else None)
    changes: list[tuple[Prompt, list[Edit]]] = []
    applied: list[tuple[Prompt, Applied]] = []
    for prompt in _writable(read_document(document, row, plan.read), reader):
        fixed = fix_with(prompt.text, reader.analysis(prompt), unsafe=unsafe, dropping=dropping)
        if fixed.text != prompt.text:
            changes.append((prompt, difference(prompt.text, fixed.text)))
            applied += ((prompt, one) for one in fixed.applied)
    after, refused = _written(document, changes, row, plan)
    left = {id(prompt) for prompt, _ in refused}
    kept = tuple((prompt, one) for prompt, one in applied if id(prompt) not in left)
    return FixedFile(document.path, document, after, kept, tuple(why for _, why in refused))


def _writable(items: Iterable[object], reader: Reader) -> Iterator[Prompt]:
    for item in items:
        if isinstance(item, Prompt) and item.writable and not reader.why_not(item) and not only_a_directive(item.text):
            yield item


def _written(
    document: Document, changes: Sequence[tuple[Prompt, list[Edit]]], row: Format, plan: Plan
) -> tuple[Document, list[tuple[Prompt, str]]]:
    """The document after as many of the changes as can be made, and the prompts of the others with the reasons."""
    if not changes:
        return document, []
    try:
        return rewrite(document, changes, row, plan.read), []
    except NotWritable:
        pass
    made: list[tuple[Prompt, list[Edit]]] = []
    refused: list[tuple[Prompt, str]] = []
    after = document
    for change in changes:
        try:
            after = rewrite(document, [*made, change], row, plan.read)
        except NotWritable as error:
            refused.append((change[0], str(error)))
        else:
            made.append(change)
    return after, refused


def _ended(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def replace_file(path: str, before: bytes, after: bytes) -> None:
    """Replace a file that still holds `before`. Raises `InputError`; the file is then as it was."""
    try:
        with open(path, "rb") as handle:
            if handle.read() != before:
                raise InputError(f"{path}: not fixed, since it was changed meanwhile; run it again.")
        if not os.access(path, os.W_OK):
            raise InputError(f"{path}: not fixed, since it is write-protected.")
        write_atomically(path, after)
    except OSError as error:
        raise InputError(f"{path}: not fixed, since it cannot be written: {error.strerror or error}.") from None
