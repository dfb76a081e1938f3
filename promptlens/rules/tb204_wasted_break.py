"""TB204: a BREAK that costs more than it is worth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from promptlens.hosts import EncoderUse
from promptlens.report import Edit, Line, Usage
from promptlens.rules import Example, Hit, RuleSettings, rule
from promptlens.rules._needs import Needs
from promptlens.rules._samples import SCENE
from promptlens.rules._words import many
from promptlens.spans import Span


class _Break(NamedTuple):
    """A BREAK and the chunk it closed: tokens in it, places left empty."""

    span: Span
    used: int
    wasted: int


@rule(
    "TB204",
    "wasted-break",
    "warning",
    summary="BREAK makes an empty chunk, is doubled, or leaves many slots empty",
    why="BREAK closes the chunk and fills the rest of it with padding. At the start of a prompt, or twice in a row, it makes a "
    "chunk of nothing but padding, which weakens the others. After a few words it makes a chunk that is nearly empty: the "
    "rest of its slots is wasted and the prompt takes one chunk more. Up to half a chunk (break_waste) is not remarked on: "
    "that is what BREAK is for.",
    wrong=Example(f"{SCENE} BREAK BREAK a calm blue sky"),
    right=Example(f"{SCENE} BREAK a calm blue sky"),
    needs=lambda settings, room: Needs("(?i:break)"),
)
def wasted_break(usage: Usage, settings: RuleSettings) -> Iterator[Hit]:
    prompt = usage.prompt
    if "break" not in prompt.casefold() and not ("\n" in prompt and "newline-break" in usage.host.syntax):
        return
    found = dict.fromkeys(
        each for line in usage.lines for use in line.encoders for each in _breaks(line, use) if not use.encoder.summary_only
    )
    reported: set[Span] = set()
    for each in found:
        if each.span in reported:
            continue
        if not each.used:
            reported.add(each.span)
            hint = "Take it out: nothing stands between it and what is before it."
            yield Hit(
                each.span, f"{_named(prompt, each.span)} makes a chunk with nothing in it", hint, _taken_out(prompt, each.span), each.wasted
            )
        elif each.wasted > settings.break_waste:
            reported.add(each.span)
            message = f"{_named(prompt, each.span)} leaves {each.wasted} of {each.used + each.wasted} slots empty"
            hint = f"Take it out, or put {many(each.wasted, 'token')} more before it; the prompt takes a chunk more for it."
            yield Hit(each.span, message, hint, amount=each.wasted)


def _named(prompt: str, span: Span) -> str:
    return f"this {span.of(prompt).strip() or 'line break'}"


def _breaks(line: Line, use: EncoderUse) -> Iterator[_Break]:
    """Each BREAK of a text closed one chunk, in order; one at the very end changes nothing."""
    breaks = [fragment.span for fragment in line.fragments if fragment.kind == "break"]
    closed = [(n, chunk) for n, chunk in enumerate(use.chunks) if chunk.cut == "break"]
    for span, (n, chunk) in zip(breaks, closed, strict=False):
        if chunk.used and not any(later.used for later in use.chunks[n + 1 :]):
            continue
        yield _Break(span, chunk.used, use.encoder.capacity - chunk.used)


def _taken_out(prompt: str, span: Span) -> Edit:
    """The BREAK and the blanks after it taken out; what is around it does not grow together."""
    end = span.end
    while end < len(prompt) and prompt[end].isspace():
        end += 1
    glued = span.start > 0 and not prompt[span.start - 1].isspace()
    return Edit(Span(span.start, end), " " if glued else "")
