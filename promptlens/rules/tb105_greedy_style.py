"""TB105: a style or template that leaves little of the first chunk to the user."""

from __future__ import annotations

from collections.abc import Iterator

from promptlens.hosts import EncoderUse
from promptlens.report import Usage
from promptlens.rules import Example, Hit, RuleSettings, rule
from promptlens.rules._needs import Needs
from promptlens.rules._words import many
from promptlens.spans import Span

PLACEHOLDER = "{prompt}"

_STYLE = "cinematic film still, " + ", ".join(
    [
        "shallow depth of field",
        "vignette",
        "highly detailed",
        "high budget production",
        "bokeh",
        "moody",
        "epic",
        "film grain",
        "kodak portra",
    ]
)


@rule(
    "TB105",
    "greedy-style",
    "warning",
    summary="a style takes much of the first chunk before the user types a word",
    why="A style is added to every prompt it is used with: `{prompt}` stands for what the user types, or the style follows it. "
    "The first chunk has 75 tokens for both. A style that takes more than half of them (template_share) pushes the user's own"
    " words to a second chunk, or, where there is none, off the end. A text counts as a style when it holds `{prompt}`, or "
    "comes from a file of styles (template).",
    wrong=Example(f"{_STYLE}, {{prompt}}, soft golden hour light, volumetric fog"),
    right=Example("cinematic film still of {prompt}, shallow depth of field, film grain"),
    needs=lambda settings, room: Needs(r"\{", more_than=0 if settings.template else None),
)
def greedy_style(usage: Usage, settings: RuleSettings) -> Iterator[Hit]:
    if not settings.template and PLACEHOLDER not in usage.prompt:
        return
    worst, room = max(((_spent(use, usage.prompt), use.encoder.capacity) for use in usage.encoders), key=lambda pair: pair[0] / pair[1])
    if worst > settings.template_share * room:
        taken = f"{worst} of the {room} tokens of the first chunk" if worst <= room else f"{worst} tokens, all {room} of the first chunk,"
        message = f"the style takes {taken} before a word is typed"
        hint = f"Bring it down to {many(int(settings.template_share * room), 'token')}: drop what says the same twice."
        yield Hit(Span(0, len(usage.prompt)), message, hint, amount=worst)


def _spent(use: EncoderUse, prompt: str) -> int:
    """Tokens that are not the placeholder's."""
    places = []
    at = prompt.find(PLACEHOLDER)
    while at >= 0:
        places.append((at, at + len(PLACEHOLDER)))
        at = prompt.find(PLACEHOLDER, at + 1)
    if not places:
        return len(use.tokens)
    return sum(1 for t in use.tokens if not any(a <= t.span.start and t.span.end <= b for a, b in places))
