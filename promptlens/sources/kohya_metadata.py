"""kohya-ss metadata: one JSON file with the caption and the tags of every training image, `{"path": {"caption": ..., "tags": ...}}`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePath

from promptlens.sources import _json
from promptlens.sources._document import Document
from promptlens.sources._format import Format, Head, ReadSettings
from promptlens.sources._keys import step_name
from promptlens.sources._prompt import Item, Text, prompt_at

_START = re.compile(r'\s*\{\s*"(?:[^"\\]|\\.)*"\s*:\s*\{(?:[^{}\[\]]|\[[^\[\]]*\])*?"(?:caption|tags)"\s*:')
FIELDS = ("caption", "tags")


def _detects(path: PurePath, head: Head) -> bool:
    return bool(_START.match(head.text))


def _read(document: Document, settings: ReadSettings) -> Iterator[Item]:
    value, notices = _json.loads(document)
    yield from notices
    if not isinstance(value, dict):
        raise document.unreadable(0, "it is no map of images")
    for image, entry in value.items():
        for field in FIELDS:
            text = entry.get(field) if isinstance(entry, dict) else None
            if isinstance(text, Text) and text.strip():
                yield prompt_at(document, text, key=f"{step_name('', str(image))}.{field}", role="caption")


FORMAT = Format(
    name="kohya-metadata",
    title="kohya-ss metadata",
    summary="JSON with the caption and tags of every training image.",
    kind="caption",
    suffixes=(".json",),
    detects=_detects,
    rank=30,
    roles=("caption",),
    read=_read,
    host="kohya",
)
