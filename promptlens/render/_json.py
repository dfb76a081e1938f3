"""What the JSON formats share: reports as plain data, and JSON text that is safe to print."""

from __future__ import annotations

import json
import re
from typing import Any

from promptlens.render import Entry
from promptlens.terminal import Screen

# Of a prompt longer than this (some 300,000 tokens) the tokens are left out one by one; ids and weights stay.
TOKENS_UP_TO_CHARS = 1_000_000

# What json.dumps leaves as it is: DEL and the C1 controls, line separators, and the marks that turn the direction of text.
_STEERING = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def as_dict(entry: Entry) -> dict[str, Any]:
    """The report as plain data."""
    return entry.report.to_dict(tokens=len(entry.report.usage.prompt) <= TOKENS_UP_TO_CHARS)


def labelled(entry: Entry) -> dict[str, Any]:
    """The report with what tells it from others in front: the id that came with it, else its name; and its role."""
    return {"id": entry.name if entry.id is None else entry.id, "role": entry.role, **as_dict(entry)}


def dumped(value: Any, screen: Screen, *, indent: int | None = None) -> str:
    """JSON text, with escapes for what could steer a terminal, and for all that is not ASCII where the output takes no more."""
    text = json.dumps(value, ensure_ascii=screen.ascii, indent=indent, allow_nan=False)
    return text if text.isascii() and "\x7f" not in text else _STEERING.sub(lambda m: f"\\u{ord(m.group()):04x}", text)
