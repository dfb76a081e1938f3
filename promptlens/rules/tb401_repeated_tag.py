"""TB401: the same thing said twice."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise

from promptlens.report import Edit, Usage
from promptlens.rules import Example, Hit, RuleSettings, rule
from promptlens.rules._brackets import readable
from promptlens.rules._needs import Needs
from promptlens.rules._reading import reading
from promptlens.rules._tags import Tag, deletion, normal, split
from promptlens.rules._words import many, shown
from promptlens.spans import Span

_SYNTAX = re.compile("|".join(map(re.escape, [*"()[]{}_\\\n，、", "BREAK", "AND"])))
_LETTERS = {n: chr(n) if chr(n).isalpha() or chr(n) == "," else None for n in range(128)}
_BRACKET = re.compile(r"[()\[\]{}|\\]")
# Texts of which only one is read at a time: prompt editing and choices.
_ALTERNATIVES = re.compile(r"\[[^\[\]]*[:|][^\[\]]*\]|\{[^{}]*\}")
_APART = re.compile(r"[,\n，、]|\b(?:BREAK|AND)\b")
_LETTER = re.compile(r"[^\W\d_]")
_WORD = re.compile(r"[^\s,，、]+")

# A single word must be said three times in a row to be remarked on ("very very"), two or more of them twice.
TIMES_A_WORD = 3
LONGEST_RUN = 12


@rule(
    "TB401",
    "repeated-tag",
    "warning",
    summary="a tag is said twice, or words are repeated in a row",
    why="Long prompts grow by copying, and the same tag slips in twice, perhaps in other letters, with an underscore or with a "
    "weight. It takes its tokens again and adds next to nothing: to make something stronger, weigh it. Tags of texts that are"
    " read apart (after BREAK or AND, in prompt editing and choices) do not count as repeated.",
    wrong=Example("1girl, blue eyes, solo, Blue Eyes"),
    right=Example("1girl, blue eyes, solo"),
    needs=lambda settings, room: Needs(_SYNTAX.pattern, 0, _may_repeat),
)
def repeated_tag(usage: Usage, settings: RuleSettings) -> Iterator[Hit]:
    prompt = usage.prompt
    folded = prompt.casefold()
    text = readable(usage)
    # what the host takes out may be all that tells two tags apart
    looks_twice = text != prompt or (not _all_differ(prompt, folded) if _SYNTAX.search(prompt) else "," in prompt and _may_be_twice(folded))
    if looks_twice:
        yield from _twice(usage, text)
    if runs := _runs(_bare_words(folded)):
        yield from _in_a_row(prompt, runs)


def _may_repeat(folded: str, _words: list[str], _tokens_of: Callable[[str], int]) -> bool:
    """Whether a prompt with nothing but commas between its tags may say something twice."""
    bare = _bare_words(folded)
    if len({*bare}) == len(bare) and "  " not in folded:  # where no word comes again, nothing does
        return False
    if "," in folded and _may_be_twice(folded):
        return True
    return bool(_runs(bare))


def _bare_words(folded: str) -> list[str]:
    """The words that runs are made of: what stands between white space and commas."""
    return folded.replace(",", " ").split() if folded.isascii() else _WORD.findall(folded)


def _may_be_twice(folded: str) -> bool:
    tags = folded.split(",")
    return len({*map(str.strip, tags)}) < len(tags) or "  " in folded


def _all_differ(prompt: str, folded: str) -> bool:
    """True where it is plain that no tag is said twice: no two are of the same letters, of which `normal` takes none away."""
    if not prompt.isascii() or "\n" in prompt or "BREAK" in prompt or "AND" in prompt:
        return False
    tags = folded.translate(_LETTERS).split(",")
    return len({*tags}) == len(tags)


def _twice(usage: Usage, text: str) -> Iterator[Hit]:
    apart = [match.span() for match in _ALTERNATIVES.finditer(text)] if "[" in text or "{" in text else []
    first: dict[tuple[int, int, str], Tag] = {}
    by_line = "\n" in text and reading(usage).splits_lines
    for tag in split(text):
        if apart and any(start < tag.end and tag.start < end for start, end in apart):
            continue
        said_tag = normal(text[tag.start : tag.end])
        if not any(map(str.isalnum, said_tag)):
            continue
        line = text.count("\n", 0, tag.start) if by_line else 0
        known = first.setdefault((tag.section, line, said_tag), tag)
        if known is not tag:
            yield _repeated(usage, text, tag, known)


def _repeated(usage: Usage, text: str, tag: Tag, first: Tag) -> Hit:
    prompt = usage.prompt
    written, before = text[tag.start : tag.end], text[first.start : first.end]
    edit = None
    if _balanced(written):
        all_read = written == prompt[tag.start : tag.end]  # else something goes with it that the host reads elsewhere, such as a network
        safe = all_read and not _BRACKET.search(written) and not _BRACKET.search(before)
        edit = Edit(deletion(prompt, tag.start, tag.end), "", safe=safe)
    message = f"{shown(written)} is said again" + ("" if written == before else f"; the first time as {shown(before)}")
    weighs = reading(usage).live & {"weight", "number-weight", "round"}
    hint = "Take one of them out; to make it stronger, weigh it." if weighs else "Take one of them out."
    return Hit(Span(tag.start, tag.end), message, hint, edit, others=(Span(first.start, first.end),))


def _balanced(written: str) -> bool:
    """The tag holds no bracket without its partner, and no backslash, so that it can be taken out as it stands."""
    return "\\" not in written and all(written.count(a) == written.count(b) for a, b in ("()", "[]", "{}"))


def _in_a_row(prompt: str, runs: list[tuple[int, int, int]]) -> Iterator[Hit]:
    """A word three times in a row, or a run of words twice."""
    found = [*_WORD.finditer(prompt)]
    for start, length, times in runs:
        span = Span(found[start].start(), found[start + times * length - 1].end())
        kept = Span(found[start + length - 1].end(), span.end)
        said = Span(span.start, kept.start).of(prompt)
        if _APART.search(prompt, span.start, span.end) or not _LETTER.search(said.casefold()):
            continue
        run = shown(said)
        edit = Edit(kept, "", safe=not _BRACKET.search(span.of(prompt)))
        yield Hit(span, f"{run} is said {many(times, 'time')} in a row", "Say it once.", edit, times)


def _runs(words: list[str]) -> list[tuple[int, int, int]]:
    """Words that come again at once: index of the first, how many they are, and how often they come."""
    repeated = len(words) - len({*words})
    if repeated <= 1 or len({*pairwise(words)}) == len(words) - 1:  # where there is a run, two neighbours come again as neighbours
        return []
    found: list[tuple[int, int, int]] = []
    places: dict[str, int] = {}
    done = 0
    for n, word in enumerate(words):
        length = n - places.get(word, n)
        places[word] = n
        if not 0 < length <= LONGEST_RUN or n < done + length:
            continue
        start = n - length
        times = 1
        while words[start : start + length] == words[start + times * length : start + (times + 1) * length]:
            times += 1
        if times >= (TIMES_A_WORD if length == 1 else 2):
            done = start + times * length
            found.append((start, length, times))
    return found
