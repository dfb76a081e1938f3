"""The prompts of a run that are told apart from those with findings without being analysed: by a quick look, or because they came before.

Files of prompts say many of them more than once. What a prompt's analysis finds depends on nothing but its text, host, model, options and
rules, so that of a text that comes again it is known. How much is remembered is bounded, so that a file of any size takes no more memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from sys import getsizeof

from promptlens.checking._entries import Entries, Judged
from promptlens.screening import Screen
from promptlens.sources import Block, Prompt
from promptlens.sources._document import Line

# Of texts in which nothing is found: what they take in memory, with their places in a set.
CLEAN_BYTES = 16 * 1024 * 1024
PLACE_BYTES = 64
# Reports with findings hold every token, some 30 kB each.
REPORTS = 1_024
REPORTED_UP_TO_CHARS = 2_000


class Sieve:
    """What is known of the prompts that are analysed one way. `tells`: it keeps for `news` what it finds out."""

    __slots__ = ("_clean", "_news", "_passes", "_room", "_words", "reports")

    def __init__(self, screen: Screen, *, tells: bool = False) -> None:
        self._passes = screen.passes
        self._words = screen.words
        self._clean: set[str] = set()
        self._news: list[str] | None = [] if tells else None
        self._room = CLEAN_BYTES
        self.reports: dict[str, Judged] = {}

    def is_clean(self, text: str) -> bool:
        """True where it is certain that nothing is found in a prompt; it has no white space around it."""
        if text in self._clean:
            return True
        if self._passes(text):
            self.add_clean(text)
            return True
        return False

    def add_clean(self, text: str) -> None:
        """Remember a text, as it stands in its file, in which nothing is found."""
        self._room -= getsizeof(text) + PLACE_BYTES
        if self._room < 0:
            self._clean.clear()
            self._room = CLEAN_BYTES
        else:
            self._clean.add(text)
            if self._news is not None and len(text) <= REPORTED_UP_TO_CHARS:
                self._news.append(text)

    def news(self) -> tuple[dict[str, int], list[str]]:
        """Words, and texts in which nothing is found, that came up since this was last asked (texts: from the first time on)."""
        words, texts = self._words.news(), self._news or []
        self._news = []
        return words, texts

    def learn(self, words: Mapping[str, int], texts: Sequence[str]) -> None:
        """Take over what another process has found out, which is no news."""
        self._words.learn(words)
        self._room -= sum(map(getsizeof, texts)) + PLACE_BYTES * len(texts)
        if self._room < 0:
            self._clean.clear()
            self._room = CLEAN_BYTES
        else:
            self._clean.update(texts)

    def add_report(self, text: str, judged: Judged) -> None:
        """Remember what is found in a prompt."""
        if len(text) <= REPORTED_UP_TO_CHARS:
            if len(self.reports) >= REPORTS:
                self.reports.clear()
            self.reports[text] = judged

    def judged(self, prompt: Prompt, entries: Entries) -> Judged:
        """What is found in a prompt; it is analysed unless it is remembered, and then remembered if something is found."""
        found = self.reports.get(prompt.text)
        if found is None:
            found = entries.judged(prompt)
            if not found.clean:
                self.add_report(prompt.text, found)
        return found

    def is_known(self, text: str) -> bool:
        """True for a text, as it stands in its file, that is remembered as one in which nothing is found."""
        return text in self._clean

    def left(self, block: Block, begun: bool) -> tuple[list[Line], int]:
        """The lines of a block that must be analysed, and how many others have a prompt; the first of a run is analysed."""
        texts, clean, passes = block.texts, self._clean, self._passes
        found: list[Line] = []
        others, start, reached = len(texts), block.start, 0
        for number in [n for n, text in enumerate(texts) if text not in clean]:
            text = texts[number]
            stripped = text.strip()
            if not stripped:
                others -= 1
            elif begun and text in clean:  # it has come since
                continue
            elif begun and passes(stripped):
                self.add_clean(text)
            else:
                others -= 1
                start += sum(map(len, texts[reached:number])) + number - reached
                reached = number
                found.append(Line(text, start, block.number + number))
                begun = True
        return found, others
