"""Where a host cuts a prompt without being asked to: between two chunks, or before the words that it drops."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from promptlens.hosts import Chunk, EncoderUse
from promptlens.report import Edit, Usage
from promptlens.rules._brackets import brackets, live_kinds, readable
from promptlens.rules._reading import reading
from promptlens.rules._settings import RuleSettings
from promptlens.rules._words import listed
from promptlens.spans import Span
from promptlens.tokens import Token

# Ends of a chunk that the prompt or the host's reading of it asks for.
WANTED = frozenset({"break", "text", "end"})


class Cut(NamedTuple):
    """A cut before the prompt's character `at`.

    `before` and `after` are the tokens on both sides. `lost`: what follows never reaches the model. `chunk` is the one that ends here.
    """

    at: int
    before: Token
    after: Token
    lost: bool
    encoders: tuple[str, ...]
    chunk: Chunk
    use: EncoderUse

    def in_word(self, prompt: str) -> bool:
        """The tokens on both sides are of one word (or of one character); a run of signs is no word."""
        if self.before.word != self.after.word:
            return False
        word = self.word().of(prompt)
        return not word.isascii() or any(map(str.isalnum, word))

    def whom(self, usage: Usage) -> str:
        """Which encoders read it so, where not all of them do."""
        return f" for {listed(self.encoders)}" if len(self.encoders) < len(usage.model.encoders) else ""

    def word(self) -> Span:
        """Where the word before the cut is."""
        tokens = self.use.tokens
        first = last = self.chunk.stop - 1
        while first and tokens[first - 1].word == self.before.word:
            first -= 1
        while last + 1 < len(tokens) and tokens[last + 1].word == self.before.word:
            last += 1
        return Span(tokens[first].span.start, tokens[last].span.end)


def cuts(usage: Usage) -> list[Cut]:
    """Every cut once, with the encoders that have it, by place. Of an encoder that gives one vector for all, cuts do not matter."""
    found: dict[tuple[int, bool], Cut] = {}
    for line in usage.lines:
        for use in line.encoders:
            if (len(use.chunks) > 1 or use.lost_places) and not use.encoder.summary_only:
                for cut in _of(use):
                    known = found.get((cut.at, cut.lost))
                    if known is None:
                        found[cut.at, cut.lost] = cut
                    elif use.encoder.title not in known.encoders:
                        found[cut.at, cut.lost] = known._replace(encoders=(*known.encoders, use.encoder.title))
    return [found[key] for key in sorted(found)]


def _of(use: EncoderUse) -> Iterator[Cut]:
    lost = {start for start, _ in use.lost_places}
    filled = [chunk for chunk in use.chunks if chunk.used]
    following = {chunk.start for chunk in filled}
    tokens = use.tokens
    for chunk in filled:
        after = chunk.stop
        if after < len(tokens) and (after in lost or (after in following and chunk.cut not in WANTED)):
            yield Cut(tokens[after].span.start, tokens[after - 1], tokens[after], after in lost, (use.encoder.title,), chunk, use)


def break_before(usage: Usage, cut: Cut, settings: RuleSettings, *places: int) -> Edit | None:
    """A BREAK before the first of the places that lies in the chunk and leaves no more slots empty than it may; None where there is no way.

    The host must know BREAK, and the place must be outside brackets.
    """
    word = reading(usage).break_word
    if cut.lost or word is None:
        return None
    found = brackets(usage, readable(usage), live_kinds(usage))
    for place in places:
        filled = sum(1 for token in cut.chunk.tokens if token.span.start < place)
        if not filled or cut.use.encoder.capacity - filled > settings.break_waste:
            continue
        if any(start < place for start in found.unclosed) or any(pair.start < place < pair.end for pair in found.pairs):
            continue
        glued = place > 0 and not usage.prompt[place - 1].isspace()
        return Edit(Span(place, place), f" {word} " if glued else f"{word} ")
    return None
