"""Reflow: other ways to write a prompt so that no tag is cut where two chunks meet.

Where the host knows BREAK, the rules themselves offer one. Elsewhere a tag can be kept together by brackets of weight 1 (hosts that move a
small group on as a whole), or moved. These are suggestions: whoever takes one analyses it to see whether it helps.
"""

from __future__ import annotations

from collections.abc import Iterator

from promptlens.report import Finding, Usage
from promptlens.rules._brackets import readable
from promptlens.rules._reading import reading
from promptlens.rules._tags import Tag, outer_tags
from promptlens.spans import Span

# How far a tag is moved at most, in tags.
FARTHEST = 8
_SYNTAX = frozenset("()[]{}\\:<>")


def kept_together(usage: Usage, finding: Finding) -> Iterator[str]:
    """The prompt with brackets of weight 1 around the tag that is cut."""
    live = reading(usage).live
    if "weight" not in live or "break" in live:
        return
    prompt = usage.prompt
    tag = next((t for t in outer_tags(usage, readable(usage), sentences=True) if _meets(t, finding.span)), None)
    for span in (Span(tag.start, tag.end) if tag else finding.span, finding.span):
        text = span.of(prompt)
        if text.strip() and not _SYNTAX.intersection(text):
            yield f"{prompt[: span.start]}({text}:1.0){prompt[span.end :]}"


def moved_tags(usage: Usage, finding: Finding) -> Iterator[str]:
    """The prompt with a later tag moved before the one that is cut, or an earlier one after it, the nearest first."""
    tags = outer_tags(usage, readable(usage))
    cut = next((n for n, tag in enumerate(tags) if _meets(tag, finding.span)), None)
    if cut is None:
        return
    for distance in range(1, FARTHEST + 1):
        for source, target in ((cut + distance, cut), (cut - distance, cut)):
            if 0 <= source < len(tags) and _movable(usage.prompt, tags, min(source, target), max(source, target)):
                yield _moved(usage.prompt, tags, source, target)


def _meets(tag: Tag, span: Span) -> bool:
    return tag.start < span.end and span.start < tag.end


def _movable(prompt: str, tags: list[Tag], first: int, last: int) -> bool:
    """Nothing but commas and blanks stands between the tags, and no bracket is open within one."""
    for before, after in zip(tags[first:last], tags[first + 1 : last + 1], strict=True):
        if before.section != after.section or prompt[before.end : after.start].strip() != ",":
            return False
    texts = [prompt[tag.start : tag.end] for tag in tags[first : last + 1]]
    return all(text.count(a) == text.count(b) for text in texts for a, b in ("()", "[]", "{}")) and not any("\\" in text for text in texts)


def _moved(prompt: str, tags: list[Tag], source: int, target: int) -> str:
    """The prompt with one tag in the place of another, and those between moved up; what stands between the places stays."""
    texts = [prompt[tag.start : tag.end] for tag in tags]
    texts.insert(target, texts.pop(source))
    pieces, at = [], 0
    for tag, text in zip(tags, texts, strict=True):
        pieces += [prompt[at : tag.start], text]
        at = tag.end
    return "".join([*pieces, prompt[at:]])
