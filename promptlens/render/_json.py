"""What the JSON formats share: reports as plain data, and JSON text that is safe to print."""

from __future__ import annotations

import json
import re
from typing import Any

from promptlens.render import Entry, Note, Trouble
from promptlens.report import SCHEMA, finding_dict
from promptlens.terminal import Screen

# Of a prompt longer than this (some 300,000 tokens) the tokens are left out one by one; ids and weights stay.
TOKENS_UP_TO_CHARS = 1_000_000

# What json.dumps leaves as it is: DEL and the C1 controls, line separators, and the marks that turn the direction of text.
_STEERING = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def as_dict(entry: Entry) -> dict[str, Any]:
    """The report as plain data; of a prompt of a file also where it stands, and where each finding does."""
    report = entry.report.to_dict(tokens=len(entry.report.usage.prompt) <= TOKENS_UP_TO_CHARS)
    source = entry.source
    if source is None:
        return report
    for finding, row in zip(entry.report.findings, report["findings"], strict=True):
        row["line"], row["column"] = entry.place(finding.span.start)
    names = ("path", "line", "column", "key", "format", "role")
    return {**report, "source": {name: getattr(source, name) for name in names}}


def labelled(entry: Entry) -> dict[str, Any]:
    """The report with what tells it from others in front: the id that came with it, else its name and place; and its role."""
    return {"id": _id(entry), "role": entry.role, **as_dict(entry)}


def _id(entry: Entry) -> Any:
    if entry.id is not None:
        return entry.id
    source = entry.source
    return entry.name if source is None else f"{entry.name}:{source.line}:{source.column}"


def noted(note: Note) -> dict[str, Any]:
    """A finding about a file as a report without a prompt."""
    finding = {**finding_dict(note.finding), "line": note.line, "column": note.column}
    ok = note.finding.severity != "error"
    return {"schema": SCHEMA, "id": f"{note.name}:{note.line}:{note.column}", "role": None, "ok": ok, "prompt": None, "findings": [finding]}


def unread(trouble: Trouble) -> dict[str, Any]:
    """What could not be read or analysed, and why."""
    given = trouble.name if trouble.id is None and (trouble.line is None or trouble.code) else trouble.id
    row = {"schema": SCHEMA, "id": given, "line": trouble.line, "ok": False, "error": trouble.message}
    return row | ({"column": trouble.column, "code": trouble.code} if trouble.code else {})


def dumped(value: Any, screen: Screen, *, indent: int | None = None) -> str:
    """JSON text, with escapes for what could steer a terminal, and for all that is not ASCII where the output takes no more."""
    text = json.dumps(value, ensure_ascii=screen.ascii, indent=indent, allow_nan=False)
    return text if text.isascii() and "\x7f" not in text else _STEERING.sub(lambda m: f"\\u{ord(m.group()):04x}", text)
