"""ComfyUI's arithmetic for one text; formulas in comfyui.py. Used by hosts that run ComfyUI or were made from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from promptlens.conditionings import Answers, Ask, Conditioning, FloatArray, Job, Recipe
from promptlens.conditionings._asks import default_layer, make_ask, projected
from promptlens.conditionings._join import column, join_chunks, join_encoders
from promptlens.conditionings._vectors import embedding_vectors
from promptlens.hosts import window
from promptlens.hosts._comfy import PLACE_ID, find_embedding
from promptlens.models import Encoder
from promptlens.report import Line


def line_recipe(job: Job, line: Line) -> Recipe:
    """The recipe of one of the texts of a prompt, all of its sections joined."""
    sides = [_side(job, line, n, encoder) for n, encoder in enumerate(job.usage.model.encoders)]
    return Recipe(tuple(dict.fromkeys(ask for side in sides for ask in side.all_asks)), partial(_finish, job, sides))


def _side(job: Job, line: Line, number: int, encoder: Encoder) -> Side:
    given = job.encoders[encoder.name]
    layer = job.clip_skip or default_layer(encoder)
    if layer > given.layers + given.missing_layers:
        return make_side(job, line, number, encoder, 1, final_norm=True)
    return make_side(job, line, number, encoder, layer)


def _finish(job: Job, sides: Sequence[Side], answers: Answers) -> Conditioning:
    return Conditioning(join_encoders(job, [side_rows(side, answers) for side in sides]), _pooled(job, sides[-1].asks[0], answers))


def _pooled(job: Job, first: Ask, answers: Answers) -> FloatArray | None:
    encoder = job.usage.model.encoders[-1]
    if encoder.pooled:
        return projected(answers, first)
    return answers[first].pooled if default_layer(encoder) == 1 else None


class Side(NamedTuple):
    """What one encoder is asked: its chunks with their weights, and the empty prompt if a weight is not 1."""

    asks: tuple[Ask, ...]
    weights: tuple[tuple[float, ...], ...]
    empty: Ask | None

    @property
    def all_asks(self) -> tuple[Ask, ...]:
        return (*self.asks, *([self.empty] if self.empty else []))


def make_side(job: Job, line: Line, number: int, encoder: Encoder, layer: int, *, final_norm: bool | None = None) -> Side:
    """The windows of a text, with the vectors of embeddings in place."""
    chunks = line.encoders[number].chunks
    vectors = _vectors(job, line, encoder)
    asks = []
    for chunk in chunks:
        placed = {position: next(vectors) for position, token_id in enumerate(chunk.ids) if token_id == PLACE_ID}
        asks.append(make_ask(job, encoder, chunk.ids, layer, final_norm=final_norm, vectors=placed))
    weighted = any(w != 1.0 for chunk in chunks for w in chunk.weights)
    empty = make_ask(job, encoder, window([], encoder), layer, final_norm=final_norm) if weighted else None
    return Side(tuple(asks), tuple(chunk.weights for chunk in chunks), empty)


def _vectors(job: Job, line: Line, encoder: Encoder) -> Iterator[FloatArray]:
    """The vectors of all embeddings of a text in order, as their places are in the chunks."""
    known = job.usage.options.embeddings
    names = list(known)
    for fragment in line.fragments:
        if fragment.kind == "embedding":
            number = find_embedding(fragment.text, {name: n for n, name in enumerate(names)})
            assert number is not None  # it was found when the prompt was read
            yield from embedding_vectors(job, names[number], encoder)


def side_rows(side: Side, answers: Answers) -> FloatArray:
    """The rows (positions, width) of all chunks."""
    return join_chunks([chunk_rows(side, n, answers) for n in range(len(side.asks))])


def chunk_rows(side: Side, n: int, answers: Answers) -> FloatArray:
    """The rows of one chunk in their weights."""
    z = answers[side.asks[n]].hidden
    if side.empty is None:
        return z
    weights, plain = column(side.weights[n]), np.asarray(side.weights[n]) == 1.0
    empty = answers[side.empty].hidden
    with np.errstate(all="ignore"):  # a weight may be infinite, and what comes of it is the host's own answer
        return np.where(plain[:, None], z, (z - empty) * weights + empty)
