"""Characters that are not what they seem: invisible, control, broken, full-width, look-alike.

What is found is only a suspicion: whether it changes the tokens, the rule asks the tokenizers.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from promptlens.spans import Span

# White space and printable ASCII apart, what may be odd. Joiners belong to emoji and to scripts that need them (see `_joins`).
_CONTROL = r"\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"
_INVISIBLE = "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb"
_TAGS = "\U000e0000-\U000e01ef"
_WIDE = "\uff01-\uff5e\u3000"
_APOSTROPHES = "’‘ʼ＇"
_CANDIDATES = re.compile(
    f"[{_CONTROL}{_INVISIBLE}{_TAGS}{_WIDE}{_APOSTROPHES}\ufffd\u0370-\u052f]|[\u00c2-\u00c5\u00ce-\u00cf\u00d0-\u00d1\u00e2\u00f0]"
)
_PIECES = re.compile(f"[{_CONTROL}{_INVISIBLE}{_TAGS}]+|(?<=[^\\W\\d_])[{_APOSTROPHES}](?=[^\\W\\d_])|[{_WIDE}]+|\ufffd+")
_UNSEEN = re.compile(f"[{_CONTROL}{_INVISIBLE}{_TAGS}]+")
_WORD = re.compile(r"\S+")
_IDEOGRAPH = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
_LATIN = re.compile("[A-Za-z]")

# Cyrillic and Greek letters that look like Latin ones.
_LOOK_ALIKE = str.maketrans(
    "АВЕЅІЈКМНОРСТХҮавеѕіјкорсухһԁԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧαεικνορυχ",
    "ABESIJKMHOPCTXYabesijkopcyxhdqwABEZHIKMNOPTYXaeikvopux",
)


class Odd(NamedTuple):
    """Odd characters at `span`, within the word `word`; `instead` is what they stand for, None where nobody can say."""

    span: Span
    word: Span
    what: str
    instead: str | None


def odd_characters(text: str) -> Iterator[Odd]:
    """Every suspicion, by place; none overlap."""
    if not _CANDIDATES.search(text):
        return
    for match in _WORD.finditer(text):
        word = match.group()
        if not word.isascii() or not word.isprintable():
            yield from _in_word(word, match.start(), Span(*match.span()))


def _in_word(word: str, at: int, span: Span) -> Iterator[Odd]:
    """The odd pieces of a word, or the word as a whole where all of it must be written anew."""
    broken = _repaired(word)
    if broken is not None:
        yield Odd(span, span, "text in a wrong encoding", _mended(broken))
        return
    alike = _mended(word)
    if alike.isascii() and alike != _without_pieces(word) and _LATIN.search(word):
        yield Odd(span, span, "letters of another script that look like Latin ones", alike)
        return
    for match in _PIECES.finditer(word):
        what, instead = _meant(word, match)
        if what:
            yield Odd(Span(at + match.start(), at + match.end()), span, what, instead)


def _meant(word: str, piece: re.Match[str]) -> tuple[str, str | None]:
    """What an odd piece is called ("" for one that is as it should be), and what stands for it."""
    found = piece.group()
    if found[0] == "\ufffd":
        return "the mark of a lost character", None
    if _UNSEEN.fullmatch(found):
        return ("", found) if _joins(word, *piece.span()) else (_named(found), "")
    if found in _APOSTROPHES:
        return "a curly apostrophe", "'"
    if _IDEOGRAPH.search(word):  # full-width signs are the usual ones there
        return "", found
    return "full-width characters", unicodedata.normalize("NFKC", found)


def _without_pieces(word: str) -> str:
    """The word with every odd piece of it as it was meant."""

    def meant(piece: re.Match[str]) -> str:
        instead = _meant(word, piece)[1]
        return piece.group() if instead is None else instead

    return _PIECES.sub(meant, word)


def _mended(word: str) -> str:
    """The word without odd pieces, and with Latin letters for their look-alikes where that makes it plain."""
    plain = _without_pieces(word)
    alike = plain.translate(_LOOK_ALIKE)
    return alike if alike.isascii() and _LATIN.search(plain) else plain


def _named(found: str) -> str:
    """What an invisible character is called."""
    names = {"\ufeff": "a byte order mark", "\u00ad": "a soft hyphen", "\u200b": "a zero-width space"}
    kind = "a control character" if unicodedata.category(found[0]) == "Cc" else "an invisible character"
    return names.get(found[0]) or f"{kind} (U+{ord(found[0]):04X})"


def _joins(word: str, start: int, end: int) -> bool:
    """Joiners and variation selectors between characters that need them: emoji, Arabic, Indic scripts."""
    if not all(char in "\u200c\u200d\ufe0e\ufe0f" or char >= "\U000e0020" for char in word[start:end]):
        return False
    before = word[start - 1 : start]
    return before > "\u2000" or (bool(before) and unicodedata.category(before) in ("Lo", "Mn", "Mc"))


def _repaired(word: str) -> str | None:
    """A word whose UTF-8 was read as something else, as it was; None for all others."""
    if not re.search("[\u00c2-\u00c5\u00ce-\u00d1\u00e2\u00f0][\u0080-\u00bf\u0152-\u0192\u02c6-\u02dc\u2010-\u203a\u20ac\u2122]", word):
        return None
    import ftfy  # 30 ms: only for text that looks broken

    fixed = ftfy.fix_encoding(word)
    return fixed if fixed != word else None
