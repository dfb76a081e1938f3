"""What a run over files comes to, in one line."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from promptlens.render import Clean, Entry, Item, Note, Trouble, Unchecked
from promptlens.render._words import many
from promptlens.report import Finding

REASONS = 2


def fixable(entry: Entry) -> tuple[Counter[str], Counter[str]]:
    """How many findings of each code can be fixed without a guess, and how many more with one, of those that the entry reports.

    Where nobody tried, they are those that offer an edit.
    """
    if entry.fixable is None:
        edits = [(f.code, f.edit.safe) for f in entry.report.findings if f.edit is not None]
        return Counter(code for code, safe in edits if safe), Counter(code for code, safe in edits if not safe)
    reported = Counter(f.code for f in entry.report.findings)
    safe = Counter(entry.fixable[0]) & reported
    return safe, Counter(entry.fixable[1]) & (reported - safe)


def _reasons(counts: Counter[str]) -> str:
    """The most frequent reasons, each with how often where there are several."""
    if len(counts) == 1:
        return next(iter(counts))
    named = [f"{count:,} {why}" for why, count in sorted(counts.items(), key=lambda row: (-row[1], row[0]))[:REASONS]]
    return ", ".join([*named, *(["and others"] if len(counts) > REASONS else [])])


@dataclass(slots=True)
class Tally:
    """Counts over the items of a run, texts left out. Files come one after the other, so that only the last one's name is remembered."""

    prompts: int = 0
    files: int = 0
    unchecked: Counter[str] = field(default_factory=Counter)
    unread: int = 0
    safe: int = 0
    unsafe: int = 0
    found: Counter[str] = field(default_factory=Counter)
    last: str | None = None

    def add(self, item: Item) -> None:
        """Count one more item."""
        if isinstance(item, Trouble):
            self.unread += 1
            return
        if isinstance(item, Entry) and item.source is None:  # a text, which its own page tells of
            return
        if item.name != self.last:
            self.last = item.name
            self.files += 1
        if isinstance(item, Clean):
            self.prompts += item.prompts
        elif isinstance(item, Unchecked):
            self.unchecked[item.why] += 1
        elif isinstance(item, Note):
            self._finding(item.finding)
        elif isinstance(item, Entry):
            self.prompts += 1
            self.found["error"] += item.report.usage.failure is not None
            for finding in item.report.findings:
                self._finding(finding)
            safe, unsafe = fixable(item)
            self.safe += safe.total()
            self.unsafe += unsafe.total()

    def _finding(self, finding: Finding) -> None:
        self.found[finding.severity] += 1

    def sentence(self) -> str:
        """The counts in words.

        >>> Tally(prompts=3, files=2, found=Counter(error=1, warning=2), safe=1).sentence()
        '3 prompts in 2 files: 1 error, 2 warnings, 1 fixable with --fix.'
        """
        kinds = (("error", "error"), ("warning", "warning"), ("info", "remark"))
        said = [many(self.found[kind], word) for kind, word in kinds if self.found[kind]] or ["nothing found"]
        if self.safe:
            said.append(f"{self.safe:,} fixable with --fix")
        if self.unsafe:
            said.append(f"{self.unsafe:,} {'more ' if self.safe else ''}with --unsafe-fixes")
        if self.unchecked:
            said.append(f"{many(self.unchecked.total(), 'prompt')} not checked ({_reasons(self.unchecked)})")
        return f"{many(self.prompts, 'prompt')} in {many(self.files, 'file')}: {', '.join(said)}."
