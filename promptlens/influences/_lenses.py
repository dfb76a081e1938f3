"""The two lenses: what is looked at of a prompt, and how far two of them are apart.

    pooled        of each encoder the vector at EOS (projected where the model takes it projected) of each window; the distance is the sum
                  over the windows of 1 - cos, which with one window is 1 - cos, and the mean of that over the encoders
    conditioning  what the diffusion model receives, the host's emphasis in it: of one encoder its columns of the tensor, with the pooled
                  vector where the model takes one from it; the distance is ||c' - c|| / ||c||, over the encoders of all numbers together

Where two prompts have different numbers of windows the shorter is filled up with the host's encoded empty prompt.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from promptlens.conditionings import Answer, Ask, Conditioning, FloatArray, Recipe
from promptlens.encoder.windows import Window
from promptlens.errors import ConditioningError, WeightsError
from promptlens.influences._encoding import Vectors, answer, pool
from promptlens.influences._reading import Reading, Setting, hidden, is_of, places
from promptlens.models import Encoder
from promptlens.spans import Span

if TYPE_CHECKING:
    from promptlens.encoder.interface import Progress

Lens = Literal["pooled", "conditioning"]


class Case(NamedTuple):
    """A prompt to look at, with the words under `masked` hidden from attention."""

    reading: Reading
    masked: tuple[Span, ...] = ()


class Distance(NamedTuple):
    """How far two prompts are apart: over all encoders, and by encoder."""

    all: float
    by_encoder: tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """What a lens saw of a case: for the pooled lens the vectors of each encoder's windows, else the tensor."""

    vectors: tuple[tuple[Vectors, ...], ...] = ()
    tensor: Conditioning | None = None


def windows(case: Case, number: int) -> list[Window]:
    """The windows of an encoder with the masked words hidden."""
    chunks = case.reading.chunks(number)
    found = case.reading.windows(number)
    return [hidden(w, places(c, case.masked)) if case.masked else w for w, c in zip(found, chunks, strict=True)]


def look_pooled(setting: Setting, cases: Sequence[Case], progress: Progress | None = None) -> list[Looked]:
    """The pooled vectors of every case; the first is what the others are taken to begin like. An empty window's come last, for padding."""
    reading = cases[0].reading
    asked = [[windows(case, n) for n in reading.numbers] for case in cases]
    longest = [max(map(len, side)) for side in zip(*asked, strict=True)]
    wanted: dict[str, list[Window]] = {}
    for n, (number, encoder) in enumerate(zip(reading.numbers, reading.encoders, strict=True)):
        uneven = any(len(a[n]) < longest[n] for a in asked)
        wanted[encoder.name] = [w for a in asked for w in a[n]] + ([reading.empty(number)] if uneven else [])
    found = pool(wanted, {e.name: asked[0][n] for n, e in enumerate(reading.encoders)}, setting.encoders, progress)
    return [Looked(tuple(tuple(_filled(side, reading, n, longest[n], found)) for n, side in enumerate(a))) for a in asked]


def _filled(
    asked: Sequence[Window], reading: Reading, n: int, length: int, found: Mapping[tuple[str, Window], Vectors]
) -> Iterator[Vectors]:
    name = reading.encoders[n].name
    yield from (found[name, w] for w in asked)
    for _ in range(length - len(asked)):
        yield found[name, reading.empty(reading.numbers[n])]


def look_conditioning(setting: Setting, cases: Sequence[Case], progress: Progress | None = None, *, needed: int = 1) -> list[Looked | None]:
    """The tensor of every case; None where the host fails on it. Where it fails on one of the first `needed`, it raises."""
    recipes: dict[str, Recipe | None] = {}
    for n, case in enumerate(cases):
        text = case.reading.usage.prompt
        if text not in recipes:
            recipes[text] = _recipe(setting, text, needed=n < needed)
    own = recipes[cases[0].reading.usage.prompt]
    assert own is not None  # it is needed
    swapped = [_swapped(case, recipes[case.reading.usage.prompt]) for case in cases]
    answers = answer([a for asks in swapped for a in asks.values()], own.asks, setting.encoders, progress)
    found: list[Conditioning | None] = []
    for n, (case, asks) in enumerate(zip(cases, swapped, strict=True)):
        given: dict[Ask, Answer] = {asked: answers[instead] for asked, instead in asks.items()}
        found.append(_finished(recipes[case.reading.usage.prompt], given, needed=n < needed))
    return [Looked(tensor=tensor) if tensor else None for tensor in _equally_long(setting, found)]


def _recipe(setting: Setting, text: str, *, needed: bool) -> Recipe | None:
    try:
        return setting.recipe(text)
    except ConditioningError:
        if needed:
            raise
        return None


def _finished(recipe: Recipe | None, answers: Mapping[Ask, Answer], *, needed: bool) -> Conditioning | None:
    """The tensor; None where the host stops, as one does that cannot join encoders of different lengths."""
    try:
        return None if recipe is None else recipe.finish(answers)
    except ConditioningError:
        if needed:
            raise
        return None


def _swapped(case: Case, recipe: Recipe | None) -> dict[Ask, Ask]:
    """What is encoded in place of each window that a host asks for: the same with the masked words hidden."""
    if recipe is None:
        return {}
    if not case.masked:
        return {ask: ask for ask in recipe.asks}
    chunks = [(e.name, c) for n, e in zip(case.reading.numbers, case.reading.encoders, strict=True) for c in case.reading.chunks(n)]
    found = {}
    for ask in recipe.asks:
        chunk = next((c for name, c in chunks if name == ask.encoder and is_of(c, ask.window)), None)
        window = ask.window if chunk is None else hidden(ask.window, places(chunk, case.masked))
        found[ask] = Ask(ask.encoder, window, ask.layer, ask.final_norm)
    return found


def _equally_long(setting: Setting, tensors: Sequence[Conditioning | None]) -> list[Conditioning | None]:
    """Tensors of the same number of positions: the shorter go on with the host's empty prompt."""
    length = max(len(t.hidden) for t in tensors if t)
    if all(len(t.hidden) == length for t in tensors if t):
        return list(tensors)
    recipe = setting.recipe("")
    empty = recipe.finish(answer(recipe.asks, (), setting.encoders)).hidden
    return [Conditioning(_extended(t.hidden, empty, length), t.pooled) if t else None for t in tensors]


def _extended(rows: FloatArray, empty: FloatArray, length: int) -> FloatArray:
    missing = length - len(rows)
    times = -(-missing // len(empty))
    return np.concatenate([rows, np.tile(empty, (times, 1))[:missing]]) if missing else rows


def distance(setting: Setting, reading: Reading, a: Looked, b: Looked) -> Distance:
    """How far the second is from the first."""
    if a.tensor is not None and b.tensor is not None:
        return _relative(setting, reading, a.tensor, b.tensor)
    each = []
    for n, encoder in enumerate(reading.encoders):
        pairs = zip(a.vectors[n], b.vectors[n], strict=True)
        projected = takes_projected(reading, encoder)
        vectors = ((vector(u, encoder.name, projected=projected), vector(v, encoder.name, projected=projected)) for u, v in pairs)
        each.append(sum(1.0 - cosine(u, v) for u, v in vectors))
    return Distance(sum(each) / len(each), tuple(each))


def takes_projected(reading: Reading, encoder: Encoder) -> bool:
    """Whether the model takes a pooled vector after the projection: all do but Flux, whose only CLIP encoder gives it as it is."""
    return encoder.pooled and len(reading.encoders) > 1


def vector(found: Vectors, name: str, *, projected: bool) -> FloatArray:
    """The pooled vector as the model takes it."""
    if not projected:
        return found.pooled
    if found.projected is None:
        raise WeightsError(f"These {name} weights hold no text projection, which the pooled vector needs; load whole ones.")
    return found.projected


def cosine(a: FloatArray, b: FloatArray) -> float:
    """Cosine of two vectors, in double; exactly 1 for equal ones."""
    if np.array_equal(a, b):
        return 1.0
    x, y = a.astype(np.float64), b.astype(np.float64)
    return float(x @ y / max(float(np.sqrt((x @ x) * (y @ y))), 1e-30))


def _relative(setting: Setting, reading: Reading, a: Conditioning, b: Conditioning) -> Distance:
    changes, sizes = [], []
    for encoder, columns in zip(reading.encoders, encoder_columns(setting, reading), strict=True):
        # ComfyUI hands on a pooled vector with SD1 too, which the model has no use for.
        before = [a.hidden[:, columns]] + ([a.pooled] if encoder.pooled and a.pooled is not None else [])
        after = [b.hidden[:, columns]] + ([b.pooled] if encoder.pooled and b.pooled is not None else [])
        with np.errstate(all="ignore"):  # a weight may be infinite, and then so is the tensor
            changes.append(sum(float(np.sum((y.astype(np.float64) - x) ** 2)) for x, y in zip(before, after, strict=True)))
            sizes.append(sum(float(np.sum(x.astype(np.float64) ** 2)) for x in before))
    each = tuple(_ratio(c, s) for c, s in zip(changes, sizes, strict=True))
    return Distance(_ratio(sum(changes), sum(sizes)), each)


def _ratio(change: float, size: float) -> float:
    if not change:
        return 0.0
    return float(np.sqrt(change / size)) if size else float("inf")


def encoder_columns(setting: Setting, reading: Reading) -> list[slice]:
    """Which columns of the tensor come from which encoder."""
    columns, at = [], 0
    for encoder in reading.encoders:
        width = setting.encoders[encoder.name].width
        columns.append(slice(at, at + width))
        at += width
    return columns
