"""TB101: words that never reach an encoder."""

from __future__ import annotations

from collections.abc import Iterator

from promptlens.report import Usage
from promptlens.rules import Example, Hit, RuleSettings, rule
from promptlens.rules._samples import FULL_SCENE, SHORT_SCENE
from promptlens.rules._words import listed, many, shown
from promptlens.spans import Span


@rule(
    "TB101",
    "lost-words",
    "error",
    summary="words are lost: they never reach the model",
    why="A text encoder reads a window of so many tokens, and some hosts send it only one. What does not fit is dropped, often "
    "without a word, and what you change in it changes nothing in the picture. The finding names the lost words, and the "
    "encoders that miss them: models with several encoders may lose words in one and keep them in another.",
    wrong=Example(f"{FULL_SCENE} muted palette", host="diffusers"),
    right=Example(SHORT_SCENE, host="diffusers"),
)
def lost_words(usage: Usage, settings: RuleSettings) -> Iterator[Hit]:
    found: dict[tuple[Span, int], list[str]] = {}
    for line in usage.lines:
        for use in line.encoders:
            for start, stop in use.lost_places:
                span = Span(use.tokens[start].span.start, use.tokens[stop - 1].span.end)
                encoders = found.setdefault((span, stop - start), [])
                if use.encoder.title not in encoders:
                    encoders.append(use.encoder.title)
    for (span, lost), encoders in found.items():
        verb = "reaches" if lost == 1 else "reach"
        message = f"{many(lost, 'token')} never {verb} {listed(encoders)}: {shown(span.of(usage.prompt))}"
        yield Hit(span, message, f"Shorten the prompt by {many(lost, 'token')}, or move what matters to the front.", amount=lost)
