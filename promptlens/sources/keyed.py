"""Any JSON, YAML, TOML or CSV file, by the key paths of its prompts.

`keys` says where they are (_keys.py says how paths are written; of a CSV file they are columns). JSONL has a file of its own (jsonl.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from promptlens.sources import _structure
from promptlens.sources._csv import need_columns, table
from promptlens.sources._document import Document
from promptlens.sources._format import Format, ReadSettings
from promptlens.sources._keys import DEFAULT_KEYS, Keys, found
from promptlens.sources._prompt import Item, prompt_at

_SIMPLE = re.compile(r"(?:\*\*\.)?([^.\[\]*\"]+)")


def _read(document: Document, settings: ReadSettings) -> Iterator[Item]:
    keys = settings.keys or DEFAULT_KEYS
    if document.path.lower().endswith(".csv"):
        yield from _columns(document, keys)
        return
    value, notices = _structure.load(document)
    yield from notices
    for name, text, role in found(value, keys):
        yield prompt_at(document, text, key=name, role=role)


def _columns(document: Document, keys: Keys) -> Iterator[Item]:
    header, rows = table(document)
    columns = [(simple[1] if (simple := _SIMPLE.fullmatch(path)) else path, role) for path, role in keys]
    if keys is not DEFAULT_KEYS:
        need_columns(document, header, *((name,) for name, _ in columns))
    for row in rows:
        for name, role in columns:
            if row.fields.get(name):
                yield prompt_at(document, row.fields[name], key=f"row {row.number}.{name}", role=role)


FORMAT = Format(
    name="keyed",
    title="Prompts by key",
    summary="Any JSON, YAML, TOML or CSV file, by configured key paths such as prompts[].text.",
    roles=("positive", "negative", "caption"),
    read=_read,
)
