"""TB104: positive and negative prompt of different numbers of chunks."""

from __future__ import annotations

from collections.abc import Iterator

from promptlens.report import Usage
from promptlens.rules import Example, Hit, RuleSettings, rule
from promptlens.rules._samples import FULL_SCENE, SHORT_SCENE
from promptlens.rules._words import many
from promptlens.spans import Span


def _chunks(usage: Usage) -> int:
    """Chunks that the host sends at most for one text of the prompt, or for all it joins; of one vector for the whole prompt, none."""
    uses = [*usage.encoders, *(use for line in usage.lines for use in line.encoders)]
    return max((len(use.chunks) for use in uses if not use.encoder.summary_only), default=0)


@rule(
    "TB104",
    "uneven-pair",
    "warning",
    "pair",
    summary="positive and negative prompt take different numbers of chunks",
    why="Each picture is steered by both prompts, and their conditionings must be as long as each other. Where one takes two "
    "chunks and the other one, the host fills up the shorter, repeats it, or runs the two after each other, which takes "
    "longer; some custom nodes and video models fail on it. It costs nothing to bring both to the same number.",
    wrong=Example(f"{FULL_SCENE} muted palette", negative="blurry"),
    right=Example(SHORT_SCENE, negative="blurry"),
)
def uneven_pair(positive: Usage, negative: Usage, settings: RuleSettings) -> Iterator[Hit]:
    if positive.failure or negative.failure:
        return
    ours, theirs = _chunks(positive), _chunks(negative)
    if ours == theirs or not ours or not theirs:
        return
    longer = "positive" if ours > theirs else "negative"
    message = f"the positive prompt takes {many(ours, 'chunk')}, the negative one {theirs}"
    hint = f"Shorten the {longer} prompt to {many(min(ours, theirs), 'chunk')}, or expect the host to fill up the other or to run slower."
    yield Hit(Span(0, len(positive.prompt)), message, hint, amount=abs(ours - theirs))
