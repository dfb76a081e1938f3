"""One JSON document: the report of a single prompt as `Report.to_dict()` gives it, or a list of them.

In a list each report begins with `id` (that of its JSON line, or the prompt's name) and `role`. What could not be read is told on stderr.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from promptlens.render import Entry, Trouble
from promptlens.terminal import Screen

tells_trouble = False

# Of a prompt longer than this (some 300,000 tokens) the tokens are left out one by one; ids and weights stay.
TOKENS_UP_TO_CHARS = 1_000_000

# What json.dumps leaves as it is: DEL and the C1 controls, line separators, and the marks that turn the direction of text.
_STEERING = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def write(entries: Iterable[Entry | Trouble], screen: Screen) -> Iterator[str]:
    """All reports, when the last is known."""
    reports = [entry for entry in entries if isinstance(entry, Entry)]
    if len(reports) == 1 and reports[0].role == "positive" and reports[0].id is None:
        found: Any = as_dict(reports[0])
    else:
        found = [{"id": label(e), "role": e.role, **as_dict(e)} for e in reports]
    yield dumped(found, screen, indent=2) + "\n"


def label(entry: Entry) -> Any:
    """What tells a report from the others: the id that came with it, else its name."""
    return entry.name if entry.id is None else entry.id


def as_dict(entry: Entry) -> dict[str, Any]:
    """The report as plain data."""
    return entry.report.to_dict(tokens=len(entry.report.usage.prompt) <= TOKENS_UP_TO_CHARS)


def dumped(value: Any, screen: Screen, *, indent: int | None = None) -> str:
    """JSON text, with escapes for what could steer a terminal, and for all that is not ASCII where the output takes no more."""
    text = json.dumps(value, ensure_ascii=screen.ascii, indent=indent, allow_nan=False)
    return text if text.isascii() and "\x7f" not in text else _STEERING.sub(lambda m: f"\\u{ord(m.group()):04x}", text)
