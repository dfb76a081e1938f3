"""Wildcards: the values that `__name__` stands for, as .txt (one a line), .yaml or .json (maps of lists).

As Dynamic Prompts reads them: in .txt files, empty lines and lines that begin with # are none, bytes that are not UTF-8 are dropped; in
structured files, leaves are lists of strings or of {"text": ..., "weight": ...}, a single string is a list of one, and `2::text` weighs 2.
Only files that end in .txt, .yaml and .json are wildcards. Read in dynamicprompts, wildcards/collection.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from promptlens.sources import _structure
from promptlens.sources._document import UNDECODABLE, Document, document_lines, trimmed
from promptlens.sources._format import Format, Head, ReadSettings
from promptlens.sources._prompt import Item, Notice, Text, prompt_at, prompt_in_line

_FOLDERS = ("wildcard", "collections")


def _detects(path: PurePath, head: Head) -> bool:
    if path.suffix.lower() not in (".txt", ".yaml", ".json"):
        return False
    return any(word in folder.lower() for folder in path.parts[:-1] for word in _FOLDERS)


def _read(document: Document, settings: ReadSettings) -> Iterator[Item]:
    if document.path.lower().endswith((".yaml", ".yml", ".json")):
        value, notices = _structure.load(document)
        yield from notices
        if isinstance(value, list):
            yield from _values(document, [v for v in value if isinstance(v, Text)], PurePath(document.path).stem)
        elif isinstance(value, dict):
            yield from _tree(document, value)
        return
    told = False
    for line in document_lines(document):
        indent, text = trimmed(line.text)
        if not told and not line.text.isascii() and UNDECODABLE.search(line.text):
            told = True
            yield Notice("bytes", "from here on there are bytes that are not UTF-8; they are dropped", document.path, line.number)
        if text and not text.startswith("#"):
            yield prompt_in_line(document.path, text, line.start + indent, line.number, indent + 1, key=f"line {line.number}")


def _tree(document: Document, value: dict[Any, Any]) -> Iterator[Item]:
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        name, here = waiting.pop()
        if isinstance(here, Text):
            here = [here]
        if isinstance(here, list):
            yield from _values(document, here, name)
        elif isinstance(here, dict):
            inner = [(f"{name}/{key}".lstrip("/"), v) for key, v in here.items() if isinstance(key, str)]
            waiting += reversed(inner)


def _values(document: Document, values: list[Any], name: str) -> Iterator[Item]:
    for number, value in enumerate(values):
        if isinstance(value, dict):
            value = value.get("text") or value.get("content")
        if isinstance(value, Text) and value:
            yield prompt_at(document, value, key=f"{name}[{number}]", start=_weight_length(value))


def _weight_length(value: str) -> int:
    """How many characters of a value say its weight.

    >>> _weight_length("0.5::red"), _weight_length("red")
    (5, 0)
    """
    weight, mark, _ = value.rpartition("::")
    if not mark or not value[0].isdigit():
        return 0
    try:
        float(weight)
    except ValueError:
        return 0
    return len(weight) + len(mark)


FORMAT = Format(
    name="wildcards",
    title="Wildcards",
    summary="The values of a wildcard: .txt one a line, .yaml and .json maps of lists. Files in a folder named wildcards.",
    kind="wildcard",
    suffixes=(".txt", ".yaml", ".json"),
    detects=_detects,
    rank=8,
    roles=("positive",),
    read=_read,
    bom="keep",
    undecodable="ignore",
    comment="#",
)
