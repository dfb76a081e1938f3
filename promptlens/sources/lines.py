"""Plain text with one prompt a line; empty lines are none. Files of any size are read in flat memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from promptlens.sources._document import Line
from promptlens.sources._format import Format, ReadSettings
from promptlens.sources._prompt import Item, prompt_in_line


def _read(path: str, lines: Iterable[Line], settings: ReadSettings) -> Iterator[Item]:
    for line in lines:
        text = line.text.strip()
        if text:
            indent = line.text.index(text)
            yield prompt_in_line(path, text, line.start + indent, line.number, indent + 1, key=f"line {line.number}")


FORMAT = Format(
    name="lines",
    title="Plain text, one prompt a line",
    summary="Each line that is not empty is a prompt. The default for .txt files that are nothing else.",
    roles=("positive",),
    read_lines=_read,
    comment="#",
)
