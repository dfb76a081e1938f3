"""A prompt with its chunk boundaries marked in place: `golden hour, ┃2┃ volumetric lighting`.

A mark stands where the tokens of another chunk begin, between whole grapheme clusters; `┃lost┃` stands where tokens begin that never
reach the model. Of a prompt too long to show, the parts around the first and last boundaries are shown and the rest is counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from promptlens.hosts import EncoderUse, Fragment, Stream
from promptlens.render._runs import Atom, atoms, cluster_start, quoted
from promptlens.spans import Span, clusters
from promptlens.tokens import Token

LOST = -1

# A prompt longer than this is shown in parts: the biggest in daily use have some 4,000 characters.
WHOLE_CHARS = 6_000
EDGE_CHARS = 400
AROUND_CHARS = 120
FIRST_MARKS, LAST_MARKS = 6, 2

# Past this many tokens only the first are given their places: 10 µs each.
PLACED_TOKENS = 50_000

# Boundaries that are looked for; beyond it none is shown.
MARKED = 1_000


class Mark(NamedTuple):
    """Chunk `label` (from 0; or LOST) begins at `at`."""

    at: int
    label: int


class Drawing(NamedTuple):
    """The tokens that one encoder gets, as far as they are placed: `ranges` are (first place, end, chunk or LOST) in order."""

    prompt: str
    fragments: tuple[Fragment, ...]
    use: EncoderUse
    tokens: Sequence[Token]
    ranges: tuple[tuple[int, int, int], ...]

    @property
    def is_partial(self) -> bool:
        """True when the prompt has more tokens than are placed."""
        return bool(self.ranges) and self.ranges[-1][1] > len(self.tokens)

    def marks(self) -> list[Mark]:
        """Where another chunk, or what is lost, begins."""
        found: list[Mark] = []
        covered = 0
        # A chunk without tokens is one between two BREAKs; it begins behind the first of them.
        breaks = (f.span.end for f in self.fragments if f.kind == "break")
        after_break = 0
        for start, end, label in self.ranges[:MARKED]:
            if len(self.tokens) <= start < end:
                break
            at = self.tokens[start].span.start if start < end else after_break
            if label != 0 or found:
                found.append(Mark(self._before_brackets(at, covered), label))
            covered = max(self.tokens[min(end, len(self.tokens)) - 1].span.end if start < end else at, covered)
            if label != LOST and self.use.chunks[label].cut == "break":
                after_break = next(breaks, covered)
        return found

    def _before_brackets(self, at: int, covered: int) -> int:
        """`(red:1.2)` begins at its bracket, not at "red"."""
        while at > covered and self.prompt[at - 1] in "([{":
            at -= 1
        return at

    def cut_word(self, place: int) -> str:
        """The word that a cut before this token goes through, in quotes; nothing when it goes between words."""
        tokens = self.tokens
        if not 0 < place < len(tokens) or tokens[place - 1].word != tokens[place].word:
            return ""
        first = last = place
        while first and tokens[first - 1].word == tokens[place].word:
            first -= 1
        while last + 1 < len(tokens) and tokens[last + 1].word == tokens[place].word:
            last += 1
        return quoted(self.prompt[tokens[first].span.start : tokens[last].span.end], 40)

    def lost_text(self, start: int, end: int) -> str:
        """The user's own words of lost tokens, in quotes."""
        tokens = self.tokens
        if start >= len(tokens):
            return ""
        upto = tokens[end - 1].span.end if end <= len(tokens) else len(self.prompt)
        first = cluster_start(self.prompt, tokens[start].span.start)
        return quoted(self.prompt[first:upto].rstrip(), 240)


def drawing(prompt: str, fragments: tuple[Fragment, ...], use: EncoderUse) -> Drawing:
    """The drawing of what one encoder gets of a line, or of lines that the host joins, made of these fragments."""
    stream = use.stream
    if stream is None:
        return Drawing(prompt, fragments, use, (), ())
    ranges = [(c.start, c.stop, n) for n, c in enumerate(use.chunks)] + [(a, b, LOST) for a, b in use.lost_places]
    ranges.sort(key=lambda r: r[:2])
    tokens = stream.tokens if len(stream) <= PLACED_TOKENS else _first_tokens(fragments, stream)
    return Drawing(prompt, fragments, use, tokens, tuple(ranges))


def _first_tokens(fragments: tuple[Fragment, ...], stream: Stream, count: int = 2_000) -> Sequence[Token]:
    """Tokens with their places from the beginning of a line too long to place all: those of its first words, checked against the ids."""
    first = Stream(stream.tokenizer)
    for fragment in fragments:
        if len(first) >= count:
            break
        if fragment.kind in ("text", "break"):
            text = fragment.text
            cut = text.rfind(" ", 0, count * 8) if len(text) > count * 8 else len(text)
            if fragment.kind == "text":
                first.add(replace(fragment, text=text[: cut if cut > 0 else count * 8]))
            if cut < len(text):
                break
    agreed = 0
    while agreed < min(len(first), count) and first.ids[agreed] == stream.ids[agreed]:
        agreed += 1
    return first.tokens[: max(agreed - 1, 0)]


def prompt_atoms(drawn: Drawing, mark: str, newline: str) -> Iterator[Atom]:
    """The prompt, its marks and what is left out, ready to be wrapped. `mark` is the bar, `newline` stands for a line break."""
    marks = drawn.marks()
    reached = 0
    for region in _regions(drawn, marks):
        if region.start > reached:
            yield from _gap(region.start - reached, first=not reached)
        yield from _region(drawn, region, marks, mark, newline)
        reached = region.end
    if reached < len(drawn.prompt):
        yield from _gap(len(drawn.prompt) - reached, first=False)


def _gap(count: int, *, first: bool) -> Iterator[Atom]:
    if not first:
        yield Atom("", "", 0, "\n")
    yield from atoms(f"… {count:,} characters not shown …", "dim")
    yield Atom("", "", 0, "\n")


def _regions(drawn: Drawing, marks: Sequence[Mark]) -> list[Span]:
    """The parts of the prompt to show, apart and in order."""
    length = len(drawn.prompt)
    if length <= WHOLE_CHARS:
        return [Span(0, length)]
    last = [] if drawn.is_partial else marks[FIRST_MARKS:][-LAST_MARKS:]
    wanted = [Span(0, EDGE_CHARS), *(Span(m.at - AROUND_CHARS, m.at + AROUND_CHARS) for m in [*marks[:FIRST_MARKS], *last])]
    wanted.append(Span(length - EDGE_CHARS, length))
    found: list[Span] = []
    for span in sorted(wanted):
        start, end = _edge(drawn.prompt, max(span.start, 0)), _edge(drawn.prompt, min(span.end, length))
        if found and start <= found[-1].end + AROUND_CHARS:
            found[-1] = Span(found[-1].start, max(found[-1].end, end))
        else:
            found.append(Span(start, end))
    return found


def _edge(text: str, at: int) -> int:
    """A place near `at` where no grapheme cluster is cut: after a blank, if one is near."""
    blank = text.find(" ", at, at + 24)
    return blank + 1 if blank >= 0 and 0 < at < len(text) else cluster_start(text, at)


def _region(drawn: Drawing, region: Span, marks: Sequence[Mark], bar: str, newline: str) -> Iterator[Atom]:
    prompt = drawn.prompt
    labels = _labels(drawn, region)
    style = ""
    ahead = [m for m in marks if region.start <= m.at < region.end or (m.at == region.end == len(prompt))]
    for span in clusters(region.of(prompt)):
        start, end = span.start + region.start, span.end + region.start
        while ahead and ahead[0].at < end:
            yield from _mark(prompt, ahead.pop(0), start, bar)
        cluster = prompt[start:end]
        if cluster in ("\n", "\r\n"):
            yield Atom(newline, "dim", len(newline), "\n")
            continue
        inside = [label for label in labels[span.start : span.end] if label is not None]
        if inside or not cluster.isspace():  # blanks go with what is before them
            style = chunk_style(inside[-1]) if inside else "syntax"
        yield from atoms(cluster, style)
    for left in ahead:
        yield from _mark(prompt, left, len(prompt), bar)


def _labels(drawn: Drawing, region: Span) -> list[int | None]:
    """For each character of a region the chunk that it is in; None for what no token comes from."""
    labels: list[int | None] = [None] * len(region)
    for start, end, label in drawn.ranges[:MARKED]:
        for token in drawn.tokens[start:end]:
            low, high = max(token.span.start, region.start), min(token.span.end, region.end)
            if low < high:
                labels[low - region.start : high - region.start] = [label] * (high - low)
    return labels


def _mark(prompt: str, mark: Mark, at: int, bar: str) -> Iterator[Atom]:
    """A mark stands apart between words, and is part of the word that it cuts."""
    label = "lost" if mark.label == LOST else str(mark.label + 1)
    atom = Atom(f"{bar}{label}{bar}", f"{chunk_style(mark.label)}-mark", len(label) + 2)
    blank = Atom(" ", "", 1, " ")
    if at == 0 or prompt[at - 1].isspace():
        yield from (atom, blank)
    elif at == len(prompt) or prompt[at].isspace():
        yield from (blank, atom)
    else:
        yield atom


def chunk_style(label: int) -> str:
    """Two hues take turns; what is lost has its own."""
    return "lost" if label == LOST else "odd" if label % 2 else "even"
