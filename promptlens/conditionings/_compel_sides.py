"""compel's arithmetic for one encoder: the texts of a prompt, their weights, blends and conjunctions; formulas in compel.py.

Used by hosts that run compel, each with its own layers and its own way to fill up the encoder with fewer windows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import pi, tan

import numpy as np

from promptlens.conditionings import Answers, Ask, FloatArray, Job
from promptlens.conditionings._asks import end_embedding, make_ask
from promptlens.conditionings._compel_masks import hidden_slots
from promptlens.conditionings._join import column, join_chunks
from promptlens.errors import ConditioningError
from promptlens.hosts import Chunk, EncoderUse, Fragment, window
from promptlens.models import Encoder
from promptlens.report import Line

EPSILON = 1e-5  # the smallest weight below 1, so that tan stays finite


@dataclass(frozen=True, slots=True)
class Layer:
    """Which layer of an encoder, counted from the end, and whether the final norm follows."""

    encoder: Encoder
    number: int
    final_norm: bool

    def ask(self, job: Job, ids: Sequence[int], hide: frozenset[int] = frozenset()) -> Ask:
        """The window of some ids. A hidden end token is put in as a vector, for the encoder reads pooled at the first that it sees."""
        vectors = {}
        if hide and self.encoder.eos in ids and ids.index(self.encoder.eos) in hide:
            vectors = dict.fromkeys((slot for slot in hide if ids[slot] == self.encoder.eos), end_embedding(job, self.encoder))
            ids = [0 if slot in vectors else token_id for slot, token_id in enumerate(ids)]
        return make_ask(job, self.encoder, ids, self.number, final_norm=self.final_norm, vectors=vectors, hide=tuple(hide))


@dataclass(frozen=True, slots=True)
class _Version:
    """A text with all its fragments, or with one hidden or gone: its chunks, their weights, and its share `k` of the mean."""

    share: float
    chunks: tuple[tuple[Ask, tuple[float, ...]], ...]


@dataclass(frozen=True, slots=True)
class _Part:
    """A member of `.and`: its texts, each with its share in a blend."""

    texts: tuple[tuple[_Version, ...], ...]
    shares: tuple[float, ...]
    normalize: bool
    weight: float


@dataclass(frozen=True, slots=True)
class Side:
    """What one encoder is asked."""

    parts: tuple[_Part, ...]
    empty: Ask

    @property
    def windows(self) -> int:
        return sum(max(len(text[0].chunks) for text in part.texts) for part in self.parts)

    @property
    def asks(self) -> Iterator[Ask]:
        """Every window; the empty prompt's only where it is needed."""
        weighted = False
        for part in self.parts:
            weighted = weighted or part.weight != 1 or len({len(text[0].chunks) for text in part.texts}) > 1
            for ask, weights in (chunk for text in part.texts for version in text for chunk in version.chunks):
                weighted = weighted or any(w != 1.0 for w in weights)
                yield ask
        if weighted:
            yield self.empty


def make_side(job: Job, number: int, layer: Layer) -> Side:
    """What the encoder of a number in the model is asked for the whole prompt."""
    parts = []
    for _, lines in groupby(job.usage.lines, key=lambda line: line.parsed.part):
        texts = [line for line in lines if line.parsed.mix is None or line.parsed.mix.kind != "replacement"]
        mixes = [line.parsed.mix for line in texts]
        shares = tuple(mix.weight if mix else 1.0 for mix in mixes)
        versions = tuple(tuple(_versions(job, line, line.encoders[number], layer)) for line in texts)
        parts.append(_Part(versions, shares, all(mix is None or mix.normalize for mix in mixes), texts[0].parsed.weight))
    return Side(tuple(parts), layer.ask(job, window([], layer.encoder)))


def side_of_texts(job: Job, texts: Sequence[Line], number: int, layer: Layer) -> Side:
    """What one encoder is asked for texts that are joined one after the other, each as it is."""
    versions = [tuple(_versions(job, text, text.encoders[number], layer)) for text in texts]
    parts = tuple(_Part((version,), (1.0,), True, 1.0) for version in versions)
    return Side(parts, layer.ask(job, window([], layer.encoder)))


def _versions(job: Job, line: Line, use: EncoderUse, layer: Layer) -> Iterator[_Version]:
    """The text as it is, and once more for every fragment of weight below 1."""
    options = job.usage.options
    # Options of compel's own host; others that run it leave the first at its default, and never truncate.
    downweight_mode, truncate = getattr(options, "downweight_mode", "MASK"), getattr(options, "truncate_long_prompts", False)
    yield _Version(1.0, _chunks(job, use.chunks, layer))
    if all(fragment.weight >= 1 for fragment in line.fragments):
        return
    hidden = hidden_slots(use, line.fragments, truncate=truncate)
    for n, (fragment, slots) in enumerate(zip(line.fragments, hidden, strict=False)):  # fewer where truncation cuts fragments off
        if fragment.weight >= 1:
            continue
        share = tan((1.0 - max(EPSILON, fragment.weight)) * pi / 2)
        if downweight_mode == "MASK":
            yield _Version(share, _chunks(job, use.chunks, layer, slots or frozenset()))
        else:
            yield _Version(share, _chunks(job, _without(job, line, n, use), layer))


def _chunks(
    job: Job, chunks: Sequence[Chunk], layer: Layer, slots: frozenset[int] = frozenset()
) -> tuple[tuple[Ask, tuple[float, ...]], ...]:
    """Asks and weights of the windows of a text, `slots` of them hidden."""
    size = layer.encoder.window
    return tuple(
        (layer.ask(job, chunk.ids, frozenset(slot - n * size for slot in slots if slot // size == n)), chunk.weights)
        for n, chunk in enumerate(chunks)
    )


def _without(job: Job, line: Line, number: int, use: EncoderUse) -> tuple[Chunk, ...]:
    """The windows of a text without one of its fragments, which compel can only average with as many of the whole text."""
    left = (*line.fragments[:number], *line.fragments[number + 1 :]) or (Fragment(""),)
    usage = job.usage
    chunks = usage.host.pack(replace(line.parsed, fragments=left), use.encoder, usage.model, usage.options).chunks
    if len(chunks) != len(use.chunks):
        raise ConditioningError(
            f"compel fails on this prompt (RuntimeError): without {line.fragments[number].text!r} it needs {len(chunks)} instead of "
            f'{len(use.chunks)} windows, and downweight_mode "REMOVE" averages the two.'
        )
    return chunks


def side_rows(side: Side, answers: Answers) -> FloatArray:
    """The rows (positions, width) of an encoder, members of `.and` one after the other."""
    return join_chunks([_part(part, side.empty, answers) for part in side.parts])


def _part(part: _Part, empty: Ask, answers: Answers) -> FloatArray:
    """A member of `.and`, in its weight."""
    texts = [_mean([_weighed(v, empty, answers) for v in text], [v.share for v in text]) for text in part.texts]
    windows = max(len(text[0].chunks) for text in part.texts)
    whole = _mean([filled(text, windows, empty, answers) for text in texts], part.shares, normalize=part.normalize)
    if part.weight == 1:
        return whole
    nothing = filled(whole[:0], windows, empty, answers)
    return nothing + (whole - nothing) * np.float32(part.weight)


def _weighed(version: _Version, empty: Ask, answers: Answers) -> FloatArray:
    rows = []
    for ask, weights in version.chunks:
        z, plain = answers[ask].hidden, np.asarray(weights) == 1.0
        if not plain.all():
            nothing = answers[empty].hidden
            z = np.where(plain[:, None], z, nothing + (z - nothing) * column(weights))
        rows.append(z)
    return join_chunks(rows)


def _mean(values: Sequence[FloatArray], shares: Sequence[float], *, normalize: bool = True) -> FloatArray:
    """The weighted mean, or the weighted sum; one value with a share of 1 is left as it is."""
    weights = np.asarray(shares, dtype=np.float32)
    if normalize:
        weights = weights / weights.sum()
    return np.asarray(sum(value * weight for value, weight in zip(values, weights, strict=True)), dtype=np.float32)


def filled(rows: FloatArray, windows: int, empty: Ask, answers: Answers) -> FloatArray:
    """Rows of so many windows, encoded empty ones at the end."""
    missing = windows - len(rows) // len(empty.window.ids)
    return join_chunks([rows, *[answers[empty].hidden] * missing]) if missing else rows
