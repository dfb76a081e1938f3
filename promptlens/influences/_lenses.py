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
from promptlens.errors import WeightsError
from promptlens.influences._encoding import Vectors, answer, pool
from promptlens.influences._reading import Reading, Setting, hidden, is_of, places
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
    names = [e.name for e in cases[0].reading.usage.model.encoders]
    asked = [[windows(case, n) for n in range(len(names))] for case in cases]
    uneven = {n for n in range(len(names)) if len({len(a[n]) for a in asked}) > 1}
    wanted: dict[str, list[Window]] = {}
    for n, name in enumerate(names):
        wanted[name] = [w for a in asked for w in a[n]] + ([cases[0].reading.empty(n)] if n in uneven else [])
    found = pool(wanted, {name: asked[0][n] for n, name in enumerate(names)}, setting.encoders, progress)
    longest = [max(len(a[n]) for a in asked) for n in range(len(names))]
    return [Looked(tuple(tuple(_filled(a[n], cases[0].reading, n, longest[n], found)) for n in range(len(names)))) for a in asked]


def _filled(
    asked: Sequence[Window], reading: Reading, number: int, length: int, found: Mapping[tuple[str, Window], Vectors]
) -> Iterator[Vectors]:
    name = reading.usage.model.encoders[number].name
    yield from (found[name, w] for w in asked)
    for _ in range(length - len(asked)):
        yield found[name, reading.empty(number)]


def look_conditioning(setting: Setting, cases: Sequence[Case], progress: Progress | None = None) -> list[Looked]:
    """The tensor of every case."""
    recipes: dict[str, Recipe] = {}
    for case in cases:
        text = case.reading.usage.prompt
        if text not in recipes:
            recipes[text] = setting.recipe(text)
    own = recipes[cases[0].reading.usage.prompt]
    swapped = [_swapped(case, recipes[case.reading.usage.prompt]) for case in cases]
    answers = answer([a for asks in swapped for a in asks.values()], own.asks, setting.encoders, progress)
    found = []
    for case, asks in zip(cases, swapped, strict=True):
        given: dict[Ask, Answer] = {asked: answers[instead] for asked, instead in asks.items()}
        found.append(recipes[case.reading.usage.prompt].finish(given))
    return [Looked(tensor=tensor) for tensor in _equally_long(setting, found)]


def _swapped(case: Case, recipe: Recipe) -> dict[Ask, Ask]:
    """What is encoded in place of each window that a host asks for: the same with the masked words hidden."""
    if not case.masked:
        return {ask: ask for ask in recipe.asks}
    chunks = [(e.name, c) for n, e in enumerate(case.reading.usage.model.encoders) for c in case.reading.chunks(n)]
    found = {}
    for ask in recipe.asks:
        chunk = next((c for name, c in chunks if name == ask.encoder and is_of(c, ask.window)), None)
        window = ask.window if chunk is None else hidden(ask.window, places(chunk, case.masked))
        found[ask] = Ask(ask.encoder, window, ask.layer, ask.final_norm)
    return found


def _equally_long(setting: Setting, tensors: Sequence[Conditioning]) -> list[Conditioning]:
    """Tensors of the same number of positions: the shorter go on with the host's empty prompt."""
    length = max(len(t.hidden) for t in tensors)
    if all(len(t.hidden) == length for t in tensors):
        return list(tensors)
    recipe = setting.recipe("")
    empty = recipe.finish(answer(recipe.asks, (), setting.encoders)).hidden
    return [Conditioning(_extended(t.hidden, empty, length), t.pooled) for t in tensors]


def _extended(rows: FloatArray, empty: FloatArray, length: int) -> FloatArray:
    missing = length - len(rows)
    times = -(-missing // len(empty))
    return np.concatenate([rows, np.tile(empty, (times, 1))[:missing]]) if missing else rows


def distance(setting: Setting, reading: Reading, a: Looked, b: Looked) -> Distance:
    """How far the second is from the first."""
    if a.tensor is not None and b.tensor is not None:
        return _relative(setting, reading, a.tensor, b.tensor)
    each = []
    for number, encoder in enumerate(reading.usage.model.encoders):
        pairs = zip(a.vectors[number], b.vectors[number], strict=True)
        each.append(sum(1.0 - cosine(vector(u, encoder.name, projected=encoder.pooled), vector(v, encoder.name, projected=encoder.pooled))
                        for u, v in pairs))  # fmt: skip
    return Distance(sum(each) / len(each), tuple(each))


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
    for number, columns in enumerate(encoder_columns(setting, reading)):
        takes_pooled = a.pooled is not None and number == len(reading.usage.model.encoders) - 1
        before = [a.hidden[:, columns]] + ([a.pooled] if takes_pooled and a.pooled is not None else [])
        after = [b.hidden[:, columns]] + ([b.pooled] if takes_pooled and b.pooled is not None else [])
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
    for encoder in reading.usage.model.encoders:
        width = setting.encoders[encoder.name].width
        columns.append(slice(at, at + width))
        at += width
    return columns
