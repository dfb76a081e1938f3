"""A quick look at a prompt that tells for certain that nothing is wrong with it: most prompts need no closer one.

A `Screen` holds for one host, model, set of options and set of rules. Host and rules say what a plain prompt must have for something to be
found in it (`Host.plain`, rules/_needs.py), most of it word by word: so a known word costs one look-up, which counts its tokens too. What
the screen cannot vouch for is analysed. It never says what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from operator import itemgetter
from typing import Any

from promptlens.hosts import Host, HostFailure
from promptlens.models import Model
from promptlens.rules import Needs, Room, RuleSettings, Selection, needs_of
from promptlens.tokens import CACHED_WORD_LENGTH, CACHED_WORDS, Tokenizer

# Signs that cleaning may make something else of: references to characters, which have no blank in them, and marks of the tokenizer.
_UNCLEAN = "<|&."
# More tokens than any host keeps that drops some: it tells what they are, and whether any are dropped.
_SAMPLE = "a " * 1199 + "a"
# What a word with a mark weighs: more than any chunk holds.
MARKED = 1_000_000


class WordTokens(dict[str, int]):
    """Tokens of a word in the encoder that takes the most, and `MARKED` for one that must be looked at."""

    __slots__ = ("_counts", "_marked", "_told")

    def __init__(self, counts: Sequence[Callable[[str], int]], marks: str) -> None:
        super().__init__()
        self._counts = counts
        self._marked = re.compile(marks).search
        self._told = 0

    def __missing__(self, word: str) -> int:
        tokens = MARKED if self._marked(word) else max([count(word) for count in self._counts])
        if len(word) <= CACHED_WORD_LENGTH:
            if len(self) >= CACHED_WORDS:
                self.clear()
            self[word] = tokens
        return tokens

    def news(self) -> dict[str, int]:
        """The words that came up since this was last asked; not all, where there were too many to keep."""
        count, self._told = len(self) - self._told, len(self)
        return dict(islice(reversed(self.items()), count)) if count > 0 else {}

    def learn(self, known: Mapping[str, int]) -> None:
        """Take over what another table says, which is no news."""
        if len(self) + len(known) > CACHED_WORDS:
            self.clear()
        self.update(known)
        self._told = len(self)


class Screen:
    """What passes has no findings, and no word of it is lost."""

    __slots__ = ("_checks", "_most", "_tokens_of", "words")

    def __init__(self, counts: Sequence[Callable[[str], int]], marks: Sequence[str], room: int, needs: Sequence[Needs]) -> None:
        every = [*marks, *(need.marks for need in needs)]
        self.words = WordTokens(counts, "|".join(f"(?:{mark})" for mark in every if mark))
        self._tokens_of = self.words.__getitem__
        self._most = min([room, *(need.more_than for need in needs if need.more_than is not None and need.seen is None)])
        checks = [(need.more_than, need.seen) for need in needs if need.more_than is not None and need.seen is not None]
        self._checks = sorted(checks, key=itemgetter(0))

    def passes(self, text: str) -> bool:
        """True where it is certain that nothing is found in a prompt."""
        if not (text.isascii() and text.isprintable()) or text[:1] == " " or text[-1:] == " ":
            return False
        words = text.split(" ")
        if "" in words:  # several blanks in a row, or no text
            words = text.split()
        tokens = sum(map(self._tokens_of, words))
        if tokens > self._most or not tokens:
            return False
        if self._checks:
            folded = text.lower()
            if folded != text:
                words = folded.split()
            for more_than, seen in self._checks:
                if tokens <= more_than:
                    break
                if seen(folded, words, self._tokens_of):
                    return False
        return True


def make_screen(host: Host, model: Model, options: Any, selection: Selection, settings: RuleSettings) -> Screen | None:
    """The screen of prompts that are analysed so; None where host or rules cannot say which prompts are plain."""
    marks = host.plain(options) if host.plain else None
    if marks is None or not model.encoders or any(encoder.vocabulary != "clip" for encoder in model.encoders):
        return None
    try:
        (line,) = host.parse(_SAMPLE, options).lines
        uses = [host.pack(line, encoder, model, options) for encoder in model.encoders]
    except HostFailure:
        return None
    kept = [use.used for use in uses if use.lost_places]
    room = Room(min(encoder.capacity for encoder in model.encoders), min(kept) if kept else None)
    needs = needs_of(selection, settings, room)
    tokenizers = [use.stream.tokenizer for use in uses if use.stream is not None]
    if needs is None or len(tokenizers) < len(uses) or not all(isinstance(t, Tokenizer) for t in tokenizers):
        return None
    bang = any(isinstance(t, Tokenizer) and t.reading.bang for t in tokenizers)
    return Screen(
        [t.count_word for t in dict.fromkeys(tokenizers) if isinstance(t, Tokenizer)],
        [marks, _UNCLEAN, *(["!"] if bang else [])],
        room.chunk,
        needs,
    )


__all__ = ["Screen", "make_screen"]
