"""A prompt as its host reads it, seen from the windows: which tokens are in which window, and where.

Of a prompt that is several texts (AND, prompt editing) one part at one sampling step is read, the one that `conditioning` makes; of texts
that the host joins, all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from promptlens.analysis import analyze
from promptlens.conditionings import CONDITIONERS, Ask, Encoders, Recipe, make_recipe
from promptlens.encoder.windows import Window
from promptlens.errors import ConditioningError
from promptlens.hosts import Chunk
from promptlens.hosts import window as make_window
from promptlens.models import Encoder, Model, get_model
from promptlens.report import Line, Usage
from promptlens.spans import Span
from promptlens.tokens import Token
from promptlens.vocab import SIZE

# The encoders that promptlens runs: those that read CLIP's vocabulary. T5 and language models are left out.
RUN = "clip"


def run_numbers(model: Model) -> tuple[int, ...]:
    """Numbers, in the model, of its encoders that are run. Raises `ConditioningError` where there is none."""
    numbers = tuple(n for n, encoder in enumerate(model.encoders) if encoder.vocabulary == RUN)
    if not numbers:
        names = " and ".join(e.name for e in model.encoders)
        raise ConditioningError(f"{model.title} reads prompts with {names} alone, and only CLIP text encoders are run here.")
    return numbers


def run_encoders(model: str) -> tuple[str, ...]:
    """Names of the encoders of a model that are run, in its order. Raises `ConditioningError` where there is none.

    >>> run_encoders("sdxl"), run_encoders("flux")
    (('clip-l', 'clip-g'), ('clip-l',))
    """
    row = get_model(model)
    return tuple(row.encoders[n].name for n in run_numbers(row))


@dataclass(frozen=True, slots=True)
class Setting:
    """Everything about a measurement but the prompt: what `conditioning` takes beside it."""

    host: str
    model: str
    encoders: Encoders
    clip_skip: int | None = None
    until_step: int | None = None
    part: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)

    def usage(self, text: str) -> Usage:
        """The analysis of a prompt. Raises `ConditioningError` where the host fails on it."""
        known = CONDITIONERS[self.host].options.__dataclass_fields__ if self.host in CONDITIONERS else ()
        usage = analyze(text, self.host, self.model, **{k: v for k, v in self.options.items() if k not in known}).usage
        if usage.failure:
            raise ConditioningError(f"{usage.host.title} fails on this prompt ({usage.failure.name}): {usage.failure.message}")
        return usage

    def recipe(self, text: str) -> Recipe:
        """How the host makes the tensor of a prompt."""
        return make_recipe(
            text,
            self.host,
            self.model,
            encoders=self.encoders,
            clip_skip=self.clip_skip,
            until_step=self.until_step,
            part=self.part,
            **self.options,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A prompt with the texts of it that are measured."""

    setting: Setting
    usage: Usage
    lines: tuple[Line, ...]

    @property
    def numbers(self) -> tuple[int, ...]:
        """Numbers of the encoders that are run."""
        return run_numbers(self.usage.model)

    @property
    def encoders(self) -> tuple[Encoder, ...]:
        """The encoders that are run, in the model's order."""
        return tuple(self.usage.model.encoders[n] for n in self.numbers)

    def chunks(self, encoder: int) -> list[Chunk]:
        """All windows of an encoder, by its number in the model, one text after the other."""
        return [chunk for line in self.lines for chunk in line.encoders[encoder].chunks]

    def tokens(self) -> list[Token]:
        """All tokens of the first encoder that is run, lost ones included."""
        return [token for line in self.lines for token in line.encoders[self.numbers[0]].tokens]

    def lost(self) -> list[Token]:
        return [token for line in self.lines for token in line.encoders[self.numbers[0]].lost]

    @property
    def ids(self) -> tuple[tuple[int, ...], ...]:
        """The ids of all windows of all encoders that are run."""
        return tuple(chunk.ids for number in self.numbers for chunk in self.chunks(number))

    def windows(self, number: int) -> list[Window]:
        """The windows of an encoder, with the vectors of embeddings in place."""
        encoder = self.usage.model.encoders[number]
        chunks = self.chunks(number)
        if not any(c.fixes or any(not 0 <= i < SIZE for i in c.ids) for c in chunks):
            return [Window(c.ids) for c in chunks]
        asks = self.setting.recipe(self.usage.prompt).asks
        return [_asked(chunk, encoder, asks) or Window(chunk.ids) for chunk in chunks]

    def empty(self, number: int) -> Window:
        """The window of an empty text."""
        return Window(tuple(make_window([], self.usage.model.encoders[number])))


def read(setting: Setting, text: str) -> Reading:
    usage = setting.usage(text)
    return Reading(setting, usage, _measured(setting, usage))


def _measured(setting: Setting, usage: Usage) -> tuple[Line, ...]:
    """The texts of one part that are used at one step, or all that the host joins."""
    if usage.joined:
        return tuple(usage.lines[n] for n in usage.counted_lines)
    parts = list(dict.fromkeys(line.parsed.part for line in usage.lines))
    part = parts[min(setting.part, len(parts) - 1)]
    step = setting.until_step or 1
    used = [ln for ln in usage.lines if ln.parsed.part == part and _at(ln, step)]
    return tuple(used) or usage.lines[:1]


def _at(line: Line, step: int) -> bool:
    steps = line.parsed.steps
    return not steps or any(first <= step <= last for first, last in steps)


def _asked(chunk: Chunk, encoder: Encoder, asks: Sequence[Ask]) -> Window | None:
    return next((ask.window for ask in asks if ask.encoder == encoder.name and is_of(chunk, ask.window)), None)


def is_of(chunk: Chunk, window: Window) -> bool:
    """Whether a window that a host asks for is this chunk, but for vectors and hidden places."""
    if chunk.ids == window.ids:
        return True
    replaced = {v.position for v in window.vectors}
    return len(chunk.ids) == len(window.ids) and all(a == b or n in replaced for n, (a, b) in enumerate(zip(chunk.ids, window.ids)))  # noqa: B905


def places(chunk: Chunk, spans: Sequence[Span]) -> frozenset[int]:
    """Positions in its window of the tokens that come from these spans."""
    return frozenset(n for n, token in enumerate(chunk.tokens, start=1) if any(overlap(token.span, s) for s in spans))


def overlap(a: Span, b: Span) -> bool:
    return a.start < b.end and b.start < a.end


def hidden(window: Window, positions: frozenset[int]) -> Window:
    """The window with these positions hidden from attention; start and EOS never are."""
    return replace(window, hide=window.hide | (positions - {0, window.eos}))


def boundary_moved(before: Reading, after: Reading, removed: Span) -> bool:
    """Whether words around the removed ones changed windows, or got lost, or are no longer lost."""
    if len(before.lines) != len(after.lines):
        return True
    return any(_moved(a, b, removed) for number in before.numbers for a, b in _aligned(before, after, number))


def _aligned(before: Reading, after: Reading, number: int) -> Iterator[tuple[list[list[Token]], list[list[int]]]]:
    """For each text, the tokens of its windows and at the end the lost ones; of the text after, only their ids, for it is read anew for
    every word."""
    for a, b in zip(before.lines, after.lines, strict=True):
        one, two = a.encoders[number], b.encoders[number]
        ids = [list(c.stream.ids[c.start : c.stop]) for c in two.chunks]
        ids.append([i for start, end in two.lost_places for i in (two.stream.ids[start:end] if two.stream else ())])
        yield [*(list(c.tokens) for c in one.chunks), list(one.lost)], ids


def _moved(before: list[list[Token]], after: list[list[int]], removed: Span) -> bool:
    if len(before) != len(after):
        return True
    touched = 0
    uneven = False
    for a, b in zip(before, after, strict=True):
        kept = [t.id for t in a if not overlap(t.span, removed)]
        touched += len(kept) < len(a)
        if kept != b:
            if len(kept) == len(a):
                return True
            uneven = True
    return uneven and touched > 1
