"""Separators tidied: no empty tags between commas, one blank where there were several, none before a comma.

Line breaks stay, and so do blanks and commas at the ends of the prompt, where a style is joined to other text. What may be more than
text (JSON, choices, quoted members, names) is left as it is.
"""

from __future__ import annotations

import re

from promptlens.report import Usage

_EMPTY_TAGS = re.compile(r"(?<=\S),[ \t]*(?:,[ \t]*)+(?=\S)")
_BLANKS = re.compile(r"(?<=\S)[ \t]{2,}(?=\S)")
_BEFORE_COMMA = re.compile(r"(?<=[^\s,])[ \t]+(?=,)")
_MORE_THAN_TEXT = re.compile(r"[{}\"<>\\#]|__|\[\[|//")


def tidied(usage: Usage) -> str:
    """The prompt with its separators tidied.

    >>> tidied(analyze("a cat ,, a  dog").usage)
    'a cat, a dog'
    """
    text = usage.prompt
    if _MORE_THAN_TEXT.search(text):
        return text
    text = _BEFORE_COMMA.sub("", text)
    text = _EMPTY_TAGS.sub(", ", text)
    return _BLANKS.sub(" ", text)
