"""CSV with places: the rows that `csv.reader` gives (its `excel` dialect), each field a `Text` that knows where it stands.

Like the module's, it reads quotes inside an unquoted field as they are, joins what follows a closing quote, and refuses fields of more
than 131,072 characters, as the hosts that use it do. Unlike it, it refuses a quote that is never closed: the rest of the file would be
one field.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from promptlens.sources._codec import decoded
from promptlens.sources._document import Document, shortened, shown
from promptlens.sources._prompt import Text

FIELD_LIMIT = 131_072  # csv.field_size_limit() of Python

_BARE = re.compile("[^,\r\n]*")
_QUOTED = re.compile('"(?:[^"]|"")*+"')
_SPACES = re.compile(" *")
_NEWLINE = re.compile("\r\n|\r|\n")


def rows(document: Document, *, skip_spaces: bool = False) -> Iterator[list[Text]]:
    """The rows of a CSV file; an empty line is an empty row. `skip_spaces`: spaces before a field are no part of it."""
    at, text = 0, document.text
    while at < len(text):
        row: list[Text] = []
        newline = _NEWLINE.match(text, at)
        while newline is None:
            field, at = _field(document, at, skip_spaces)
            row.append(field)
            newline = _NEWLINE.match(text, at)
            if at >= len(text):
                break
            if newline is None:
                at += 1  # the comma
        yield row
        if newline is None:
            return
        at = newline.end()


def _field(document: Document, at: int, skip_spaces: bool) -> tuple[Text, int]:
    text = document.text
    spaces = _SPACES.match(text, at) if skip_spaces else None
    start = spaces.end() if spaces else at
    end = start
    if text.startswith('"', start):
        quoted = _QUOTED.match(text, start)
        if quoted is None:
            hint = "Close the quote, or double it if it is part of the text."
            raise document.unreadable(start, "a quote opened here is never closed, so that the rest of the file is one field", hint=hint)
        end = quoted.end()
    bare = _BARE.match(text, end)
    end = bare.end() if bare else end
    context = "skip" if skip_spaces else ""
    value = decoded("csv", text[start:end], context)[0] if text.startswith('"', start) else text[start:end]
    if len(value) > FIELD_LIMIT:
        raise document.unreadable(start, f"this field is longer than {FIELD_LIMIT:,} characters, which CSV readers in Python refuse")
    return Text(value, start, end, "csv", context), end


@dataclass(frozen=True, slots=True)
class Row:
    """A row under its header; `number` counts the rows with something in them from 1, without the header."""

    number: int
    start: int
    fields: dict[str, Text]


def table(document: Document, *, skip_spaces: bool = False) -> tuple[list[str], Iterator[Row]]:
    """The header of a CSV file and its rows, empty ones left out: what `csv.DictReader` gives."""
    lines = rows(document, skip_spaces=skip_spaces)
    header = [str.__str__(name) for name in next(lines, [])]
    return header, _named(header, lines)


def _named(header: list[str], lines: Iterator[list[Text]]) -> Iterator[Row]:
    number = 0
    for row in lines:
        if row:
            number += 1
            yield Row(number, row[0].start, dict(zip(header, row, strict=False)))


def need_columns(document: Document, header: list[str], *columns: tuple[str, ...]) -> None:
    """Raise `UnreadableFile` unless the header has one name of each group."""
    for names in columns:
        if not any(name in header for name in names):
            listed = ", ".join(shown(shortened(name, 40)) for name in header[:8]) or "none"
            wanted = " or ".join(f"'{n}'" for n in names)
            raise document.unreadable(0, f"it has no column {wanted}; its columns are: {listed}", hint="Put the header in the first line.")
