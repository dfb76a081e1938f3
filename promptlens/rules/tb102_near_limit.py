"""TB102: hardly any room left before the host begins to cut."""

from __future__ import annotations

from collections.abc import Iterator

from promptlens.report import Usage
from promptlens.rules import Example, Hit, RuleSettings, rule
from promptlens.rules._needs import Needs
from promptlens.rules._reading import reading
from promptlens.rules._samples import SCENE, SHORT_SCENE
from promptlens.rules._words import listed, many
from promptlens.spans import Span


@rule(
    "TB102",
    "near-limit",
    "warning",
    summary="hardly any room is left before the host begins to drop words",
    why="The prompt still fits, but it takes nearly all the tokens that this host keeps. One more tag, a style or a longer name, "
    "and words at the end are dropped. It is said from the last 10 % on (near_limit), and only for hosts that drop words.",
    wrong=Example(f"{SCENE} warm", host="diffusers"),
    right=Example(SHORT_SCENE, host="diffusers"),
    needs=lambda settings, room: Needs(more_than=None if room.kept is None else (1 - settings.near_limit) * room.chunk),
)
def near_limit(usage: Usage, settings: RuleSettings) -> Iterator[Hit]:
    near = 1 - settings.near_limit
    uses = usage.encoders
    # Every host keeps at least one window, so most prompts are done here.
    if all(use.used <= near * use.encoder.capacity or use.lost_places for use in uses):
        return
    found: list[tuple[str, int, int]] = []
    kept = reading(usage).kept
    for use, limit in zip(uses, kept, strict=True):
        # where T5 reads on, CLIP's limit is not the prompt's
        if any(
            other.encoder.vocabulary != use.encoder.vocabulary and (k is None or k > (limit or 0))
            for other, k in zip(uses, kept, strict=True)
        ):
            continue
        if limit is not None and near * limit < use.used <= limit and not use.lost_places:
            found.append((use.encoder.title, use.used, limit))
    if not found:
        return
    names = [name for name, _, _ in found]
    _, used, limit = max(found, key=lambda row: row[1] / row[2])
    use = next(use for use in uses if use.encoder.title == names[0])
    last = use.used - 1
    span = Span(use.place(min(int(near * limit), last)).start, use.place(last).end)
    message = f"{used} of the {limit} tokens that {usage.host.title} keeps are used ({listed(names)})"
    room = f"There is room for {many(limit - used, 'more token')}" if used < limit else "There is room for none"
    yield Hit(span, message, f"{room}; what comes after is dropped.", amount=used)
