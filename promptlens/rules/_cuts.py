"""Where a host cuts a prompt without being asked to: between two chunks, or before the words that it drops."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from promptlens.cleaning import is_plain
from promptlens.hosts import Chunk, EncoderUse, Stream
from promptlens.report import Edit, Usage
from promptlens.rules._brackets import Inside, brackets, live_kinds, readable
from promptlens.rules._reading import reading
from promptlens.rules._settings import RuleSettings
from promptlens.rules._words import listed
from promptlens.spans import Span
from promptlens.tokens import Tokenizer

# Ends of a chunk that the prompt or the host's reading of it asks for.
WANTED = frozenset({"break", "text", "end"})
COMMA = 267  # ",</w>"; hosts that look for several signs say "comma" of each
# Brackets, and what a comma may be written as.
_NO_SEPARATOR = re.compile(r"[()\[\]{}&]")
# Signs of any script, which are no word.
_SIGNS = re.compile(r"[\s!-/:-@\[-`{-~\u00a1-\u00bf\u2000-\u206f\u3000-\u303f\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]*")


class Cut(NamedTuple):
    """A cut before the prompt's character `at`.

    `before` is where the token before it ends. `word` is the word that the tokens on both sides are of, None where they are of two (or of
    a run of signs, which is no word). `lost`: what follows never reaches the model. `chunk` is the one that ends here.
    """

    at: int
    before: int
    word: Span | None
    lost: bool
    encoders: tuple[str, ...]
    chunk: Chunk
    use: EncoderUse

    def whom(self, usage: Usage) -> str:
        """Which encoders read it so, where not all of them do."""
        return f" for {listed(self.encoders)}" if len(self.encoders) < len(usage.model.encoders) else ""


def cuts(usage: Usage) -> list[Cut]:
    """Every cut that may part a word or a tag, once, with the encoders that have it, by place.

    Of an encoder that gives one vector for all, cuts do not matter. Those of the last prompt are kept: two rules ask for them.
    """
    for known, found in _last:
        if known is usage:
            return found
    found = _cuts(usage)
    _last[:] = [(usage, found)]
    return found


_last: list[tuple[Usage, list[Cut]]] = []


def _cuts(usage: Usage) -> list[Cut]:
    found: dict[tuple[int, bool], Cut] = {}
    for line in usage.lines:
        alike: list[tuple[EncoderUse, list[Cut]]] = []
        for use in line.encoders:
            if (len(use.chunks) > 1 or use.lost_places) and not use.encoder.summary_only:
                of = next((cuts for other, cuts in alike if _is_cut_alike(usage.prompt, other, use)), None)
                if of is None:
                    of = [*_of(usage.prompt, use)]
                    alike.append((use, of))
                for cut in of:
                    known = found.get((cut.at, cut.lost))
                    if known is None:
                        found[cut.at, cut.lost] = cut
                    elif use.encoder.title not in known.encoders:
                        found[cut.at, cut.lost] = known._replace(encoders=(*known.encoders, use.encoder.title))
    return [found[key] for key in sorted(found)]


def _is_cut_alike(prompt: str, use: EncoderUse, other: EncoderUse) -> bool:
    """Whether two encoders get the same tokens, made of the same characters, in the same chunks."""
    stream, others = use.stream, other.stream
    if stream is None or others is None or stream.ids != others.ids or use.lost_places != other.lost_places:
        return False
    if [(c.start, c.stop, c.cut) for c in use.chunks] != [(c.start, c.stop, c.cut) for c in other.chunks]:
        return False
    one, two = stream.tokenizer, others.tokenizer
    if not isinstance(one, Tokenizer) or not isinstance(two, Tokenizer):
        return False
    return one.reading.cleaning == two.reading.cleaning or (is_plain(prompt) and "<" not in prompt)


def _of(prompt: str, use: EncoderUse) -> Iterator[Cut]:
    lost = {start for start, _ in use.lost_places}
    filled = [chunk for chunk in use.chunks if chunk.used]
    following = {chunk.start for chunk in filled}
    stream = use.stream
    count = len(stream) if stream else 0
    cut = [c for c in filled if c.stop < count and (c.stop in lost or (c.stop in following and not _is_wanted(prompt, c)))]
    if not cut or not stream:
        return
    reached, word = 0, None  # a word longer than several chunks is cut at each of their ends, and looked at once
    for chunk in cut:
        after = chunk.stop
        if after >= reached:
            reached, word = _word(prompt, stream, after)
        yield Cut(stream.place(after).start, stream.place(after - 1).end, word, after in lost, (use.encoder.title,), chunk, use)


def _is_wanted(prompt: str, chunk: Chunk) -> bool:
    """Whether a chunk ends as the prompt asks for, or at a comma where a tag ends: no bracket is around it, and it is written as a comma.

    To know that costs nothing, and the places of tokens cost most of what rules do.
    """
    if chunk.cut != "comma" or _NO_SEPARATOR.search(prompt):
        return chunk.cut in WANTED
    return prompt.isascii() or (chunk.stream.ids[chunk.stop - 1] == COMMA and not _unsure().search(prompt))


@lru_cache(maxsize=1)
def _unsure() -> re.Pattern[str]:
    """Characters of which cleaning may make something else than one other sign or letter; compiled when first asked for (3 ms).

    What is left is ASCII, quotation marks and dashes, ideographs and full-width signs: among these a comma comes of "," and "，" alone.
    """
    return re.compile("[\x80-\u200f\u2028-\u3000\u3040-\u4dff\ua000-\uff00\uff5f-\U0010ffff]")


def _word(prompt: str, stream: Stream, after: int) -> tuple[int, Span | None]:
    """The word that the tokens on both sides of `after` are of, and how far it reaches."""
    first, end = stream.word(after)
    if first == after:
        return after, None
    span = Span(stream.place(first).start, stream.place(end - 1).end)
    text = span.of(prompt)
    return end, None if _SIGNS.fullmatch(text) else span


class Breaks(NamedTuple):
    """Where a BREAK may be put: what it is called (None: the host has none), the brackets to stay out of, and slots that may stay empty."""

    word: str | None
    prompt: str
    inside: Inside
    unclosed: int
    waste: int

    def before(self, cut: Cut, *places: int) -> Edit | None:
        """A BREAK before the first of the places that lies in the chunk that is cut and leaves no more slots empty than it may."""
        if cut.lost or self.word is None:
            return None
        for place in places:
            filled = min(cut.use.tokens_before(place), cut.chunk.stop) - cut.chunk.start
            if filled <= 0 or cut.use.encoder.capacity - filled > self.waste or self.unclosed < place or self.inside(place):
                continue
            glued = place > 0 and not self.prompt[place - 1].isspace()
            return Edit(Span(place, place), f" {self.word} " if glued else f"{self.word} ")
        return None


def breaks(usage: Usage, settings: RuleSettings) -> Breaks:
    """Where a BREAK may be put into a prompt."""
    found = brackets(usage, readable(usage), live_kinds(usage))
    first = found.unclosed[0] if found.unclosed else len(usage.prompt)
    return Breaks(reading(usage).break_word, usage.prompt, Inside(found.pairs), first, settings.break_waste)
