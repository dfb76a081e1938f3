"""Fooocus presets: JSON with `default_prompt` and `default_prompt_negative`.

The styles that a preset names are in files of their own (styler.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from promptlens.sources import _json
from promptlens.sources._document import Document
from promptlens.sources._format import Format, Head, ReadSettings
from promptlens.sources._prompt import Item, Role, Text, prompt_at

FIELDS: tuple[tuple[str, Role], ...] = (("default_prompt", "positive"), ("default_prompt_negative", "negative"))


def _detects(path: PurePath, head: Head) -> bool:
    return head.text.lstrip().startswith("{") and '"default_prompt' in head.text


def _read(document: Document, settings: ReadSettings) -> Iterator[Item]:
    value, notices = _json.loads(document)
    yield from notices
    if not isinstance(value, dict):
        raise document.unreadable(0, "it is no preset")
    for field, role in FIELDS:
        text = value.get(field)
        if isinstance(text, Text) and text.strip():
            yield prompt_at(document, text, key=field, role=role)


FORMAT = Format(
    name="fooocus",
    title="Fooocus preset",
    summary="JSON with default_prompt and default_prompt_negative.",
    suffixes=(".json",),
    detects=_detects,
    rank=30,
    read=_read,
    host="fooocus",
)
