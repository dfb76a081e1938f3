"""The CLIP vocabulary: 49,408 pieces out of 48,894 merges, and byte-pair encoding of one word.

The merges are OpenAI's (MIT, see data/LICENSE-clip-merges.txt). They are read on first use: a dictionary from "left right" to the id of
the merged piece, which takes about a tenth of the time of building `tokenizers.models.BPE` from them (benchmarks/vocabulary.py measures
both, and parsing a tokenizer.json). Very long words go to `tokenizers`, whose time grows as n log n. The file's checksum is verified
when the package is built and in the tests, not at each start.

    id 0..255        the 256 bytes, as printable characters ("!" is 0, "a" is 64)
    id 256..511      the same at the end of a word ("!</w>" is 256, "a</w>" is 320)
    id 512..49405    the merges in order ("in" is 512)
    id 49406, 49407  <|startoftext|>, <|endoftext|>

It leaves out how text becomes words: that is tokens.py.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from promptlens.errors import UnknownNameError, VocabularyError

END_OF_WORD = "</w>"
MERGES = 48_894
FIRST_MERGE = 512
SIZE = 49_408
START_ID, END_ID = 49_406, 49_407
START_TEXT, END_TEXT = "<|startoftext|>", "<|endoftext|>"

# From this many bytes on, the n log n merge of `tokenizers` (60 ms to load) beats the plain loop.
LONG_WORD_BYTES = 160
# After so many words it pays to make the table of pieces, in which two words of three are found whole.
MANY_WORDS = 1000


@dataclass(frozen=True, slots=True)
class VocabularyFile:
    """Row of `VOCABULARIES`: where the merges are and what they must be.

    `sha256` is that of the uncompressed merges, one "left right" a line, newline after each.
    """

    name: str
    file: str
    sha256: str
    source: str


VOCABULARIES: dict[str, VocabularyFile] = {
    v.name: v
    for v in (
        VocabularyFile(
            name="clip",
            file="clip-merges.txt.gz",
            sha256="d308b7377a8ceaa9707a21614fe8c831b9196e197b7aeb69833359362907af02",
            source="https://github.com/openai/CLIP clip/bpe_simple_vocab_16e6.txt.gz, lines 2 to 48,895",
        ),
    )
}


def byte_symbols() -> list[str]:
    """The printable character that stands for each byte 0..255 in a piece (OpenAI's GPT-2 table).

    >>> byte_symbols()[ord(" ")], byte_symbols()[0xE6]
    ('Ġ', 'æ')
    """
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    symbols = {b: chr(b) for b in printable}
    others = (b for b in range(256) if b not in symbols)
    symbols.update({b: chr(256 + n) for n, b in enumerate(others)})
    return [symbols[b] for b in range(256)]


def _base_pieces(symbols: Sequence[str]) -> list[str]:
    """Pieces 0..255 in id order: printable bytes first, then the rest."""
    order = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    rest = [b for b in range(256) if b not in set(order)]
    return [symbols[b] for b in order + rest]


class Vocabulary:
    """Byte-pair encoding of single words, and the pieces that ids stand for."""

    def __init__(self, merges: Sequence[str]) -> None:
        if len(merges) != MERGES:
            raise VocabularyError(f"The CLIP vocabulary has {MERGES} merges, this file has {len(merges)}. Reinstall promptlens.")
        self._merges = merges
        self._merged_id = dict(zip(merges, range(FIRST_MERGE, START_ID), strict=True))
        self._symbols = byte_symbols()
        base = _base_pieces(self._symbols)
        self._base = [*base, *(p + END_OF_WORD for p in base)]
        self._base_id = {piece: i for i, piece in enumerate(self._base)}
        self._piece_id: dict[str, int] | None = None  # made when first asked, or for many words: 10 ms
        self._until_pieces = MANY_WORDS
        self._long: Any = None

    def __len__(self) -> int:
        return SIZE

    def encode_word(self, word: str) -> tuple[int, ...]:
        """Ids of one word, which must be neither empty nor hold anything that would split it.

        >>> load("clip").encode_word("cat"), load("clip").encode_word("!!!")
        ((2368,), (995,))
        """
        if self._piece_id is None:
            self._until_pieces -= 1
            if not self._until_pieces:
                self._piece_id = self._piece_ids()
        elif word.isascii():  # a word that is a piece is never anything else
            whole = self._piece_id.get(word + END_OF_WORD)
            if whole is not None:
                return (whole,)
        symbols = self._symbols
        parts = [symbols[b] for b in word.encode("utf-8", "replace")]
        if len(parts) > LONG_WORD_BYTES:
            return self._encode_long("".join(parts))
        parts[-1] += END_OF_WORD
        merged_id = self._merged_id
        ids = [self._base_id[p] for p in parts]
        merges = [merged_id.get(f"{left} {right}", SIZE) for left, right in pairwise(parts)]  # of each part with the next one
        while merges and (best := min(merges)) < SIZE:
            at = merges.index(best)
            parts[at : at + 2] = [parts[at] + parts[at + 1]]
            ids[at : at + 2] = [best]
            del merges[at]
            for i in range(max(at - 1, 0), min(at + 1, len(merges))):
                merges[i] = merged_id.get(f"{parts[i]} {parts[i + 1]}", SIZE)
        return tuple(ids)

    def _encode_long(self, symbols: str) -> tuple[int, ...]:
        if self._long is None:
            self._long = self.as_tokenizers_model()
        return tuple(token.id for token in self._long.tokenize(symbols))

    def as_tokenizers_model(self) -> Any:
        """The same vocabulary as a `tokenizers.models.BPE` (which takes words in byte symbols)."""
        from tokenizers.models import BPE  # 15 ms, and 45 ms to build: only for words no one types

        vocab = {self.piece(i): i for i in range(SIZE)}
        merges = [(left, right) for left, right in (m.split(" ") for m in self._merges)]
        return BPE(vocab=vocab, merges=merges, end_of_word_suffix=END_OF_WORD, continuing_subword_prefix="", unk_token=END_TEXT)

    def piece(self, token_id: int) -> str:
        """The piece an id stands for, as the vocabulary writes it.

        >>> load("clip").piece(2368), load("clip").piece(49407)
        ('cat</w>', '<|endoftext|>')
        """
        if 0 <= token_id < FIRST_MERGE:
            return self._base[token_id]
        if FIRST_MERGE <= token_id < START_ID:
            return self._merges[token_id - FIRST_MERGE].replace(" ", "")
        if token_id == START_ID:
            return START_TEXT
        if token_id == END_ID:
            return END_TEXT
        raise VocabularyError(f"Token id {token_id} is not in the CLIP vocabulary (0 to {SIZE - 1}).")

    def find(self, piece: str) -> int | None:
        """Id of a piece as the vocabulary writes it, or None.

        >>> load("clip").find("cat</w>"), load("clip").find("no such piece")
        (2368, None)
        """
        if self._piece_id is None:
            self._piece_id = self._piece_ids()
        return self._piece_id.get(piece)

    def _piece_ids(self) -> dict[str, int]:
        joined = "\n".join(self._merges).replace(" ", "").split("\n")
        return {**self._base_id, **dict(zip(joined, range(FIRST_MERGE, START_ID), strict=True))}

    def byte_length(self, token_id: int) -> int:
        """UTF-8 bytes of the word that a piece covers."""
        if token_id < FIRST_MERGE:
            return 1
        return len(self.piece(token_id).removesuffix(END_OF_WORD))

    def decode(self, ids: Sequence[int]) -> str:
        """Text of ids as tokenizers print it: a blank after each word, undecodable bytes as U+FFFD.

        >>> load("clip").decode([320, 2368])
        'a cat'
        """
        back = {s: b for b, s in enumerate(self._symbols)}
        out = bytearray()
        for token_id in ids:
            piece = self.piece(token_id)
            if token_id >= START_ID:
                out += piece.encode()
                continue
            word = piece.removesuffix(END_OF_WORD)
            out += bytes(back[s] for s in word)
            if word != piece:
                out += b" "
        return out.decode("utf-8", "replace").strip()


@lru_cache(maxsize=4)
def load(name: str = "clip") -> Vocabulary:
    """The vocabulary of that name, read once per process (15 ms).

    Raises `UnknownNameError` for a name that is not in `VOCABULARIES`, `VocabularyError` for a damaged file.
    """
    try:
        row = VOCABULARIES[name]
    except KeyError:
        raise UnknownNameError("vocabulary", name, VOCABULARIES) from None
    return Vocabulary(merges_text(row).split("\n")[:-1])


def merges_text(row: VocabularyFile) -> str:
    """The uncompressed merges file of a row."""
    path = Path(__file__).parent / "data" / row.file
    try:
        return zlib.decompress(path.read_bytes(), wbits=31).decode("utf-8")
    except (OSError, zlib.error) as e:
        raise VocabularyError(f"The vocabulary file {row.file} of the package cannot be read ({e}). Reinstall promptlens.") from e
