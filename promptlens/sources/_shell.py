"""Words of a command line as `shlex.split` reads them, joined by one space each: what A1111's prompts-from-file makes of an option's value.

words(line)     each word with the range of the line it stands in
CODEC           raw: a part of the line with whole words
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from promptlens.sources._codec import Codec, Decoded
from promptlens.sources._document import UNDECODABLE
from promptlens.spans import Origin, Run

_SPACE = " \t\r\n"  # shlex splits at these only


@dataclass(frozen=True, slots=True)
class Word:
    """A word and where it stands in the line; `chars` are the ranges that each of its characters comes from."""

    text: str
    start: int
    end: int
    chars: tuple[tuple[int, int], ...]


def words(line: str) -> Iterator[Word]:
    """The words of a line; raises `ValueError` where `shlex.split` does: a quote that is not closed, a backslash at the end."""
    at, size = 0, len(line)
    while True:
        while at < size and line[at] in _SPACE:
            at += 1
        if at >= size:
            return
        start, text, chars, quote = at, [], list[tuple[int, int]](), ""
        while at < size and (quote or line[at] not in _SPACE):
            char = line[at]
            if quote and char == quote:
                quote = ""
            elif not quote and char in "'\"":
                quote = char
            elif char == "\\" and quote != "'":
                if at + 1 >= size:
                    raise ValueError("No escaped character")
                escaped = line[at + 1]
                if quote and escaped not in ('"', "\\"):
                    text.append("\\")
                    chars.append((at, at + 1))
                    at += 1
                    continue
                text.append(escaped)
                chars.append((at, at + 2))
                at += 1
            elif not "\udc80" <= char <= "\udcff":  # a byte that is not UTF-8
                text.append(char)
                chars.append((at, at + 1))
            at += 1
        if quote:
            raise ValueError("No closing quotation")
        yield Word("".join(text), start, at, tuple(chars))


def _decode(raw: str, context: str) -> Decoded:
    parts: list[str] = []
    runs: list[Run] = []
    length, before = 0, 0
    for number, word in enumerate(words(raw)):
        if number:
            parts.append(" ")
            runs.append(Run(length, length + 1, before, word.start))
            length += 1
        for offset, (start, end) in enumerate(word.chars):
            last = runs[-1] if runs else None
            here = length + offset
            if last and last.upto == here and last.end == start and end - start == 1 and last.upto - last.at == last.end - last.start:
                runs[-1] = Run(last.at, here + 1, last.start, end)
            else:
                runs.append(Run(here, here + 1, start, end))
        parts.append(word.text)
        length += len(word.text)
        before = word.end
    return "".join(parts), Origin(runs or [Run(0, 0, 1, 1)])


def _check(raw: str, context: str) -> str:
    found = shlex.split(UNDECODABLE.sub("", raw))
    if not found or "\n" in raw or raw != raw.strip() or len(raw.splitlines()) > 1:
        raise ValueError("not the words of one line")
    if any(word.startswith("--") for word in found[1:]):
        raise ValueError("a word would be taken for an option")
    return " ".join(found)


_SPECIAL = re.compile(r"[\"\\]")


def _escape(text: str, raw: str, context: str) -> str:
    return _SPECIAL.sub(lambda m: "\\" + m[0], text)


def _encode(text: str, raw: str, context: str) -> str:
    return f'"{_escape(text, raw, context)}"'


CODEC = Codec(_decode, _escape, _encode, _check)
