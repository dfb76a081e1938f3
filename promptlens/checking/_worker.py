"""A helper process: it is asked for what is found in files and lines, and ends when its standard input does.

Requests and answers are pickled objects, one after the other; both sides are this program, joined by a pipe of their own.
"""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Sequence
from typing import Any, BinaryIO

from promptlens.checking._entries import Entries, Plan
from promptlens.checking._names import KnownElsewhere
from promptlens.checking._parcels import YOURSELF, Parcel, Sent, packed, packed_items
from promptlens.checking._screens import Screens
from promptlens.render import Clean
from promptlens.sources import FORMATS, prompt_of_line
from promptlens.sources._document import Line


class Worker:
    """What a helper knows: the plans it was told, by their numbers, and what it has seen."""

    def __init__(self) -> None:
        self._screens = Screens()
        self._screens.begun = True  # the first entry of a run is made by the process that asks
        self._plans: dict[int, Plan] = {}

    def answer(self, request: tuple[Any, ...]) -> Any:
        """What a request asks for: ("plan", number, plan), ("files", number, [(path, named)]), ("lines", number, format, [line])."""
        kind, number, *rest = request
        if kind == "plan":
            (self._plans[number],) = rest
            return None
        plan = self._plans[number]
        return self._files(plan, *rest) if kind == "files" else self._lines(plan, *rest)

    def _files(self, plan: Plan, files: Sequence[tuple[str, bool]]) -> list[int | list[Sent] | None]:
        """Of each file the number of its prompts where nothing is found in it, else its entries."""
        found: list[int | list[Sent] | None] = []
        for path, named in files:
            items = self._screens.of_short_file(path, plan, named=named)
            try:
                entries = YOURSELF if items is None else packed_items(items)
            except KnownElsewhere:
                entries = YOURSELF
            clean = entries[0] if entries and len(entries) == 1 else None
            found.append(clean.prompts if isinstance(clean, Clean) else entries)
        return found

    def _lines(self, plan: Plan, name: str, lines: Sequence[str]) -> dict[int, Parcel | None]:
        """What is found in the lines in which something is, by their places in the list."""
        row = FORMATS[name]
        sieve, entries = self._screens.sieve(plan, row), Entries(row, plan, "")
        found: dict[int, Parcel | None] = {}
        for number, text in enumerate(lines):
            stripped = text.strip()
            if sieve is not None and sieve.is_clean(stripped):
                continue
            prompt = prompt_of_line("", Line(text, 0, 1), row)
            if prompt is None or sieve is None:
                found[number] = YOURSELF
                continue
            known = sieve.judged(prompt, entries)
            if known.clean:
                sieve.add_clean(stripped)
            else:
                found[number] = packed(known)
        return found


def main(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until there are no more."""
    worker = Worker()
    while True:
        try:
            request = pickle.load(requests)
        except (EOFError, pickle.UnpicklingError):  # who asked has ended, perhaps amid a word
            return
        try:
            answer = worker.answer(request)
        except Exception:  # who asked does it again, and says what is wrong
            answer = None
        pickle.dump(answer, answers, pickle.HIGHEST_PROTOCOL)
        answers.flush()


if __name__ == "__main__":
    own, sys.stdout = sys.stdout.buffer, sys.stderr  # nothing else is written where answers are
    try:
        main(sys.stdin.buffer, own)
    except OSError:  # nobody is there to hear the answer
        os._exit(0)
