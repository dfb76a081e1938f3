"""TB402: a few letters that take many tokens."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from promptlens.report import Edit, Usage
from promptlens.rules import Example, Hit, RuleSettings, rule
from promptlens.rules._brackets import readable
from promptlens.rules._needs import Needs
from promptlens.rules._words import many, shown
from promptlens.spans import Span, characters

_COSTLY = re.compile(r"[^\x00-\x7f]|\d{5}|_")
_LONG_NUMBER = re.compile(r"\d\d{4}")  # written so, it is looked for by its first digit
_DIGITS = re.compile(r"\d{5,}", re.ASCII)
# Underscores between words. Faces (`o_o`), scores (`score_9`), names of wildcards, embeddings and networks are written with them.
_UNDERSCORED = re.compile(r"(?<![\w:/.-])(?!score_\d)[A-Za-z0-9]{2,}(?:_[A-Za-z0-9]+)+(?![\w/.-])")
_NAMES = re.compile(r"<[^<>\n]*>|__[^\n]+?__|embedding:\S+")
# A prompt of models that read JSON: its names of fields are written with underscores.
_JSON = re.compile(r"\s*[{\[]\s*[\[{\"]")
_WORD = re.compile(r"\S+")


_DIGIT = "each digit is a token"
_SIGNS = "\"'.,:;!?()[]{}<>|&*-"


class _Piece(NamedTuple):
    """A costly stretch: `why` tells what makes it so."""

    span: Span
    tokens: int
    letters: int
    why: str
    edit: Edit | None = None


@rule(
    "TB402",
    "costly-piece",
    "info",
    summary="a piece that costs many tokens for few letters",
    why="The encoder's vocabulary was made from English. An emoji, a word in another script or a long number is spelt out byte by"
    " byte or digit by digit, and each underscore is a token of its own. Such a piece takes places from the words around it, "
    "and the model knows little of what it means. Pieces of at least four tokens (costly_tokens) are told, and underscores "
    "between words.",
    wrong=Example("a cat \U0001f468\u200d\U0001f469\u200d\U0001f467 in tokyo"),
    right=Example("a cat and its family in tokyo"),
    needs=lambda settings, room: Needs(_COSTLY.pattern),
)
def costly_piece(usage: Usage, settings: RuleSettings) -> Iterator[Hit]:
    if usage.prompt.isascii() and "_" not in usage.prompt and not _LONG_NUMBER.search(usage.prompt):
        return
    text = readable(usage)
    for span, tokens, letters, why, edit in _pieces(usage, text, settings.costly_tokens):
        hint = (
            "Write blanks instead."
            if edit
            else "Leave it out or shorten it."
            if why == _DIGIT
            else "Say it in English words, or leave it out."
        )
        yield Hit(
            span,
            f"{shown(span.of(usage.prompt), 30)} takes {many(tokens, 'token')} for {many(letters, 'character')}: {why}",
            hint,
            edit,
            tokens,
        )


def _pieces(usage: Usage, text: str, most: int) -> Iterator[_Piece]:
    stream = usage.lines[0].encoders[0].stream
    if stream is None:
        return
    count = stream.tokenizer.count
    names = [match.span() for match in _NAMES.finditer(text)]
    for match in _UNDERSCORED.finditer(text) if "_" in text and not _JSON.match(text) else ():
        start, end = match.span()
        tokens, blanks = count(match.group()), match.group().replace("_", " ")
        if tokens > count(blanks) and not any(a < end and start < b for a, b in names):
            # Not safe: some models were trained on tags with underscores.
            yield _Piece(Span(start, end), tokens, end - start, "each underscore is a token", Edit(Span(start, end), blanks, safe=False))
    for match in _DIGITS.finditer(text):
        tokens = count(match.group())
        if tokens >= most:
            yield _Piece(Span(*match.span()), tokens, len(match.group()), _DIGIT)
    if not text.isascii():
        yield from _foreign(text, count, most)


def _foreign(text: str, count: Callable[[str], int], most: int) -> Iterator[_Piece]:
    """Words beyond ASCII that take at least as many tokens as they have characters, neighbours together."""
    run: _Piece | None = None
    for match in _WORD.finditer(text):
        word = match.group().strip(_SIGNS)  # of "日本," the comma costs what it costs anywhere
        start = match.start() + match.group().find(word)
        end = start + len(word)
        length = 0 if word.isascii() else _length(word)
        tokens = count(word) if length else 0
        if length and tokens >= length:
            known = run or _Piece(Span(start, start), 0, 0, "the vocabulary spells it out")
            run = known._replace(span=Span(known.span.start, end), tokens=known.tokens + tokens, letters=known.letters + length)
        elif run is not None:
            if run.tokens >= most:
                yield run
            run = None
    if run is not None and run.tokens >= most:
        yield run


def _length(word: str) -> int:
    """Characters of a word as a reader counts them; 0 for a word that is mostly ASCII."""
    ascii_letters = len(word.encode("ascii", "ignore"))
    if ascii_letters > 2 * (len(word) - ascii_letters):  # no character has two of them
        return 0
    found = characters(word)
    return len(found) if sum(not c.isascii() for c in found) * 2 >= len(found) else 0
