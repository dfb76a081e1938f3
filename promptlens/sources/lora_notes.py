"""LoRA notes of the web UIs: `<lora>.json` with "activation text" and "negative text", which are put into the prompt with the LoRA."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from promptlens.sources import _json
from promptlens.sources._document import Document
from promptlens.sources._format import Format, Head, ReadSettings
from promptlens.sources._prompt import Item, Role, Text, prompt_at

FIELDS: tuple[tuple[str, Role], ...] = (("activation text", "positive"), ("negative text", "negative"))


def _detects(path: PurePath, head: Head) -> bool:
    return head.text.lstrip().startswith("{") and '"activation text"' in head.text


def _read(document: Document, settings: ReadSettings) -> Iterator[Item]:
    value, notices = _json.loads(document)
    yield from notices
    if not isinstance(value, dict):
        raise document.unreadable(0, "these are no LoRA notes")
    for field, role in FIELDS:
        text = value.get(field)
        if isinstance(text, Text) and text.strip():
            yield prompt_at(document, text, key=field, role=role)


FORMAT = Format(
    name="lora-notes",
    title="LoRA notes",
    summary="JSON beside a LoRA with its activation text and negative text.",
    kind="style",
    suffixes=(".json",),
    detects=_detects,
    rank=30,
    read=_read,
)
