"""Making a prompt fit by dropping its least important tags, and saying which.

Important is what stands in front, since it moves the picture the most (`by_order`); or what `scores` say (the influence of each tag, when
somebody measured it). A tag goes as a whole, a weighted group too; of the last one left, words go from its end.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from promptlens.analysis import DEFAULT_HOST, DEFAULT_MODEL, analyze_with, make_options
from promptlens.errors import OptionError
from promptlens.hosts import HOSTS
from promptlens.models import get_model
from promptlens.report import Usage
from promptlens.rules._brackets import readable
from promptlens.rules._tags import Tag, deletion, outer_tags
from promptlens.spans import Span

_WORD = re.compile(r"\S+")
_BRACKETS = re.compile(r"[()\[\]{}]")

Fits = Callable[[str], bool]


class Ranked(NamedTuple):
    """How important each tag is (None: the more, the earlier it stands), and `by` what measure, in words."""

    scores: Sequence[float] | None
    by: str


# What ranks the tags of a prompt (`tag_spans`).
Importance = Callable[[Usage], Ranked]


def by_order(usage: Usage) -> Ranked:
    """What stands in front is important."""
    return Ranked(None, "the last ones first")


@dataclass(frozen=True, slots=True)
class Shortened:
    """A prompt that was made to fit, and what was dropped, in its order. `fits` is False where nothing more could be dropped."""

    text: str
    dropped: tuple[str, ...]
    fits: bool = True


def shorten(
    text: str,
    budget: int,
    host: str = DEFAULT_HOST,
    model: str = DEFAULT_MODEL,
    options: Mapping[str, Any] | None = None,
    *,
    scores: Sequence[float] | None = None,
) -> Shortened:
    """The prompt with at most `budget` tokens in the encoder that takes the most of them.

    `scores` has a number for each tag (`tag_spans` says which these are); the lowest go first. Raises `OptionError` for a wrong budget or
    number of scores, `UnknownNameError` for a host, a model or an option that does not exist.

    >>> shorten("a lynx, sharp focus, 8k", 5)
    Shortened(text='a lynx, sharp focus', dropped=('8k',), fits=True)
    """
    if isinstance(budget, bool) or not isinstance(budget, int) or budget < 1:
        raise OptionError(f"budget must be a whole number from 1, not {budget!r}.")
    row, known = HOSTS[host], get_model(model)
    made = make_options(row, dict(options or {}))

    def fits(prompt: str) -> bool:
        uses = analyze_with(prompt, row, known, made).usage.encoders
        return max(use.used + use.lost_count for use in uses) <= budget

    return dropped_to_fit(analyze_with(text, row, known, made).usage, fits, scores=scores)


def tag_spans(usage: Usage) -> tuple[Span, ...]:
    """The tags that `shorten` drops one by one, in the order of the prompt."""
    return tuple(Span(tag.start, tag.end) for tag in outer_tags(usage, readable(usage)))


def dropped_to_fit(usage: Usage, fits: Fits, *, scores: Sequence[float] | None = None) -> Shortened:
    """The prompt of `usage` with as few tags dropped as it takes to fit."""
    prompt = usage.prompt
    if fits(prompt):
        return Shortened(prompt, ())
    tags = outer_tags(usage, readable(usage))
    order = _order(tags, scores)
    enough = bisect_left(range(len(order)), True, key=lambda count: fits(_without(prompt, tags, order[:count])))
    if enough < len(order):
        gone = sorted(order[:enough])
        return Shortened(_without(prompt, tags, gone), tuple(prompt[tags[n].start : tags[n].end] for n in gone))
    return _words_dropped(prompt, tags, order, fits)


def _order(tags: Sequence[Tag], scores: Sequence[float] | None) -> list[int]:
    """The tags' numbers, the first to go first."""
    if scores is None:
        return [*reversed(range(len(tags)))]
    if len(scores) != len(tags):
        raise OptionError(f"scores must have a number for each of the {len(tags)} tags, not {len(scores)}.")
    return sorted(range(len(tags)), key=lambda n: (scores[n], -n))


def _without(prompt: str, tags: Sequence[Tag], gone: Sequence[int]) -> str:
    """The prompt without some of its tags and the commas that belong to them."""
    for n in sorted(gone, reverse=True):
        span = deletion(prompt, tags[n].start, tags[n].end)
        prompt = prompt[: span.start] + prompt[span.end :]
    return prompt


def _words_dropped(prompt: str, tags: Sequence[Tag], order: Sequence[int], fits: Fits) -> Shortened:
    """Only the most important tag, without the words at its end that do not fit; as it was where it has brackets."""
    if not order:
        return Shortened(prompt, (), fits=False)
    last = tags[order[-1]]
    others = sorted(order[:-1])
    words = [*_WORD.finditer(prompt, last.start, last.end)]
    if not _BRACKETS.search(prompt, last.start, last.end):

        def cut(count: int) -> str:
            """The tag with so many words less."""
            end = words[len(words) - count - 1].end() if count else last.end
            return _without(prompt[:end] + prompt[last.end :], _moved(tags, last, last.end - end), others)

        enough = bisect_left(range(len(words)), True, key=lambda count: fits(cut(count)))
        if enough < len(words):
            rest = prompt[words[len(words) - enough].start() : last.end]
            dropped = sorted([(tags[n].start, prompt[tags[n].start : tags[n].end]) for n in others] + [(last.end, rest)])
            return Shortened(cut(enough), tuple(text for _, text in dropped))
    gone = tuple(prompt[tags[n].start : tags[n].end] for n in others)
    return Shortened(_without(prompt, tags, others), gone, fits=False)


def _moved(tags: Sequence[Tag], last: Tag, by: int) -> list[Tag]:
    """The tags after some characters of one were taken out."""
    return [Tag(t.start - by, t.end - by, t.section) if t.start >= last.end else t for t in tags]
