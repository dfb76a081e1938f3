"""Which prompts the rules look at: those of a length that people write; of a book only the tokens are counted."""

from __future__ import annotations

from promptlens.report import Report
from promptlens.terminal import talk

# Rules look at a prompt many times over.
JUDGED_UP_TO_CHARS = 100_000


def judged(report: Report, name: str) -> Report:
    """The report, without findings where the prompt is too long to look for them, of which a note tells."""
    length = len(report.usage.prompt)
    if length <= JUDGED_UP_TO_CHARS:
        return report
    talk("note", f"{name}: with {length:,} characters it is too long for the rules; its tokens are counted all the same.")
    return Report(report.usage, ())
