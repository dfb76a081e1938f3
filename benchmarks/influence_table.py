"""The table of benchmarks/influence.json, as docs/influence.md and README show it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("influence.json")
TITLES = {"clip-l": "CLIP-L", "clip-g": "bigG"}


def key(row: dict[str, Any]) -> tuple[str, str, str, int]:
    """What a row is about: of each only the last measurement is kept."""
    return row["device"], row["precision"], row["encoder"], row["tokens"]


def limit(tokens: int) -> str:
    """What sharing the start and stopping at EOS can save by arithmetic, of one window."""
    return f"{77 / (tokens / 2 + 1):.1f}" if tokens <= 75 else ""


def table(rows: Sequence[dict[str, Any]]) -> str:
    """A Markdown table; a ratio is followed by the least and the most of its rounds."""
    head = (
        "| encoder | words | pooled: loop | limit | batch | conditioning: loop | batch | mask: captum | all of `influence`: loop |\n"
        "|---|---|---|---|---|---|---|---|---|"
    )
    lines = [head]
    for row in sorted(rows, key=lambda r: (r["device"], r["precision"], r["encoder"] != "clip-l", r["tokens"])):
        ratios = row["ratios"]
        asked = ("pooled / loop", "pooled / batch", "conditioning / loop", "conditioning / batch", "masked / captum", "influence / loop")
        pooled, *others = (_ratio(ratios[name]) for name in asked)
        cells = [TITLES[row["encoder"]], str(row["tokens"]), pooled, limit(row["tokens"]), *others]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _ratio(found: list[float]) -> str:
    if not found:
        return ""
    middle, least, most = found
    return f"{middle:.1f}" if least == most else f"{middle:.1f} ({least:.1f} to {most:.1f})"


def read() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))
    return rows


def section() -> str:
    """The table, and under what circumstances it was measured."""
    rows = read()
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        machine = row["machine"]
        where = f"{machine['name']}, {machine['cores']} cores, torch {machine['torch']}, transformers {machine['transformers']}"
        groups.setdefault(f"{where}; {row['device']}, {row['precision']}", []).append(row)
    lines = [f"- {where}; {_span('threads', t)}; {_span('rounds', r)}; {_span('load', x)}" for where, t, r, x in map(_told, groups.items())]
    apart = max(row["apart"] for row in rows)
    return f"{table(rows)}\n\nResults of all sides at most {apart:.0e} apart. Measured on:\n\n" + "\n".join(lines)


def _told(group: tuple[str, list[dict[str, Any]]]) -> tuple[str, list[float], list[float], list[float]]:
    """Where; and of its rows the thread counts, rounds and loads."""
    where, rows = group
    return where, [n for r in rows for n in r["threads"].values()], [r["rounds"] for r in rows], [r["load"][0] for r in rows]


def _span(what: str, values: list[float]) -> str:
    least, most = min(values), max(values)
    return f"{what} {least}" if least == most else f"{what} {least} to {most}"
