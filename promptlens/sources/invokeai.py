"""InvokeAI style presets: a CSV or JSON list of name, prompt (or positive_prompt) and negative_prompt.

InvokeAI takes white space off both ends and refuses other columns and keys. Read in style_preset_records_common.py of InvokeAI.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePath

from promptlens.sources import _json
from promptlens.sources._csv import need_columns, table
from promptlens.sources._document import Document, shown
from promptlens.sources._format import Format, Head, ReadSettings
from promptlens.sources._prompt import Item, Role, Text, prompt_at

_LIST = re.compile(r'\s*\[\s*\{\s*"')
FIELDS: tuple[tuple[str, Role], ...] = (("positive_prompt", "positive"), ("prompt", "positive"), ("negative_prompt", "negative"))
KNOWN = ("name", *(field for field, _ in FIELDS))


def _detects(path: PurePath, head: Head) -> bool:
    if path.suffix.lower() == ".csv":
        return "positive_prompt" in head.text.partition("\n")[0]
    return bool(_LIST.match(head.text)) and '"positive_prompt"' in head.text


def _read(document: Document, settings: ReadSettings) -> Iterator[Item]:
    if document.path.lower().endswith(".csv"):
        header, rows = table(document)
        need_columns(document, header, ("name",), ("prompt", "positive_prompt"))
        _refuse(document, header, 0)
        for row in rows:
            yield from _preset(document, row.fields, f"row {row.number}")
        return
    value, notices = _json.loads(document)
    yield from notices
    if not isinstance(value, list):
        raise document.unreadable(0, "it is no list of presets")
    for number, entry in enumerate(value):
        if isinstance(entry, dict):
            _refuse(document, list(entry), next((k.start for k in entry if isinstance(k, Text)), 0))
            yield from _preset(document, entry, f"[{number}]")


def _refuse(document: Document, names: list[str], index: int) -> None:
    """InvokeAI imports nothing from a file that has a key it does not know."""
    other = [str(name) for name in names if name not in KNOWN]
    if other:
        why = f"InvokeAI refuses presets with {shown(repr(other[0]))}; it knows {', '.join(KNOWN)}"
        raise document.unreadable(index, why, hint="Remove it, or name another format.")


def _preset(document: Document, entry: dict[str, Text], key: str) -> Iterator[Item]:
    name = str(entry.get("name") or key).strip()
    for field, role in FIELDS:
        text = entry.get(field)
        if isinstance(text, Text) and text.strip():
            start = len(text) - len(text.lstrip())
            end = len(text.rstrip())
            yield prompt_at(document, text, key=name if role == "positive" else f"{name} (negative)", role=role, start=start, end=end)


FORMAT = Format(
    name="invokeai",
    title="InvokeAI style presets",
    summary="CSV or JSON: name, prompt or positive_prompt, negative_prompt.",
    kind="style",
    suffixes=(".csv", ".json"),
    detects=_detects,
    rank=25,
    read=_read,
    host="invokeai",
)
