"""TB403: characters that nobody sees, or that look like others, and that change what is read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from promptlens.report import Edit, Usage
from promptlens.rules import Example, Hit, RuleSettings, rule
from promptlens.rules._needs import NOTHING
from promptlens.rules._words import shown

if TYPE_CHECKING:
    from promptlens.rules._characters import Odd


@rule(
    "TB403",
    "odd-characters",
    "info",
    summary="invisible, broken or look-alike characters that change the tokens",
    why="Text copied from a web page brings characters along that nobody sees: a zero-width space in a word, a soft hyphen, a "
    "mark of writing direction. Others look like the ones you know but are not: full-width letters, Cyrillic ones in an "
    "English word, curly quotes, or the remains of a wrong encoding (`cafÃ©`). The model reads other words for them. Some "
    "hosts clean some of it up: it is told only where the tokens would be others without it.",
    wrong=Example("a red\u200bcar on a street"),
    right=Example("a red car on a street"),
    needs=lambda settings, room: NOTHING,
)
def odd_characters_in(usage: Usage, settings: RuleSettings) -> Iterator[Hit]:
    prompt = usage.prompt
    if prompt.isascii() and prompt.isprintable():
        return
    from promptlens.rules._characters import odd_characters  # 8 ms: only for a prompt that is not plain ASCII

    streams = [use.stream for line in usage.lines[:1] for use in line.encoders if use.stream is not None]
    encoders = {stream.tokenizer for stream in streams}
    for odd in odd_characters(prompt):
        if odd.instead is None:
            yield Hit(odd.span, f"{odd.what} in {shown(odd.word.of(prompt), 30)}", "Write the word anew: what stood there is gone.")
            continue
        before = odd.word.of(prompt)
        after = prompt[odd.word.start : odd.span.start] + odd.instead + prompt[odd.span.end : odd.word.end]
        if all(tokenizer.encode(before) == tokenizer.encode(after) for tokenizer in encoders):
            continue
        message = f"{odd.what} in {shown(before, 30)}: the model reads other tokens for it"
        yield Hit(odd.span, message, _hint(odd), Edit(odd.span, odd.instead))


def _hint(odd: Odd) -> str:
    return f"Write {odd.instead} instead." if odd.instead and odd.instead.strip() else "Delete it."
