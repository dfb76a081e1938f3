"""SDXL prompt-styler and Fooocus styles: a JSON list of {name, prompt, negative_prompt}, where `{prompt}` takes what the user types.

A list of pairs (`[["a", "b"], ...]`), which Fooocus uses for arrays, is not a list of styles.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePath

from promptlens.sources import _json
from promptlens.sources._document import Document
from promptlens.sources._format import Format, Head, ReadSettings
from promptlens.sources._prompt import Item, Role, Text, prompt_at

_LIST = re.compile(r'\s*\[\s*\{\s*"')
FIELDS: tuple[tuple[str, Role], ...] = (("prompt", "positive"), ("negative_prompt", "negative"))


def _detects(path: PurePath, head: Head) -> bool:
    text = head.text
    return bool(_LIST.match(text)) and '"name"' in text and ('"prompt"' in text or '"negative_prompt"' in text)


def _read(document: Document, settings: ReadSettings) -> Iterator[Item]:
    value, notices = _json.loads(document)
    yield from notices
    if not isinstance(value, list):
        raise document.unreadable(0, "it is no list of styles")
    for number, entry in enumerate(value):
        if not isinstance(entry, dict):
            continue
        name = str(entry.get("name") or f"[{number}]")
        for field, role in FIELDS:
            text = entry.get(field)
            if isinstance(text, Text) and text.strip():
                yield prompt_at(document, text, key=name if role == "positive" else f"{name} (negative)", role=role)


FORMAT = Format(
    name="styler",
    title="SDXL prompt-styler and Fooocus styles",
    summary="A JSON list of name, prompt and negative_prompt.",
    kind="style",
    names=("sdxl_styles*.json",),
    suffixes=(".json",),
    detects=_detects,
    rank=40,
    read=_read,
)
