"""TB106: a template whose longest expansion does not fit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from promptlens.hosts import EncoderUse, HostFailure
from promptlens.report import Usage
from promptlens.rules import Example, Hit, RuleSettings, rule
from promptlens.rules._needs import Needs
from promptlens.rules._reading import reading
from promptlens.rules._samples import FULL_SCENE, SHORT_SCENE
from promptlens.rules._words import listed, many, shown
from promptlens.spans import Span

if TYPE_CHECKING:
    from promptlens.rules._variants import Choice

NAMED = 3


@rule(
    "TB106",
    "large-variant",
    "warning",
    summary="the largest expansion of a template is over the budget",
    why="A prompt with {a|b} or __name__ stands for many prompts, and the one you see tells little about the longest. This takes "
    "of every {a|b} the choice with the most tokens and of every wildcard whose file is known its longest line, and counts "
    "what comes out. The budget is max_tokens or max_chunks; without one it is what the host keeps, and hosts that keep "
    "everything have none. Left out: variables, `%{}`, Jinja, globs in wildcard names, and that choices beside each other "
    "without a blank may melt into other tokens.",
    wrong=Example("__place__ at noon", host="diffusers", settings=RuleSettings(wildcards={"place": ("a forest", FULL_SCENE)})),
    right=Example("__place__ at noon", host="diffusers", settings=RuleSettings(wildcards={"place": ("a forest", SHORT_SCENE)})),
    needs=lambda settings, room: Needs(r"\{|__"),
)
def large_variant(usage: Usage, settings: RuleSettings) -> Iterator[Hit]:
    prompt = usage.prompt
    if not ("{" in prompt and "|" in prompt) and not (settings.wildcards and "__" in prompt):
        return
    stream = usage.lines[0].encoders[0].stream
    if stream is None:
        return
    from promptlens.rules._variants import largest  # 3 ms: only for a template

    text, choices = largest(prompt, stream.tokenizer.count, settings.wildcards or {})
    if not choices:
        return
    over = _over(usage, text, settings)
    if over:
        span = Span(min(c.start for c in choices), max(c.end for c in choices))
        yield Hit(span, f"the largest expansion takes {over[1]}; {_named(choices)}", f"Shorten the longest choices by {over[0]}.")


def _named(choices: list[Choice]) -> str:
    names = [shown(choice.text, 30) for choice in sorted(choices, key=lambda c: -c.tokens)[:NAMED]]
    more = f" and {len(choices) - NAMED} more" if len(choices) > NAMED else ""
    return f"its longest {'choice is' if len(choices) == 1 else 'choices are'} {listed(names)}{more}"


def _over(usage: Usage, text: str, settings: RuleSettings) -> tuple[str, str] | None:
    """By how much a text is over, and what it takes, in words; None where it fits or the host fails on it."""
    uses = _uses(usage, text)
    taken = max((use.used + use.lost_count for use in uses), default=0)
    limit = settings.max_tokens or min((kept for kept in reading(usage).kept if kept is not None), default=None)
    if limit is not None and taken > limit:
        budget = "the budget" if settings.max_tokens else f"what {usage.host.title} keeps:"
        return many(
            taken - limit, "token"
        ), f"{many(taken, 'token')}, {taken - limit} over {budget} {'of ' if settings.max_tokens else ''}{limit}"
    chunks = max((n + 1 for use in uses for n, chunk in enumerate(use.chunks) if chunk.used), default=0)
    if settings.max_chunks is not None and chunks > settings.max_chunks:
        over = chunks - settings.max_chunks
        return many(over, "chunk"), f"{many(chunks, 'chunk')}, {over} over the budget of {settings.max_chunks}"
    return None


def _uses(usage: Usage, text: str) -> list[EncoderUse]:
    """What each encoder gets of each text that the host makes of an expansion."""
    host, model, options = usage.host, usage.model, usage.options
    try:
        return [host.pack(line, encoder, model, options) for line in host.parse(text, options).lines for encoder in model.encoders]
    except HostFailure:
        return []
