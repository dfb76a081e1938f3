"""TB301: syntax of another host, which this one reads as plain text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from promptlens.report import Usage
from promptlens.rules import Example, Hit, RuleSettings, rule
from promptlens.rules._needs import Needs
from promptlens.rules._words import many, shown

if TYPE_CHECKING:
    from promptlens.rules._dead import Dead

_SIGNS = ("(", "[", "<", "#", "BREAK", "AND", "++", "--", "embedding:", "\\")


# Of the word around dead syntax, what is counted with it and without.
AROUND_CHARS = 100


@rule(
    "TB301",
    "dead-syntax",
    "warning",
    summary="syntax that this host reads as plain text",
    why="Weights, BREAK, AND, prompt editing and LoRA tags belong to the host they were made for. Another one sends them to the "
    "model as words: `(red hair:1.2)` becomes six tokens of brackets and digits, and nothing is weighed. The finding says "
    "what this syntax costs in tokens. What a host reads under the options it runs with is found out from the host itself.",
    wrong=Example("a girl with (red hair:1.3) <lora:detail:0.8>", host="diffusers"),
    right=Example("a girl with red hair", host="diffusers"),
    needs=lambda settings, room: Needs("|".join(map(re.escape, _SIGNS))),
)
def dead_syntax(usage: Usage, settings: RuleSettings) -> Iterator[Hit]:
    prompt = usage.prompt
    for sign in _SIGNS:
        if sign in prompt:
            break
    else:
        return
    from promptlens.rules._dead import dead_brackets, dead_words  # 5 ms: only for a prompt with some sign of syntax

    reached = 0
    for dead in sorted([*dead_brackets(usage), *dead_words(usage)], key=lambda dead: (dead.span.start, -dead.span.end)):
        if dead.span.start < reached:
            continue  # inside one that was told
        reached = dead.span.end
        cost = _cost(usage, dead)
        costs = f"; it costs {many(cost, 'token')}" if cost > 0 else ""
        message = f"{shown(dead.span.of(prompt))}: {usage.host.title} reads {dead.what} as plain text{costs}"
        yield Hit(dead.span, message, dead.hint, dead.edit, max(cost, 1))


def _cost(usage: Usage, dead: Dead) -> int:
    """Tokens that the syntax adds to the words around it."""
    stream = usage.lines[0].encoders[0].stream
    if stream is None:
        return 0
    prompt, start, end = usage.prompt, dead.span.start, dead.span.end
    low, high = start - AROUND_CHARS, end + AROUND_CHARS  # of a word of thousands of brackets not all, for each of them
    while start > max(low, 0) and not prompt[start - 1].isspace():
        start -= 1
    while end < min(high, len(prompt)) and not prompt[end].isspace():
        end += 1
    without = prompt[start : dead.span.start] + dead.words + prompt[dead.span.end : end]
    return stream.tokenizer.count(prompt[start:end]) - stream.tokenizer.count(without)
