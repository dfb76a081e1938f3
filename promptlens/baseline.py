"""Baselines: the findings that a project had when it began to check, so that only new ones are reported.

A finding is known by its file, its rule and the words that it is about, not by its line, so that it stays known when lines move. Of as many
alike as the baseline counts, the first are left out. What cannot be read, and prompts that a host fails on, are always reported.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from promptlens.errors import InputError
from promptlens.render import Entry, Item, Note
from promptlens.report import Finding, Report
from promptlens.writing import write_atomically

VERSION = 1

Known = tuple[str, str, str]  # path below the baseline's folder, code, words


class Baseline:
    """Findings of the past, each with how often it was there."""

    def __init__(self, path: Path, counts: Counter[Known]) -> None:
        self.path = path
        self.counts = counts
        self.folder = str(path.resolve().parent)

    def new_only(self, items: Iterable[Item]) -> Iterator[Item]:
        """The items without the findings that are known."""
        left = Counter(self.counts)
        for item in items:
            if isinstance(item, Entry):
                kept = tuple(f for f in item.report.findings if not self._take(left, item.name, f, item.report.usage.prompt))
                if len(kept) < len(item.report.findings):
                    item = item._replace(report=Report(item.report.usage, kept))
            elif isinstance(item, Note) and self._take(left, item.name, item.finding, item.text):
                continue
            yield item

    def _take(self, left: Counter[Known], name: str, finding: Finding, text: str) -> bool:
        known = self.known(name, finding, text)
        if left[known] <= 0:
            return False
        left[known] -= 1
        return True

    def known(self, name: str, finding: Finding, text: str) -> Known:
        """What a finding is known by."""
        path = name
        if os.path.lexists(name):
            path = os.path.relpath(os.path.abspath(name), self.folder).replace(os.sep, "/")
        return path, finding.code, " ".join(finding.span.of(text).split())


def record(path: Path, items: Iterable[Item]) -> int:
    """Write a baseline of all findings, in the place of an older one; how many there are. Raises `InputError`."""
    made = Baseline(path, Counter())
    for item in items:
        if isinstance(item, Entry):
            made.counts.update(made.known(item.name, f, item.report.usage.prompt) for f in item.report.findings)
        elif isinstance(item, Note):
            made.counts[made.known(item.name, item.finding, item.text)] += 1
    rows = [{"path": p, "code": code, "text": text, "count": count} for (p, code, text), count in sorted(made.counts.items())]
    content = json.dumps({"version": VERSION, "findings": rows}, ensure_ascii=True, indent=1) + "\n"
    try:
        write_atomically(path, content.encode())
    except OSError as error:
        raise InputError(f"{path}: the baseline cannot be written: {error.strerror or error}.") from None
    return sum(made.counts.values())


def load_baseline(path: Path) -> Baseline:
    """A baseline that was written before. Raises `InputError`."""
    try:
        document: Any = json.loads(path.read_bytes().decode("utf-8"))
    except OSError as error:
        why = "there is none; write it with --add-baseline" if isinstance(error, FileNotFoundError) else error.strerror or str(error)
        raise InputError(f"{path}: the baseline cannot be read: {why}.") from None
    except (ValueError, RecursionError) as error:
        why = {UnicodeDecodeError: "it is not UTF-8 text", RecursionError: "it is nested too deeply"}.get(type(error), f"{error}")
        raise InputError(f"{path}: is no baseline: {why}.") from None
    rows = document.get("findings") if isinstance(document, dict) else None
    if not isinstance(rows, list) or document.get("version") != VERSION:
        raise InputError(f"{path}: is no baseline of this version; write it anew with --add-baseline.")
    counts: Counter[Known] = Counter()
    for row in rows:
        try:
            counts[str(row["path"]), str(row["code"]), str(row["text"])] += int(row["count"])
        except (KeyError, TypeError, ValueError, OverflowError):
            raise InputError(f"{path}: is no baseline: {str(row)[:60]!r} is no finding.") from None
    return Baseline(path, counts)
