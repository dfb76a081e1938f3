"""Taking a word or a tag out of a prompt, with the separators that only it needed.

    a word       goes with the blanks before it (at the start of the prompt: after it)
    a whole tag  goes with one comma, the one before it where there is one: "a, cat, b" becomes "a, b"
    brackets     that would be left empty go too: "a (red:1.2) cat" becomes "a cat"; brackets that the host reads as words stay

So a word that is alone between two commas takes one comma along: what is measured is the prompt a person would write without it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from promptlens.rules._tags import beside, deletion
from promptlens.spans import Span

_SEPARATORS = (",", "，", "、", "\n", "")
# What may stand between a word and its closing bracket, and behind that in compel's syntax.
_CLOSING = re.compile(r"[ \t]*(?::[ \t]*[+-]?[\d.]*[ \t]*)?[)\]](?:[+-]+|[\d.]+)?")
_OPENING = re.compile(r"[(\[][ \t]*$")


def removed_span(text: str, span: Span, covered: Iterable[Span]) -> Span:
    """What to delete of the prompt to take `span` out; `covered` are the spans of all tokens, which are never syntax.

    >>> text = "a (red:1.2) cat, dog"
    >>> removed_span(text, Span(3, 6), [Span(0, 1), Span(3, 6), Span(12, 15), Span(15, 16), Span(17, 20)]).of(text)
    ' (red:1.2)'
    """
    read = {place for token in covered for place in range(token.start, token.end)}
    span = _with_brackets(text, span, read)
    before, after = beside(text, span.start, span.end)
    if before in _SEPARATORS and after in _SEPARATORS:
        return deletion(text, span.start, span.end)
    return _with_blanks(text, span)


def without(text: str, span: Span) -> str:
    return text[: span.start] + text[span.end :]


def _with_brackets(text: str, span: Span, read: set[int]) -> Span:
    """The span with the brackets around it, if it is all they hold and no token comes of them."""
    while True:
        opening, closing = _OPENING.search(text, 0, span.start), _CLOSING.match(text, span.end)
        if opening is None or closing is None:
            return span
        if read & {*range(opening.start(), span.start), *range(span.end, closing.end())}:
            return span
        span = Span(opening.start(), closing.end())


def _with_blanks(text: str, span: Span) -> Span:
    """A word inside a tag: the blanks on one side of it go, unless it touches other letters."""
    left, right = span.start, span.end
    while left and text[left - 1] in " \t":
        left -= 1
    while right < len(text) and text[right] in " \t":
        right += 1
    if left == 0:
        return Span(0, right)
    if left < span.start and (right > span.end or right == len(text) or not text[right].isalnum()):
        return Span(left, span.end)
    return span
