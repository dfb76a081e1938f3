"""Plain text with one prompt a line; empty lines are none. Files of any size are read in flat memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from promptlens.sources._document import Line
from promptlens.sources._format import Format, ReadSettings
from promptlens.sources._prompt import Item, Prompt, prompt_in_line


def _prompt(path: str, line: Line) -> Prompt | None:
    text = line.text.strip()
    if not text:
        return None
    indent = line.text.index(text)
    return prompt_in_line(path, text, line.start + indent, line.number, indent + 1, key=f"line {line.number}")


def _read(path: str, lines: Iterable[Line], settings: ReadSettings) -> Iterator[Item]:
    for line in lines:
        prompt = _prompt(path, line)
        if prompt is not None:
            yield prompt


def _plain_texts(text: str, settings: ReadSettings) -> list[str]:
    return [*filter(None, map(str.strip, text.split("\n")))]


FORMAT = Format(
    name="lines",
    title="Plain text, one prompt a line",
    summary="Each line that is not empty is a prompt. The default for .txt files that are nothing else.",
    roles=("positive",),
    read_lines=_read,
    plain_texts=_plain_texts,
    prompt=_prompt,
    comment="#",
)
