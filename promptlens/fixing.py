"""Fixing files in a run: each is written or shown as a diff, and what was done is told on stderr."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from promptlens.errors import InputError
from promptlens.render import Trouble
from promptlens.terminal import talk

if TYPE_CHECKING:
    from promptlens.checking import Checker, FixedFile
    from promptlens.fixes import Applied
    from promptlens.shorten import Importance


@dataclass(slots=True)
class Outcome:
    """What fixing came to: changes made, files changed, and files or prompts that could not be."""

    changes: int = 0
    files: int = 0
    troubles: int = 0


def fix_paths(
    checker: Checker, paths: Sequence[str], *, unsafe: bool = False, dropping: Importance | None = None, write: bool = True
) -> Outcome:
    """Fix the files that paths, patterns and folders name, or print their diffs where nothing is to be written."""
    outcome = Outcome()
    for fixed in (fixed for path in paths for fixed in checker.fixes(path, unsafe=unsafe, dropping=dropping)):
        if isinstance(fixed, Trouble):
            if not write:  # else the check that follows says it
                outcome.troubles += 1
                talk("error", f"{fixed.name}{'' if fixed.line is None else f':{fixed.line}'}: {fixed.message}")
            continue
        for why in fixed.refused:
            talk("note", f"not fixed: {why}")
        if not fixed.changed:
            continue
        if write:
            try:
                fixed.write()
            except InputError as error:
                outcome.troubles += 1
                talk("error", str(error))
                continue
            tell_changes(fixed)
        else:
            sys.stdout.write(fixed.diff())
        outcome.changes += len(fixed.applied)
        outcome.files += 1
    if outcome.files:
        changes = f"{outcome.changes:,} change{'' if outcome.changes == 1 else 's'}"
        files = f"{outcome.files:,} file{'' if outcome.files == 1 else 's'}"
        talk("note", f"{changes} in {files}{'' if write else ' would be made'}.")
    return outcome


def tell_changes(fixed: FixedFile) -> None:
    """A line for each change of a file."""
    tell_each(f"{fixed.path}:{prompt.line}:{prompt.column}: {change_in_words(applied)}" for prompt, applied in fixed.applied)


def tell_each(lines: Iterable[str]) -> None:
    """The lines, each once, with how often it is there."""
    for line, count in Counter(lines).items():
        talk("note", line if count == 1 else f"{line} ({count:,} times)")


def change_in_words(applied: Applied) -> str:
    """`fixed TB401 'solo' is said twice`."""
    return f"fixed {applied.code} {applied.message}" if applied.code else applied.message
