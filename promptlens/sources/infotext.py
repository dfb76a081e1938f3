"""Infotext: what AUTOMATIC1111, Forge and Fooocus write beside and into their pictures.

    a cat                                       lines of the prompt
    Negative prompt: a dog                      and of the negative one, to the last line
    Steps: 20, Sampler: Euler a, Seed: 1        which holds the settings when at least three can be read in it

Each line is read without the white space around it. Read in Forge, modules/infotext_utils.py, parse_generation_parameters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePath

from promptlens.sources._document import Document
from promptlens.sources._format import Format, Head, ReadSettings
from promptlens.sources._prompt import Item, Role, Text, prompt_at

NEGATIVE = "Negative prompt:"
LEAST_SETTINGS = 3
_SETTING = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')
_LAST = re.compile(r"Steps: \d+")
LONGEST_SETTINGS = 8 * 1024  # of a longer last line only the beginning is searched: the pattern takes quadratic time on hostile text


def _detects(path: PurePath, head: Head) -> bool:
    text = head.text.strip()
    if not head.whole:
        return f"\n{NEGATIVE}" in text
    last = text.rpartition("\n")[2]
    return bool(_LAST.search(last)) and is_settings(last)


def is_settings(line: str) -> bool:
    """Whether a last line holds the settings of a picture, no words of a prompt."""
    found = _SETTING.finditer(line[:LONGEST_SETTINGS])
    return sum(1 for _, _ in zip(range(LEAST_SETTINGS), found, strict=False)) == LEAST_SETTINGS


def _read(document: Document, settings: ReadSettings) -> Iterator[Item]:
    text = document.text
    start = len(text) - len(text.lstrip())
    end = len(text.rstrip())
    last = text.rfind("\n", start, end) + 1 or start
    if is_settings(text[last:end]):
        end = max(last - 1, start)
    split = _negative_start(text, start, end)
    for role, low, high in (("positive", start, end if split is None else split - 1), ("negative", split, end)):
        if low is not None and low < high:
            yield from _part(document, low, high, "negative" if role == "negative" else "positive")


def _negative_start(text: str, start: int, end: int) -> int | None:
    at = start
    while at <= end:
        line_end = text.find("\n", at, end)
        line_end = end if line_end < 0 else line_end
        if text[at:line_end].strip().startswith(NEGATIVE):
            return at
        at = line_end + 1
    return None


def _part(document: Document, low: int, high: int, role: Role) -> Iterator[Item]:
    text = document.text
    if role == "negative":
        low = text.index(NEGATIVE, low) + len(NEGATIVE)
    low += len(text[low:high]) - len(text[low:high].lstrip())  # empty lines before the first words are none
    while high > low and text[high - 1].isspace() and text[high - 1] != "\n":
        high -= 1
    if low < high:
        raw = Text("", low, high, "lines", role if role == "negative" else "")
        value = raw.place(document).text
        yield prompt_at(document, Text(value, low, high, "lines", raw.context), key=role, role=role)


FORMAT = Format(
    name="infotext",
    title="Infotext",
    summary="Prompt, 'Negative prompt:' and a line of settings, as the web UIs write them beside pictures.",
    suffixes=(".txt",),
    detects=_detects,
    rank=10,
    read=_read,
)
