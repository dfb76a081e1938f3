"""T5's tokenizer: text to ids of a SentencePiece vocabulary, with the place of every token in the user's text.

The vocabulary (32,100 pieces, 2 MB) is not the package's: t5_files.py finds it. `tokenizers` finds the ids; its offsets go wrong where
normalisation takes characters out, so places are worked out here:

    "shiba inu"   ▁ shi b a ▁in u     the first ▁ shares the span of "shi"; "▁in" is "in", without its blank
    "ﬁne ½"       ▁fine ▁1 <unk> 2    the last three share the span of "½"

Pieces that the vocabulary lacks (emoji, CJK, many accents) become one `<unk>` for as many as stand together: T5 sees that something is
there, and nothing else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

from promptlens.errors import VocabularyError
from promptlens.spans import clusters
from promptlens.tokens import Piece

WORD_START = "▁"
PAD_ID, END_ID, UNKNOWN_ID = 0, 1, 2
WAY_OUT = "Name the tokenizer.json of FLUX.1 or SD3 with --tokenizer FILE, or fetch it: promptlens encoders pull t5-xxl"

# Which transformers reads the file. 4 uses it as it is; 5 puts its own rules of blanks and of what is cut apart in the place of the file's.
Build = Literal["4", "5"]

CACHED_CLUSTERS = 65_536
_LONE = re.compile("[\ud800-\udfff]")
# Steps of a normaliser that only move blanks, which places leave out anyway.
_ABOUT_BLANKS = frozenset({"Strip", "Replace", "Prepend"})


class UnigramVocabulary:
    """The pieces that ids stand for."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend

    def __len__(self) -> int:
        return int(self._backend.get_vocab_size())

    def piece(self, token_id: int) -> str:
        """The piece an id stands for, as the vocabulary writes it: "▁cat"."""
        found = self._backend.id_to_token(token_id)
        if found is None:
            raise VocabularyError(f"Token id {token_id} is not in the T5 vocabulary (0 to {len(self) - 1}).")
        return str(found)

    def find(self, piece: str) -> int | None:
        """Id of a piece as the vocabulary writes it, or None."""
        found: int | None = self._backend.token_to_id(piece)
        return found

    def decode(self, ids: Sequence[int]) -> str:
        """Text of ids as tokenizers print it."""
        return str(self._backend.decode(list(ids), skip_special_tokens=False))


class UnigramTokenizer:
    """A T5 tokenizer read from a tokenizer.json. It holds caches and nothing that changes an answer."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend
        self.vocabulary = UnigramVocabulary(backend)
        self._special = frozenset(token.content for token in backend.get_added_tokens_decoder().values() if token.special)
        self._literal = re.compile("|".join(map(re.escape, sorted(self._special, key=len, reverse=True))))

    @cached_property
    def _normal(self) -> _Normal:
        return _Normal(self._backend)

    def encode(self, text: str) -> list[int]:
        """Ids of a text, without the end token."""
        return list(self._encoding(text).ids)

    def count(self, text: str) -> int:
        """Number of ids of a text."""
        return len(self._encoding(text).ids)

    def pieces(self, text: str) -> list[Piece]:
        """Ids with their places in the text, ordered; the same ids as `encode`."""
        found = self._encoding(text)
        special = [token in self._special for token in found.tokens]  # an unknown piece is there as the text it is
        ranges = _ranges(self._sources(text), found.tokens, special)
        return list(_with_words(text, found.ids, found.tokens, ranges, special))

    def _encoding(self, text: str) -> Any:
        return self._backend.encode(_LONE.sub("\ufffd", text), add_special_tokens=False)

    def _sources(self, text: str) -> list[_Source]:
        """Every character of the normalised text, with the range of the text it was made of; literal special tokens stay as they are."""
        found: list[_Source] = []
        at = 0
        for match in [*self._literal.finditer(text), None]:
            found += self._normalised(text[at : match.start() if match else len(text)], at)
            if match:
                found += [_Source(text[i], i, i + 1) for i in range(*match.span())]
                at = match.end()
        return found

    def _normalised(self, text: str, shift: int) -> Iterator[_Source]:
        normal = self._normal
        spans: Iterable[tuple[int, int]] = zip(range(len(text)), range(1, len(text) + 1), strict=True)
        if not text.isascii():
            spans = ((span.start, span.end) for span in clusters(text))
        for start, end in spans:
            whole = normal[text[start:end]]
            if end - start == 1 or "".join(normal[char] for char in text[start:end]) != whole:
                yield from (_Source(char, start + shift, end + shift) for char in whole)
            else:
                yield from (_Source(char, at + shift, at + shift + 1) for at in range(start, end) for char in normal[text[at]])


class _Normal(dict[str, str]):
    """What the vocabulary's normaliser makes of a character, or of one with its marks. It is kept; blanks stay as they are."""

    def __init__(self, backend: Any) -> None:
        super().__init__()
        from tokenizers import normalizers

        steps = _steps(json.loads(backend.normalizer.__getstate__())) if backend.normalizer else []
        state = {"type": "Sequence", "normalizers": [step for step in steps if step["type"] not in _ABOUT_BLANKS]}
        self.rule: Any = normalizers.Sequence([])
        self.rule.__setstate__(json.dumps(state).encode())

    def __missing__(self, cluster: str) -> str:
        if len(self) >= CACHED_CLUSTERS:
            self.clear()
        found = self[cluster] = str(self.rule.normalize_str(_LONE.sub("\ufffd", cluster)))
        return found


def _steps(state: dict[str, Any]) -> list[dict[str, Any]]:
    """The normalisers that a normaliser is made of, in order."""
    return [step for part in state["normalizers"] for step in _steps(part)] if state["type"] == "Sequence" else [state]


class _Source(NamedTuple):
    """A normalised character, and where it came from."""

    char: str
    start: int
    end: int

    @property
    def is_blank(self) -> bool:
        return self.char.isspace() or self.char == WORD_START


Ranges = Sequence[tuple[int, int]]


def _ranges(sources: Sequence[_Source], tokens: Sequence[str], special: Sequence[bool]) -> Ranges:
    """The place of each token. The characters of all tokens without their ▁ are the normalised text without its blanks, one by one.

    A lone ▁ stands where the piece stands that it begins; before a special token, or at the end, on the blank it is.
    """
    found: list[tuple[int, int]] = []
    lone: list[int] = []
    at = 0
    for n, token in enumerate(tokens):
        mine: list[_Source] = []
        for char in token.replace(WORD_START, ""):
            while at < len(sources) - 1 and sources[at].char != char and sources[at].is_blank:
                at += 1
            mine.append(sources[at])
            at = min(at + 1, len(sources) - 1)
        if not mine:
            lone.append(n)
            mine = [sources[at]]
        found.append((mine[0].start, mine[-1].end))
    for n in reversed(lone):
        if n + 1 < len(found) and not special[n + 1]:
            found[n] = found[n + 1]
    return found


def _with_words(text: str, ids: Sequence[int], tokens: Sequence[str], ranges: Ranges, special: Sequence[bool]) -> Iterator[Piece]:
    """The pieces in order. A word begins at a ▁, at and after a special token, and where letters and other signs meet."""
    word, was_text, goes_on = -1, False, False
    low = high = 0
    for token_id, token, (start, end), is_special in zip(ids, tokens, ranges, special, strict=True):
        low, high = max(low, start), max(high, end)
        is_text = any(map(str.isalnum, text[low:high]))
        if not goes_on or is_special or token.startswith(WORD_START) or is_text != was_text:
            word += 1
        yield Piece(token_id, low, high, word)
        was_text, goes_on = is_text, not is_special


@lru_cache(maxsize=4)
def load_tokenizer(file: Path, build: Build = "4") -> UnigramTokenizer:
    """The T5 tokenizer in a tokenizer.json (0.1 s), read once per process. Raises `VocabularyError` for a file that holds no such thing."""
    from tokenizers import Tokenizer, pre_tokenizers  # 20 ms: only for models with T5

    try:
        backend: Any = Tokenizer.from_file(str(file))
    except Exception as e:  # the library raises nothing more special, for missing files and for broken ones
        raise VocabularyError(f"{file} is not a tokenizer.json that can be read ({e}). {WAY_OUT}") from None
    if (backend.token_to_id("<pad>"), backend.token_to_id("</s>"), backend.token_to_id("<unk>")) != (PAD_ID, END_ID, UNKNOWN_ID):
        raise VocabularyError(f"{file} is the vocabulary of something other than T5: <pad>, </s> and <unk> are not 0, 1 and 2. {WAY_OUT}")
    backend.no_truncation()
    backend.no_padding()
    if build == "5":
        parts = [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(replacement=WORD_START, prepend_scheme="always")]
        backend.pre_tokenizer = pre_tokenizers.Sequence(parts)
        backend.normalizer = _Normal(backend).rule
    return UnigramTokenizer(backend)
