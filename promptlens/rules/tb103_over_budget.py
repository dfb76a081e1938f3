"""TB103: a prompt that takes more than the budget that was set for it."""

from __future__ import annotations

from collections.abc import Iterator

from promptlens.report import Usage
from promptlens.rules import Example, Hit, RuleSettings, rule
from promptlens.rules._needs import Needs
from promptlens.rules._samples import SCENE, SHORT_SCENE
from promptlens.rules._words import many
from promptlens.spans import Span


@rule(
    "TB103",
    "over-budget",
    "error",
    summary="the prompt is over the budget that was set",
    why="A team, a training run or a workflow may want prompts of at most so many tokens or chunks, whatever the host could take:"
    " max_tokens and max_chunks set it. The encoder that takes the most counts. Without a budget the rule is silent.",
    wrong=Example(SCENE, settings=RuleSettings(max_tokens=60)),
    right=Example(SHORT_SCENE, settings=RuleSettings(max_tokens=60)),
    needs=lambda settings, room: Needs(more_than=settings.max_tokens),
)
def over_budget(usage: Usage, settings: RuleSettings) -> Iterator[Hit]:
    budget = settings.max_tokens
    if budget is not None:
        use = max(usage.encoders, key=lambda use: use.used + use.lost_count)
        count = use.used + use.lost_count
        over = count - budget
        if over > 0:
            span = Span(use.place(budget).start, use.place(count - 1).end)
            yield Hit(
                span,
                f"{many(count, 'token')}, {over} over the budget of {budget}",
                f"Shorten it by {many(over, 'token')}.",
                amount=over,
            )
    if settings.max_chunks is not None:
        yield from _chunks(usage, settings.max_chunks)


def _chunks(usage: Usage, budget: int) -> Iterator[Hit]:
    counts = [max((n + 1 for n, chunk in enumerate(use.chunks) if chunk.used), default=0) for use in usage.encoders]
    count = max(counts)
    if count > budget:
        use = usage.encoders[counts.index(count)]
        first = next(chunk for chunk in use.chunks[budget:] if chunk.used)
        span = Span(use.place(first.start).start, use.place(use.chunks[count - 1].stop - 1).end)
        over = sum(chunk.used for chunk in use.chunks[budget:])
        message = f"{many(count, 'chunk')}, {count - budget} over the budget of {budget}"
        breaks = ", or take out a BREAK" if any(chunk.cut == "break" for chunk in use.chunks) else ""
        yield Hit(span, message, f"Shorten it by {many(over, 'token')}{breaks}.", amount=count - budget)
