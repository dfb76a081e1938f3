"""Edits that can be made together: none begins inside another, or where another does."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import replace

from promptlens.report import Edit, Finding


class Edits:
    """A growing set of edits that do not meet."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._edits: list[Edit] = []

    def add(self, edit: Edit) -> bool:
        """Adds the edit unless it meets one that is there; whether it did."""
        start, end = edit.span.start, edit.span.end
        n = bisect_left(self._starts, start)
        if n and self._edits[n - 1].span.end > start:
            return False
        if n < len(self._starts) and (self._starts[n] < end or self._starts[n] == start):
            return False
        self._starts.insert(n, start)
        self._edits.insert(n, edit)
        return True

    def applied(self, text: str) -> str:
        """The text after all of them."""
        pieces, at = [], 0
        for edit in self._edits:
            pieces += [text[at : edit.span.start], edit.replacement]
            at = edit.span.end
        return "".join([*pieces, text[at:]])


def without_meeting_edits(findings: Sequence[Finding]) -> Iterable[Finding]:
    """The findings with no two edits that meet: of two, a safe one stays before one that is not, and then the first.

    The other finding stays without its edit, and has it again once the first is made.
    """
    kept = Edits()
    order = sorted((f for f in findings if f.edit), key=lambda f: not (f.edit and f.edit.safe))
    refused = {id(finding) for finding in order if finding.edit and not kept.add(finding.edit)}
    return [replace(f, edit=None) if id(f) in refused else f for f in findings]
