"""One JSON object a line: `id` and `role`, then the report; written as soon as each prompt is analysed.

A prompt that could not be read or analysed is a line too: `{"schema": 1, "id": ..., "line": 3, "ok": false, "error": "..."}`.
So is a finding about a file besides those of its prompts; its `prompt` is null.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from promptlens.render import Entry, Item, Note, Trouble
from promptlens.render._json import dumped, labelled, noted, unread
from promptlens.terminal import Screen

tells_trouble = True
tells_clean = True


def write(entries: Iterable[Item], screen: Screen) -> Iterator[str]:
    """A line for each prompt, in order."""
    for entry in entries:
        if isinstance(entry, Entry):
            yield dumped(labelled(entry), screen) + "\n"
        elif isinstance(entry, Note):
            yield dumped(noted(entry), screen) + "\n"
        elif isinstance(entry, Trouble):
            yield dumped(unread(entry), screen) + "\n"
