"""One JSON object a line: `id` and `role`, then the report; written as soon as each prompt is analysed.

A prompt that could not be read or analysed is a line too: `{"schema": 1, "id": ..., "line": 3, "ok": false, "error": "..."}`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from promptlens.render import Entry, Trouble
from promptlens.render._json import dumped, labelled
from promptlens.report import SCHEMA
from promptlens.terminal import Screen

tells_trouble = True


def write(entries: Iterable[Entry | Trouble], screen: Screen) -> Iterator[str]:
    """A line for each prompt, in order."""
    for entry in entries:
        if isinstance(entry, Entry):
            row = labelled(entry)
        else:
            given = entry.name if entry.id is None and entry.line is None else entry.id
            row = {"schema": SCHEMA, "id": given, "line": entry.line, "ok": False, "error": entry.message}
        yield dumped(row, screen) + "\n"
