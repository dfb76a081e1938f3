"""`--statistics`: how often each rule found something, in place of the findings themselves. Only counts are kept of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from promptlens.render import Entry, Item, Note, Trouble
from promptlens.render._places import HOST_FAILS, NOT_CHECKED
from promptlens.render._table import Column, Table, table_rows, written
from promptlens.render._tally import fixable as fixable_of
from promptlens.report import Finding
from promptlens.rules import RULES
from promptlens.terminal import Screen

_COLUMNS = (
    Column("count", "count", "{:,}".format, right=True),
    Column("fixable", "fixable", lambda fixable: f"{fixable:,}" if fixable else "-", right=True),
    Column("code", "code"),
    Column("severity", "severity"),
    Column("name", "name"),
)


@dataclass(slots=True)
class Statistics:
    """A format that counts; `format_name` is full or concise (a table), json or jsonl (rows). What could not be read is told on stderr."""

    format_name: str
    tells_trouble: bool = False
    tells_clean: bool = False

    def write(self, entries: Iterable[Item], screen: Screen) -> Iterator[str]:
        """The counts, when all is checked: most frequent first."""
        records = _records(entries)
        if self.format_name in ("json", "jsonl"):
            yield from written(records, self.format_name, screen)  # type: ignore[arg-type]
        elif records:
            from promptlens.render.full import drawer

            rows = table_rows(Table(_COLUMNS, records, style_of=lambda record: _style(record["severity"])), screen.width)
            yield drawer(screen)(rows)


def _style(severity: str) -> str:
    return "" if severity == "info" else severity


def _records(entries: Iterable[Item]) -> list[dict[str, Any]]:
    counts: Counter[str] = Counter()
    fixable: Counter[str] = Counter()
    for item in entries:
        if isinstance(item, Trouble):
            counts[item.code or NOT_CHECKED] += 1
        counts.update(finding.code for finding in _findings(item))
        if isinstance(item, Entry):
            fixable.update(fixable_of(item)[0])
        if isinstance(item, Entry) and item.report.usage.failure is not None:
            counts[HOST_FAILS] += 1
    ordered = sorted(counts, key=lambda code: (-counts[code], code))
    return [{"code": code, **_described(code), "count": counts[code], "fixable": fixable[code]} for code in ordered]


def _findings(item: Item) -> tuple[Finding, ...]:
    if isinstance(item, Entry):
        return item.report.findings
    return (item.finding,) if isinstance(item, Note) else ()


def _described(code: str) -> dict[str, str]:
    """Name and severity of what is counted."""
    if code in RULES:
        return {"name": RULES[code].name, "severity": RULES[code].severity}
    return {"name": code, "severity": "error"}
