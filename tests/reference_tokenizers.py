r"""Tokenizer references that know nothing of the package.

`fast` is a tokenizer of the `tokenizers` library put together as transformers 5 puts CLIP's together. The Python builds are spelt out
character by character: what BasicTokenizer, ftfy and html.unescape do to text, then CLIP's pattern
`'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+` walked by Unicode category. All merge with the test's own vocabulary.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

import ftfy
from reference_vocabulary import encoded, reference
from tokenizers import AddedToken, Regex
from tokenizers import Tokenizer as RustTokenizer
from tokenizers.normalizers import NFC, Lowercase, Replace, Sequence
from tokenizers.pre_tokenizers import ByteLevel, Split
from tokenizers.pre_tokenizers import Sequence as PreSequence

from promptlens.tokens import Reading

START, END = "<|startoftext|>", "<|endoftext|>"

# --- the fast build ---


@lru_cache(maxsize=4)
def rust(bang: bool, fold: bool) -> RustTokenizer:
    built = RustTokenizer(reference()[1])
    built.normalizer = Sequence([NFC(), Replace(Regex(r"\s+"), " "), Lowercase()])
    pattern = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
    built.pre_tokenizer = PreSequence([Split(Regex(pattern), "removed", invert=True), ByteLevel(add_prefix_space=False)])
    # a special token that is looked for in the normalised text is found in any case
    built.add_special_tokens([AddedToken(t, normalized=fold) for t in (START, END)] + [AddedToken("!", normalized=fold)] * bang)
    return built


# --- the Python builds ---


def basic(text: str) -> str:
    """BasicTokenizer: controls removed, ideographs set apart, NFC, lower case."""
    out = ""
    for char in text:
        if char in "\t\n\r" or unicodedata.category(char) == "Zs":
            out += " "
        elif char in "\0\ufffd" or unicodedata.category(char)[0] == "C":
            continue
        elif unicodedata.name(char, "").startswith(("CJK UNIFIED IDEOGRAPH", "CJK COMPATIBILITY IDEOGRAPH")):
            out += f" {char} "
        else:
            out += char
    return " ".join(word.lower() for word in unicodedata.normalize("NFC", out).split())


def fixed(text: str) -> str:
    return ftfy.fix_text(text).lower()


def unescaped(text: str) -> str:
    return html.unescape(html.unescape(ftfy.fix_text(text))).strip().lower()


CLEANERS = {"slow": basic, "slow-ftfy": fixed, "open_clip": unescaped}
OPEN_CLIP_SPECIALS = {"<start_of_text>": 49406, "<end_of_text>": 49407}
HF_SPECIALS = {START: 49406, END: 49407}


def kind(char: str) -> str:
    category = unicodedata.category(char)[0]
    return category if category in "LN" else "other"


def pretokens(word: str, specials: dict[str, int]) -> Iterator[str]:
    """The pattern walked by hand over a lower-case word. Ignoring case, it takes a long s for an s."""
    at, folded = 0, word.replace("ſ", "s")
    while at < len(word):
        special = next((s for s in specials if word.startswith(s, at)), None)
        ending = next((c for c in ("'s", "'t", "'re", "'ve", "'m", "'ll", "'d") if folded.startswith(c, at)), None)
        upto = at + len(special or ending or word[at])
        if not special and not ending and kind(word[at]) != "N":
            while upto < len(word) and kind(word[upto]) == kind(word[at]):
                upto += 1
        yield word[at:upto]
        at = upto


def spelt_out(text: str, build: str, *, bang: bool = False) -> list[int]:
    specials = OPEN_CLIP_SPECIALS if build == "open_clip" else HF_SPECIALS
    parts = [text]
    if build != "open_clip":  # the specials are split out first, as they are written
        parts = re.split("(" + "|".join(map(re.escape, [*specials, *["!"] * bang])) + ")", text)
    ids: list[int] = []
    for part in parts:
        if build != "open_clip" and part in {*specials, *["!"] * bang}:
            ids.append(specials.get(part, 0))
            continue
        for word in CLEANERS[build](part).split():
            for pretoken in pretokens(word, specials):
                ids += [specials[pretoken]] if pretoken in specials else encoded(pretoken)
    return ids


def expected(text: str, reading: Reading) -> list[int]:
    """Ids of a text as the build of that reading gives them."""
    if reading.cleaning == "fast":
        return list(rust(reading.bang, reading.fold).encode(text, add_special_tokens=False).ids)
    return spelt_out(text, reading.cleaning, bang=reading.bang)
