"""CLIP's vocabulary built from the shipped merges without a line of the package: what the package's own is compared with."""

from __future__ import annotations

import gzip
from functools import lru_cache
from pathlib import Path

from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel

import promptlens

MERGES = Path(promptlens.__file__).parent / "data" / "clip-merges.txt.gz"


@lru_cache(maxsize=1)
def shipped() -> bytes:
    return gzip.decompress(MERGES.read_bytes())


def symbols(word: str) -> str:
    """The word's bytes as the printable characters that pieces are written with, by `tokenizers`."""
    return "".join(part for part, _ in ByteLevel(add_prefix_space=False, use_regex=False).pre_tokenize_str(word))


@lru_cache(maxsize=1)
def reference() -> tuple[dict[str, int], BPE]:
    """Ids by piece, numbered as OpenAI's `simple_tokenizer.py` does, and a byte-pair encoder over them."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    letters = [chr(b) for b in printable] + [chr(256 + n) for n in range(256 - len(printable))]
    merges = [(left, right) for left, right in (line.split(" ") for line in shipped().decode().splitlines())]
    pieces = [*letters, *(c + "</w>" for c in letters), *(left + right for left, right in merges), "<|startoftext|>", "<|endoftext|>"]
    ids = {piece: i for i, piece in enumerate(pieces)}
    return ids, BPE(vocab=ids, merges=merges, end_of_word_suffix="</w>", continuing_subword_prefix="", unk_token="<|endoftext|>")


def encoded(word: str) -> list[int]:
    """Ids of one word."""
    return [token.id for token in reference()[1].tokenize(symbols(word))]
