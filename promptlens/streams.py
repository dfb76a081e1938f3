"""The pieces of a prompt that are tokenised on their own, and the stream of tokens of a line, not yet cut into chunks.

Where a token is in the prompt is worked out when somebody asks: of one (`Stream.place`) from its word alone where that can be, or of all.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate
from typing import Literal, NamedTuple

from promptlens.quick import quick_maker
from promptlens.spans import Origin, Span
from promptlens.tokens import Piece, ReadsText, Token, Tokenizer, Words

# What hosts take out: "network", "comment", "missing" (an embedding that is not there), "ignored" (text they never read).
FragmentKind = Literal["text", "break", "embedding", "network", "comment", "missing", "ignored"]


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of the prompt with one weight, tokenised on its own.

    `origin` maps the text back to the prompt (None: it *is* the prompt from its first character). `vectors` counts the places a
    textual-inversion embedding takes.
    """

    text: str
    weight: float = 1.0
    kind: FragmentKind = "text"
    origin: Origin | None = field(default=None, repr=False)
    vectors: int = 0

    @property
    def span(self) -> Span:
        """Where the fragment is in the prompt, syntax around it left out."""
        if self.origin is None:
            return Span(0, len(self.text))
        return self.origin.span(0, len(self.text))

    def place(self, at: int, upto: int) -> Span:
        """Where `text[at:upto]` is in the prompt."""
        return _new_span(at, upto) if self.origin is None else _new_span(*self.origin.range(at, upto))


_new_token = quick_maker(Token)
_new_span = quick_maker(Span)


class _StreamRun(NamedTuple):
    """Places of a stream that come from one fragment: `places` pieces from `first` on, or the vectors of an embedding made of pieces."""

    fragment: Fragment
    first: int
    places: int
    pieces: int
    name: str | None


class Stream:
    """The tokens of one line for one encoder, in order, before they are cut into chunks.

    `ids` are what goes into the windows. `weights` is None while every weight is 1. Tokens with spans are made when asked for.
    """

    __slots__ = ("_ends", "_places", "_runs", "_tokens", "_words", "ids", "tokenizer", "weights")

    def __init__(self, tokenizer: ReadsText) -> None:
        self.tokenizer = tokenizer
        self.ids: list[int] = []
        self.weights: list[float] | None = None
        self._runs: list[_StreamRun] = []
        self._places: tuple[list[Span], list[int]] | None = None
        self._ends: list[int] | None = None  # of the runs; none where places need those before them
        self._words: dict[int, Words | None] = {}
        self._tokens: tuple[Token, ...] | None = None

    @classmethod
    def of(cls, tokenizer: ReadsText, fragment: Fragment, ids: list[int]) -> Stream:
        """The stream of a line that is one text fragment with these ids."""
        stream = cls(tokenizer)
        stream.ids = ids
        if fragment.weight != 1.0:
            stream.weights = [fragment.weight] * len(ids)
        stream._runs.append(_StreamRun(fragment, 0, len(ids), len(ids), None))
        return stream

    @classmethod
    def join(cls, streams: Sequence[Stream]) -> Stream:
        """The tokens of several streams of one tokenizer, one after the other."""
        joined = cls(streams[0].tokenizer)
        joined.ids = [i for stream in streams for i in stream.ids]
        if any(stream.weights is not None for stream in streams):
            joined.weights = [w for stream in streams for w in stream.weights or ones(len(stream))]
        joined._runs = [run for stream in streams for run in stream._runs]
        return joined

    def __len__(self) -> int:
        return len(self.ids)

    def add(self, fragment: Fragment) -> None:
        """Append all tokens of a text fragment."""
        ids = self.tokenizer.encode(fragment.text)
        self.extend(fragment, ids, 0)

    def extend(self, fragment: Fragment, ids: list[int], first: int) -> None:
        """Append tokens of a fragment; the first is piece number `first` of it."""
        count = len(ids)
        if not count:
            return
        self._weigh(fragment.weight, count)
        if self.ids:
            self.ids += ids
        else:
            self.ids = ids
        self._runs.append(_StreamRun(fragment, first, count, count, None))

    def add_vectors(self, fragment: Fragment, name: str, vectors: int, place_id: int, first: int = 0, pieces: int = 0) -> None:
        """Append the places of an embedding, made of `pieces` pieces of the fragment from `first` on (none: of all its text)."""
        self._weigh(fragment.weight, vectors)
        self.ids += [place_id] * vectors
        self._runs.append(_StreamRun(fragment, first, vectors, pieces, name))

    def _weigh(self, weight: float, count: int) -> None:
        if self.weights is not None:
            self.weights += [weight] * count
        elif weight != 1.0:
            self.weights = [1.0] * len(self.ids)
            self.weights += [weight] * count

    def place(self, n: int) -> Span:
        """Where token number `n` is in the prompt."""
        near = self._near(n)
        if near is None:
            return self._all_places()[0][n]
        words, fragment, begin = near
        start, end = words.place(n - begin)
        place = _placer(fragment)
        return _new_span(*place(start, end)) if place else _new_span(start, end)

    def word(self, n: int) -> tuple[int, int]:
        """The numbers of the first token of the word that token number `n` is of, and of the first one after it."""
        near = self._near(n)
        if near is None:
            numbers = self._all_places()[1]
            return bisect_left(numbers, numbers[n]), bisect_right(numbers, numbers[n])
        words, _, begin = near
        first, after = words.word(n - begin)
        return begin + first, begin + after

    def _all_places(self) -> tuple[list[Span], list[int]]:
        """Where all tokens are, and the numbers of their words."""
        if self._places is None:
            placed = [*self._placed()]
            self._places = [_new_span(start, end) for start, end, _, _ in placed], [word for _, _, word, _ in placed]
        return self._places

    def _near(self, n: int) -> tuple[Words, Fragment, int] | None:
        """The words and the fragment that token number `n` is of, and the number of its first token; None where a place depends on more."""
        if self._ends is None:
            self._ends = [*accumulate(run.places for run in self._runs)] if _in_order(self._runs) else []
        if not self._ends:
            return None
        number = bisect_right(self._ends, n)
        run = self._runs[number]
        words = self._words_of(run.fragment)
        return None if words is None else (words, run.fragment, self._ends[number] - run.places - run.first)

    def _words_of(self, fragment: Fragment) -> Words | None:
        key = id(fragment)
        if key not in self._words:
            self._words[key] = self.tokenizer.words(fragment.text) if isinstance(self.tokenizer, Tokenizer) else None
        return self._words[key]

    @property
    def tokens(self) -> tuple[Token, ...]:
        """Every token with its span in the prompt."""
        if not self.ids:
            return ()  # without a word the vocabulary need not be loaded
        if self._tokens is None:
            weights = ones(len(self)) if self.weights is None else self.weights
            piece = self.tokenizer.vocabulary.piece
            self._tokens = tuple(
                _new_token(token_id, what if isinstance(what, str) else piece(what), _new_span(start, end), weight, word)
                for token_id, weight, (start, end, word, what) in zip(self.ids, weights, self._placed(), strict=True)
            )
        return self._tokens

    def _placed(self) -> Iterator[tuple[int, int, int, int | str]]:
        """Where each token is, the number of its word from 0 on, and its id or how its embedding is shown."""
        words, last = 0, -1
        fragment: Fragment | None = None
        pieces: list[Piece] = []
        low = high = 0  # no token begins or ends before the one that it follows
        for run in self._runs:
            if run.fragment is not fragment:
                fragment = run.fragment
                pieces = self.tokenizer.pieces(fragment.text)
                words = last + 1
            place = _placer(fragment)
            for n in range(run.places):
                what: int | str
                if run.name is None:
                    what, at, upto, word = pieces[run.first + n]
                    start, end = place(at, upto) if place else (at, upto)
                    word += words
                else:
                    start, end, word = self._embedding_place(run, pieces, words)
                    what = f"<{run.name} {n + 1}/{run.places}>"
                last = max(last, word)
                if start < low:
                    start = low
                if end < high:
                    end = high
                low, high = start, end
                yield start, end, last, what

    def _embedding_place(self, run: _StreamRun, pieces: list[Piece], words: int) -> tuple[int, int, int]:
        if not run.pieces or not pieces:
            span = run.fragment.span
            return span.start, span.end, words
        first, last = pieces[run.first], pieces[run.first + run.pieces - 1]
        span = run.fragment.place(first.start, last.end)
        return span.start, span.end, words + first.word


def _placer(fragment: Fragment) -> Callable[[int, int], tuple[int, int]] | None:
    """What gives the places in the prompt of those in a fragment; None where they are the same."""
    origin = fragment.origin
    return None if origin is None or (origin.is_identity and origin.runs) else origin.range


def _in_order(runs: Sequence[_StreamRun]) -> bool:
    """Whether each run follows the one before it in the prompt, with all pieces of its fragment and no embedding between."""
    fragment: Fragment | None = None
    reached = following = 0
    for run in runs:
        if run.fragment is not fragment:
            fragment, following = run.fragment, 0
            origin = fragment.origin or Origin.identity(len(fragment.text))
            if not origin.in_order or origin.runs[0].start < reached:
                return False
            reached = origin.runs[-1].end
        if run.name is not None or run.first != following:
            return False
        following += run.places
    return True


@lru_cache(maxsize=1024)
def ones(count: int) -> tuple[float, ...]:
    """That many weights of 1."""
    return (1.0,) * count
