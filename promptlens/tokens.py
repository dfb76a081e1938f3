"""Text to token ids, with the place of every token in the text it came from.

A `Reading` names the tokenizer build a host uses for an encoder; `tokenizer(reading)` gives the `Tokenizer` of it, one per process. No
token spans white space, so ids are remembered per white-space-separated word: prompts share words, and a known word costs one look-up.
Special tokens BOS and EOS around a window are not added here; a literal one in the text is found, as the builds find it.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate, chain
from operator import attrgetter
from typing import Any, NamedTuple, Protocol

from promptlens.cleaning import CLEANINGS, clean, clean_text
from promptlens.errors import UnknownNameError
from promptlens.spans import Span
from promptlens.vocab import END_ID, END_TEXT, START_ID, START_TEXT, Vocabulary, load

# Words remembered per tokenizer: about 20 MB when full. English prompts of 6,000 users use 12,000.
CACHED_WORDS = 65_536
CACHED_WORD_LENGTH = 64


@dataclass(frozen=True, slots=True)
class Token:
    """One id, what it stands for and where it is.

    `piece` is as the vocabulary writes it ("cat</w>"), which is not the user's text: show `prompt[span]`. Tokens of one character
    (an emoji is up to four) share its span. `word` counts words of the prompt from 0, so tokens with the same number are one word.
    """

    id: int
    piece: str
    span: Span
    weight: float
    word: int


class Reading(NamedTuple):
    """How a tokenizer build reads text.

    cleaning  a row of `CLEANINGS`
    bang      "!" is the build's padding token, and so a special token: each becomes id 0
    fold      literal special tokens are found in any case (the fast build only; it depends on the release)
    """

    cleaning: str
    bang: bool = False
    fold: bool = False


class Piece(NamedTuple):
    """A token id with its `[start, end)` in the text that was tokenised; `word` counts from 0 in that text."""

    id: int
    start: int
    end: int
    word: int


_word_of = attrgetter("word")


class Words:
    """The words of a text that are encoded each on its own, so that where one piece is can be told without the others.

    `text` has been cleaned, `pattern` matches its words, and `place` leads from it to the text as it was (None: it is the same).
    """

    __slots__ = ("_asked", "_ends", "_found", "_pieces", "_place")

    def __init__(
        self,
        text: str,
        pattern: re.Pattern[str],
        place: Callable[[int, int], tuple[int, int]] | None,
        count: Callable[[str], int],
        pieces: Callable[[str], Sequence[Piece]],
    ) -> None:
        self._found, self._place, self._pieces = [(match.group(), match.start()) for match in pattern.finditer(text)], place, pieces
        self._ends = [*accumulate([count(word) for word, _ in self._found])]
        self._asked: dict[int, Sequence[Piece]] = {}

    def place(self, n: int) -> tuple[int, int]:
        """Where piece number `n` begins and ends in the text."""
        pieces, begin, offset = self._around(n)
        _, at, upto, _ = pieces[n - begin]
        return self._place(offset + at, offset + upto) if self._place else (offset + at, offset + upto)

    def word(self, n: int) -> tuple[int, int]:
        """The numbers of the first piece of the word that piece number `n` is of, and of the first one after it."""
        pieces, begin, _ = self._around(n)
        number = pieces[n - begin].word
        return begin + bisect_left(pieces, number, key=_word_of), begin + bisect_right(pieces, number, key=_word_of)

    def _around(self, n: int) -> tuple[Sequence[Piece], int, int]:
        """The pieces of what stands between the white space around a piece, the number of its first one, and where it begins."""
        number = bisect_right(self._ends, n)
        word, offset = self._found[number]
        pieces = self._asked.get(number)
        if pieces is None:
            pieces = self._asked[number] = self._pieces(word)
        return pieces, self._ends[number - 1] if number else 0, offset


_new_piece: Any = tuple.__new__  # what the named tuple's own constructor calls, in half its time


class Pieces(Protocol):
    """A vocabulary, as far as everything but its own tokenizer needs it."""

    def piece(self, token_id: int) -> str: ...
    def find(self, piece: str) -> int | None: ...
    def decode(self, ids: Sequence[int]) -> str: ...


class ReadsText(Protocol):
    """A tokenizer: CLIP's here, T5's in unigram.py."""

    @property
    def vocabulary(self) -> Pieces: ...
    def encode(self, text: str) -> list[int]: ...
    def count(self, text: str) -> int: ...
    def pieces(self, text: str) -> list[Piece]: ...


_LITERAL = re.compile(re.escape(START_TEXT) + "|" + re.escape(END_TEXT))
_LITERAL_OR_BANG = re.compile(_LITERAL.pattern + "|!")
_HF_IDS = {START_TEXT: START_ID, END_TEXT: END_ID}
_OPEN_CLIP_IDS = {"<start_of_text>": START_ID, "<end_of_text>": END_ID}

# White space as the Rust build sees it (Unicode White_Space): unlike Python's it leaves out U+001C to U+001F.
_RUST_WORD = re.compile("[^\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")
_WORD = re.compile(r"\S+")

# The pre-token pattern of CLIP without its white space. "\w" without "_" is letters and numbers; `_pretokens` parts the two. Letters newer
# than the running Python's Unicode tables count as punctuation. The builds that match in any case never match U+0345, whose capital
# is a letter: it vanishes.
_CONTRACTIONS = "'s|'t|'re|'ve|'m|'ll|'d"
_REST = r"[^\W_]+|[\W_]+"
_REST_ANY_CASE = "[^\\W_]+|(?:[^\\w\u0345]|_)+"


class _WordIds(dict[str, tuple[int, ...]]):
    """Ids by word, computed when missing, bounded."""

    __slots__ = ("_tokenizer",)

    def __init__(self, tokenizer: Tokenizer) -> None:
        super().__init__()
        self._tokenizer = tokenizer

    def __missing__(self, word: str) -> tuple[int, ...]:
        ids = self._tokenizer.word_ids(word)
        if len(word) <= CACHED_WORD_LENGTH:
            if len(self) >= CACHED_WORDS:
                self.clear()
            self[word] = ids
        return ids


class _WordPieces(dict[str, Sequence[Piece]]):
    """Pieces by word: what spans are made of."""

    __slots__ = ("_tokenizer",)

    def __init__(self, tokenizer: Tokenizer) -> None:
        super().__init__()
        self._tokenizer = tokenizer

    def __missing__(self, word: str) -> Sequence[Piece]:
        pieces = self._tokenizer.word_pieces(word)
        if len(word) <= CACHED_WORD_LENGTH:
            if len(self) >= CACHED_WORDS:
                self.clear()
            self[word] = pieces
        return pieces


class _WordCounts(dict[str, int]):
    """Numbers of tokens by word."""

    __slots__ = ("_ids",)

    def __init__(self, ids: _WordIds) -> None:
        super().__init__()
        self._ids = ids

    def __missing__(self, word: str) -> int:
        count = len(self._ids[word])
        if len(word) <= CACHED_WORD_LENGTH:
            if len(self) >= CACHED_WORDS:
                self.clear()
            self[word] = count
        return count


class Tokenizer:
    """One tokenizer build. It holds caches and nothing that changes an answer."""

    def __init__(self, vocabulary: str, reading: Reading) -> None:
        if reading.cleaning not in CLEANINGS:
            raise UnknownNameError("cleaning", reading.cleaning, CLEANINGS)
        self._vocabulary = vocabulary
        self.reading = reading
        open_clip, fast = reading.cleaning == "open_clip", reading.cleaning == "fast"
        self._literal = None if open_clip else self._literal_pattern()
        # Literal special tokens that only cleaning brought to light: ids for the slow builds, ordinary text for the fast one.
        self._inner = {} if fast else _OPEN_CLIP_IDS if open_clip else _HF_IDS
        literals = _OPEN_CLIP_IDS if open_clip else _HF_IDS
        words = [*map(re.escape, literals), _CONTRACTIONS, _REST if fast else _REST_ANY_CASE]
        self._pretoken = re.compile("|".join(words), 0 if fast else re.IGNORECASE)
        self._split = _RUST_WORD if fast else _WORD
        self._bang = reading.bang
        self._pretoken_ids: dict[str, tuple[int, ...]] = {}
        self._ids = _WordIds(self)
        self._counts = _WordCounts(self._ids)
        self._pieces = _WordPieces(self)

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """Its pieces and ids: loaded for the first word, so that a prompt without one does not wait 20 ms for it."""
        return load(self._vocabulary)

    def _literal_pattern(self) -> re.Pattern[str]:
        pattern = _LITERAL_OR_BANG if self.reading.bang else _LITERAL
        return re.compile(pattern.pattern, re.IGNORECASE | re.ASCII) if self.reading.fold else pattern

    def encode(self, text: str) -> list[int]:
        """Ids of a text, without BOS and EOS.

        >>> tokenizer(Reading("fast")).encode("a cat!!!"), tokenizer(Reading("fast", bang=True)).encode("a cat!!!")
        ([320, 2368, 995], [320, 2368, 0, 0, 0])
        """
        # Words of printable ASCII can be looked up as they are, but for entities and literal special tokens.
        if self._is_plain(text):
            return [*chain.from_iterable(map(self._ids.__getitem__, text.split()))]
        ids: list[int] = []
        for special, start, end in self._stretches(text):
            if special is not None:
                ids.append(special)
            else:
                words = self._split.findall(clean_text(text[start:end], self.reading.cleaning))
                ids.extend(chain.from_iterable(map(self._ids.__getitem__, words)))
        return ids

    def count(self, text: str) -> int:
        """Number of ids of a text, as `len(encode(text))` but quicker."""
        if self._is_plain(text):
            return sum(map(self._counts.__getitem__, text.split()))
        counted = 0
        for special, start, end in self._stretches(text):
            words = () if special is not None else self._split.findall(clean_text(text[start:end], self.reading.cleaning))
            counted += 1 if special is not None else sum(map(self._counts.__getitem__, words))
        return counted

    def count_word(self, word: str) -> int:
        """Number of ids of a word of printable ASCII without entities and literal special tokens; nothing is remembered of it."""
        return len(self.word_ids(word))

    def pieces(self, text: str) -> list[Piece]:
        """Ids with their places in the text, ordered; the same ids as `encode`."""
        if self._is_plain(text):
            return self._plain_pieces(text)
        found: list[Piece] = []
        words = 0
        for special, start, end in self._stretches(text):
            if special is not None:
                found.append(Piece(special, start, end, words))
                words += 1
                continue
            cleaned = clean(text[start:end], self.reading.cleaning)
            place = None if cleaned.origin.is_identity else cleaned.origin.range
            reached = start
            for match in self._split.finditer(cleaned.text):
                offset = match.start()
                pieces = self._pieces[match.group()]
                for piece_id, at, upto, word in pieces:
                    at, upto = place(offset + at, offset + upto) if place else (offset + at, offset + upto)
                    reached = max(reached, at + start)
                    found.append(Piece(piece_id, reached, max(upto + start, reached), words + word))
                words += pieces[-1].word + 1 if pieces else 0
        return found

    def words(self, text: str) -> Words | None:
        """The words of a text; None where its pieces depend on more than their words: on a special token, or on what cleaning moved."""
        place = None
        if not self._is_plain(text):
            if self._literal is not None and self._literal.search(text):
                return None
            text, origin = clean(text, self.reading.cleaning)
            if not origin.is_identity:
                if not origin.in_order:
                    return None
                place = origin.range
        return Words(text, self._split, place, self._counts.__getitem__, self._pieces.__getitem__)

    def _is_plain(self, text: str) -> bool:
        """Whether words can be looked up as they are: printable ASCII without entities and literal special tokens."""
        return text.isascii() and text.isprintable() and "&" not in text and "<|" not in text and not (self._bang and "!" in text)

    def _plain_pieces(self, text: str) -> list[Piece]:
        found: list[Piece] = []
        words = 0
        for match in _WORD.finditer(text):
            offset, pieces = match.start(), self._pieces[match.group()]
            for piece_id, at, upto, word in pieces:
                found.append(_new_piece(Piece, (piece_id, offset + at, offset + upto, words + word)))
            words += pieces[-1].word + 1 if pieces else 0
        return found

    def _stretches(self, text: str) -> Iterator[tuple[int | None, int, int]]:
        """Literal special tokens as (id, start, end) and the text between them as (None, start, end)."""
        at = 0
        if self._literal is not None:
            for match in self._literal.finditer(text):
                if match.start() > at:
                    yield None, at, match.start()
                yield _HF_IDS.get(match.group().lower(), 0), match.start(), match.end()
                at = match.end()
        if at < len(text):
            yield None, at, len(text)

    def word_ids(self, word: str) -> tuple[int, ...]:
        """The ids of `word_pieces`, without the places that take most of its time."""
        if word.isascii():
            word = word.lower()
        if word.isascii():
            if word.isalpha():
                return self._ids_of(word)
            if word[-1:] in (",", ".") and (letters := word[:-1]).isalpha():
                return self._ids_of(letters) + self._ids_of(word[-1])
        ids: list[int] = []
        for start, end in self._pretokens(word):
            ids += self._ids_of(word[start:end])
        return tuple(ids)

    def _ids_of(self, pretoken: str) -> tuple[int, ...]:
        """Ids of a piece that is encoded on its own: `cat` is the same one in "cat", "cat," and "(cat:1.2)"."""
        known = self._pretoken_ids
        ids = known.get(pretoken)
        if ids is None:
            special = self._inner.get(pretoken)
            ids = self.vocabulary.encode_word(pretoken) if special is None else (special,)
            if len(pretoken) <= CACHED_WORD_LENGTH:
                if len(known) >= CACHED_WORDS:
                    known.clear()
                known[pretoken] = ids
        return ids

    def word_pieces(self, word: str) -> Sequence[Piece]:
        """Pieces of one white-space-separated word that has been cleaned (or needs none but for its case)."""
        if word.isascii():
            word = word.lower()
        found: list[Piece] = []
        number, was_text, previous_end = -1, False, -1
        for start, end in self._pretokens(word):
            pretoken = word[start:end]
            is_text = pretoken[0].isalnum() or (was_text and pretoken[0] == "'" and pretoken[-1].isalnum())
            if not (is_text and was_text and start == previous_end):
                number += 1
            was_text, previous_end = is_text, end
            ids = self._ids_of(pretoken)
            if len(ids) == 1:
                found.append(Piece(ids[0], start, end, number))
                continue
            found += [Piece(i, start + a, start + b, number) for i, a, b in self._places(pretoken, ids)]
        return found

    def _pretokens(self, word: str) -> Iterator[tuple[int, int]]:
        """Letters together, each number on its own, everything else together."""
        for match in self._pretoken.finditer(word):
            start, end = match.span()
            if not word[start].isalnum() or word[start:end].isalpha():
                if (
                    end - start > 4 and match.group() in _HF_IDS and not self._inner
                ):  # the fast build parts it from what is around, then cuts it up
                    yield from ((start, start + 2), (start + 2, end - 2), (end - 2, end))
                else:
                    yield start, end
                continue
            at = start
            for i in range(start, end):
                if not word[i].isalpha():
                    if at < i:
                        yield at, i
                    yield i, i + 1
                    at = i + 1
            if at < end:
                yield at, end

    def _places(self, pretoken: str, ids: tuple[int, ...]) -> Iterator[tuple[int, int, int]]:
        """Character range of each of several ids of a pre-token; ids of one character share its range."""
        length = self.vocabulary.byte_length
        if pretoken.isascii():
            at = 0
            for token_id in ids:
                upto = at + length(token_id)
                yield token_id, at, upto
                at = upto
            return
        owner = [i for i, char in enumerate(pretoken) for _ in char.encode("utf-8", "replace")]
        at = 0
        for token_id in ids:
            upto = at + length(token_id)
            yield token_id, owner[at], owner[upto - 1] + 1
            at = upto


@lru_cache(maxsize=32)
def tokenizer(reading: Reading, vocabulary: str = "clip") -> Tokenizer:
    """The tokenizer of a reading, made on first use and kept."""
    return Tokenizer(vocabulary, reading)


__all__ = ["Piece", "Pieces", "Reading", "ReadsText", "Token", "Tokenizer", "tokenizer"]
