"""kohya-ss sample prompts: what a training run draws now and then, as .txt, .toml or .json.

    .txt    one prompt a line, options after it (`--n` the negative prompt, `--w 512`, ...); lines that begin with # are skipped
    .toml   [prompt] with what all share, [[prompt.subset]] with each one's own
    .json   a list of such lines or of {"prompt": ..., "negative_prompt": ...}

Read in sd-scripts, library/train_util.py, load_prompts and line_to_prompt_dict.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from promptlens.sources import _structure
from promptlens.sources._document import Document, document_lines
from promptlens.sources._format import Format, Head, ReadSettings
from promptlens.sources._prompt import Item, Role, Text, prompt_at, prompt_in_line

_OPTION = re.compile(r" --(?=(?:n|w|h|d|s|l|g|ss|cn|ctr|rcfg|fs|am|of)\s+\S)", re.IGNORECASE)
_NEGATIVE = re.compile(r"n (.+)", re.IGNORECASE)
FIELDS: tuple[tuple[str, Role], ...] = (("prompt", "positive"), ("negative_prompt", "negative"))


def _detects(path: PurePath, head: Head) -> bool:
    if path.suffix.lower() == ".txt":
        return bool(_OPTION.search(head.text))
    if path.suffix.lower() == ".toml":
        return "[[prompt.subset]]" in head.text
    return (
        path.suffix.lower() == ".json" and "sample" in path.name.lower() and '"prompt"' in head.text and head.text.lstrip().startswith("[")
    )


def parts(line: str) -> Iterator[tuple[str, int, Role]]:
    """The prompts of one line: text, where it begins in the line, role.

    >>> list(parts("a cat --n dog --w 512"))
    [('a cat', 0, 'positive'), ('dog', 10, 'negative')]
    """
    at = 0
    for number, part in enumerate(line.split(" --")):
        negative = _NEGATIVE.match(part) if number else None
        if number == 0:
            yield part, 0, "positive"
        elif negative:
            yield negative[1], at + negative.start(1), "negative"
        at += len(part) + len(" --")


def _read(document: Document, settings: ReadSettings) -> Iterator[Item]:
    if document.path.lower().endswith((".json", ".toml")):
        yield from _structured(document)
        return
    for line in document_lines(document):
        text = line.text.strip()
        if not text or line.text.startswith("#"):
            continue
        indent = line.text.index(text)
        for part, at, role in parts(text):
            if part:
                start, column = line.start + indent + at, indent + at + 1
                key = f"line {line.number}"
                yield prompt_in_line(document.path, part, start, line.number, column, key=key, role=role, context="inner")


def _structured(document: Document) -> Iterator[Item]:
    value, notices = _structure.load(document)
    yield from notices
    if isinstance(value, list):
        for number, entry in enumerate(value):
            yield from _entry(document, entry, f"[{number}]")
        return
    shared = value.get("prompt") if isinstance(value, dict) else None
    if not isinstance(shared, dict):
        raise document.unreadable(0, "it is no list of prompts and has no table [prompt]")
    yield from _entry(document, shared, "prompt")
    subsets = shared.get("subset")
    for number, entry in enumerate(subsets if isinstance(subsets, list) else []):
        yield from _entry(document, entry, f"prompt.subset[{number}]")


def _entry(document: Document, entry: Any, key: str) -> Iterator[Item]:
    if isinstance(entry, Text):  # read like a line of a .txt file
        for part, at, role in parts(str.__str__(entry)):
            if part:
                yield prompt_at(document, entry, key=key, role=role, start=at, end=at + len(part))
    elif isinstance(entry, dict):
        for field, role in FIELDS:
            if isinstance(entry.get(field), Text):
                yield prompt_at(document, entry[field], key=f"{key}.{field}", role=role)


FORMAT = Format(
    name="kohya-samples",
    title="kohya-ss sample prompts",
    summary="One prompt a line with options after it (--n negative, --w 512, ...); also as TOML and JSON.",
    names=("*sample_prompts*.txt", "*sample_prompts*.toml", "*sample_prompts*.json", "*sample-prompts*.txt"),
    suffixes=(".txt", ".toml", ".json"),
    detects=_detects,
    rank=35,
    read=_read,
    bom="keep",
    comment="#",
)
