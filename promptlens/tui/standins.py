r"""What the editor holds in place of characters that must not reach a terminal: one private character for each, and the way back.

A prompt may hold an escape, a tab, U+202E or half of a surrogate pair. Drawn as they are they would steer the screen, and the editor's
document would take some for line ends. So the document holds a private-use character of plane 16 instead, one cell wide and drawn as a
sign; a private-use character that the user typed is itself replaced, so nothing is ever mixed up.

>>> to_prompt(to_document("a\x1b[31m")) == "a\x1b[31m"
True
"""

from __future__ import annotations

import re

_FIRST, _LAST = 0x100000, 0x10FFFD

# Controls but the line feed, soft hyphen, direction marks, invisible operators, lone surrogates, and the stand-ins themselves. Joiners and
# variation selectors stay: emoji are made with them.
_ODD = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U00100000-\U0010fffd]"
)
_STANDIN = re.compile("[\U00100000-\U0010fffd]")

_standins: dict[str, str] = {}
_originals: dict[str, str] = {}


def to_document(text: str) -> str:
    """The text with stand-ins; as long as before."""
    return _ODD.sub(_standin, text)


def to_prompt(text: str) -> str:
    """The text without stand-ins."""
    return _STANDIN.sub(_original, text) if not text.isascii() else text


def typed(text: str) -> str:
    r"""What was typed or pasted, ready for the document; terminals send `\r` for a line break."""
    return to_document(text.replace("\r\n", "\n").replace("\r", "\n"))


def sign(char: str) -> str:
    r"""The one-cell sign that is drawn for a stand-in.

    >>> sign(to_document("\t")), sign(to_document("\x1b"))
    ('→', '␛')
    """
    original = _originals.get(char, char)
    if original == "\t":
        return "→"
    if original < " ":
        return chr(0x2400 + ord(original))
    return "␡" if original == "\x7f" else "¤"


def is_standin(char: str) -> bool:
    return _FIRST <= ord(char) <= _LAST


def _standin(match: re.Match[str]) -> str:
    char = match[0]
    found = _standins.get(char)
    if found is None:
        found = chr(_FIRST + len(_standins))
        _standins[char] = found
        _originals[found] = char
    return found


def _original(match: re.Match[str]) -> str:
    return _originals.get(match[0], match[0])
