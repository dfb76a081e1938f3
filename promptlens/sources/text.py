"""Plain text: the whole file is one prompt, without the white space around it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from promptlens.sources._document import Document
from promptlens.sources._format import Format, Head, ReadSettings
from promptlens.sources._prompt import Item, Text, prompt_at

SKIPPED_START = "---"  # a .prompt file that begins so is a chat template with a header, no text for an image model


def _detects(path: PurePath, head: Head) -> bool:
    return path.suffix.lower() == ".prompt" and not head.text.lstrip().startswith(SKIPPED_START)


def _read(document: Document, settings: ReadSettings) -> Iterator[Item]:
    text = document.text
    start = len(text) - len(text.lstrip())
    end = len(text.rstrip())
    if start >= end:
        return
    if document.path.lower().endswith(".prompt") and text.startswith(SKIPPED_START, start):
        raise document.unreadable(start, "it begins with '---': a chat template, no prompt of an image model", hint="Exclude it.")
    value = text[start:end].replace("\r\n", "\n").replace("\r", "\n")
    yield prompt_at(document, Text(value, start, end, "plain", document.newline), key="")


FORMAT = Format(
    name="text",
    title="Plain text, one prompt a file",
    summary="The whole file is one prompt. Files that end in .prompt; .txt files with unit = 'file'.",
    suffixes=(".prompt",),
    detects=_detects,
    rank=60,
    roles=("positive",),
    read=_read,
    comment="#",
)
