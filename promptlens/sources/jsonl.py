"""JSON Lines: a JSON value a line, with prompts at configured key paths. Files of any size are read in flat memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from promptlens.sources import _json
from promptlens.sources._document import Document, Line, UnreadableFile
from promptlens.sources._format import Format, ReadSettings
from promptlens.sources._keys import DEFAULT_KEYS, found
from promptlens.sources._prompt import Item, Piece, prompt_at


def _read(path: str, lines: Iterable[Line], settings: ReadSettings) -> Iterator[Item]:
    for line in lines:
        if not line.text.strip():
            continue
        document = Document(path, line.text)
        try:
            value, notices = _json.loads(document)
        except UnreadableFile as error:
            raise UnreadableFile(path, error.why, line=line.number, column=error.column, hint=error.hint) from None
        yield from (replace(notice, line=line.number) for notice in notices)
        for name, text, role in found(value, settings.keys or DEFAULT_KEYS):
            prompt = prompt_at(document, text, key=f"line {line.number}.{name}", role=role)
            place = replace(text.place(document), start=line.start + text.start, line=line.number)
            yield replace(prompt, line=line.number, pieces=(Piece(0, len(prompt.text), place),))


FORMAT = Format(
    name="jsonl",
    title="JSON Lines, prompts by key",
    summary="A JSON value a line, by configured key paths such as text.",
    names=("*.jsonl", "*.ndjson"),
    rank=90,
    roles=("positive", "negative", "caption"),
    read_lines=_read,
)
