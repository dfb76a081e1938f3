"""A helper process: it is asked for what is found in files and lines, and ends when its standard input does.

Requests and answers are pickled objects, one after the other; both sides are this program, joined by a pipe of their own.
"""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, BinaryIO

from promptlens.checking._entries import Entries, Plan
from promptlens.checking._names import KnownElsewhere
from promptlens.checking._news import heard, told
from promptlens.checking._parcels import YOURSELF, BlockParcel, LineParcel, Sent, packed, packed_items
from promptlens.checking._screens import Screens
from promptlens.judging import JUDGED_UP_TO_CHARS
from promptlens.sources import FORMATS, Block, prompt_of_line
from promptlens.sources._blocks import chars_of, plain_lines


class Worker:
    """What a helper knows: the plans it was told, by their numbers, and what it has seen."""

    def __init__(self, screens: Screens | None = None, plans: Mapping[int, Plan] | None = None) -> None:
        self._screens = screens or Screens()
        self._screens.begun = True  # the first entry of a run is made by the process that asks
        self._screens.tells = True
        for _, sieve in self._screens.sieves():
            sieve.news()  # what was known before is none
        self._plans = dict(plans or {})

    def answer(self, request: tuple[Any, ...], news: Iterable[bytes] = ()) -> tuple[Any, bytes]:
        """What a request asks for, and news for other helpers; `news` are those that they told.

        Requests: ("files", number, plan, [(path, named)]), or ("lines", number, plan, format, a block of them). The plan is told once, with
        the first request that needs it; after that it has its number alone.
        """
        kind, number, plan, *rest = request
        if plan is not None:
            self._plans[number] = plan
        plan = self._plans[number]
        heard(self._screens, self._plans, news)
        answer = (self._files if kind == "files" else self._lines)(plan, *rest)
        return answer, told(self._screens, plan, number)

    def _files(self, plan: Plan, files: Sequence[tuple[str, bool]]) -> list[int | list[Sent] | None]:
        """Of each file the number of its prompts where nothing is found in it, else its entries."""
        found: list[int | list[Sent] | None] = []
        for path, named in files:
            items = self._screens.of_short_file(path, plan, named=named)
            if items is None or isinstance(items, int):
                found.append(items)
                continue
            try:
                found.append(packed_items(items))
            except KnownElsewhere:
                found.append(YOURSELF)
        return found

    def _lines(self, plan: Plan, name: str, raw: bytes) -> BlockParcel | None:
        """What is found in a block of lines."""
        row = FORMATS[name]
        sieve, entries = self._screens.sieve(plan, row), Entries(row, plan, "")
        texts = plain_lines(raw)
        if texts is None or sieve is None:
            return YOURSELF
        left, clean = sieve.left(Block(texts, 0, 1), True)
        found: list[LineParcel] = []
        for line in left:
            if sieve.is_known(line.text):
                clean += 1
                continue
            prompt = prompt_of_line("", line, row)
            if prompt is None:
                continue
            known = sieve.judged(prompt, entries) if len(prompt.text) <= JUDGED_UP_TO_CHARS else None
            if known is not None and known.clean:
                sieve.add_clean(line.text)
                clean += 1
            else:
                found.append(LineParcel(line.number - 1, line.start, line.text, packed(known) if known else YOURSELF))
        return BlockParcel(len(texts), chars_of(texts, raw), clean, found)


def serve(worker: Worker, requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until there are no more."""
    sys.stderr = None  # what is to be said is said by who asks
    while True:
        try:
            request, news = pickle.load(requests)
        except (EOFError, pickle.UnpicklingError):  # who asked has ended, perhaps amid a word
            return
        try:
            answer = pickle.dumps(worker.answer(request, news), pickle.HIGHEST_PROTOCOL)
        except Exception:  # who asked does it again, and says what is wrong
            answer = pickle.dumps((YOURSELF, b""), pickle.HIGHEST_PROTOCOL)
        try:
            answers.write(answer)
            answers.flush()
        except OSError:  # nobody is there to hear the answer
            os._exit(0)


if __name__ == "__main__":
    own, sys.stdout = sys.stdout.buffer, sys.stderr  # nothing else is written where answers are
    serve(Worker(), sys.stdin.buffer, own)
