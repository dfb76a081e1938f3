"""ComfyUI.

With `h1 ... hn` the layers of an encoder, LN its final norm, and `empty` the encoded empty prompt (padded as the encoder's windows are),
a chunk is

    z        SD1: LN(h[n]), SD2: LN(h[n-1]), SDXL: h[n-1] of both encoders without LN; CLIP Set Last Layer -k takes h[n+1-k] instead
    result   empty + (z - empty) * w, place by place; places of weight 1 are left as they are

each encoder of SDXL on its own. Set Last Layer past the encoder's layers gives LN(h[n]). Pooled is that of the first chunk, without
weights: of SD1 LN(h[n]) at EOS, of SDXL the same of clip-g after the projection; none is given for SD2, which has no use for it.
SD1 and SDXL were observed, the rest was read. Left out: nodes that combine conditionings.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from promptlens.conditionings import Answers, Ask, Conditioner, Conditioning, FloatArray, Job, Recipe
from promptlens.conditionings._asks import default_layer, make_ask, only_line, projected
from promptlens.conditionings._join import column, join_chunks, join_encoders
from promptlens.conditionings._vectors import embedding_vectors
from promptlens.hosts import window
from promptlens.hosts._comfy import PLACE_ID, find_embedding
from promptlens.models import Encoder
from promptlens.report import Line


class _Side(NamedTuple):
    """What one encoder is asked: its chunks with their weights, and the empty prompt if a weight is not 1."""

    asks: tuple[Ask, ...]
    weights: tuple[tuple[float, ...], ...]
    empty: Ask | None


def recipe(job: Job) -> Recipe:
    line = only_line(job)
    sides = [_side(job, line, n, encoder) for n, encoder in enumerate(job.usage.model.encoders)]
    asks = dict.fromkeys(ask for side in sides for ask in (*side.asks, side.empty) if ask)
    return Recipe(tuple(asks), partial(_finish, job, sides))


def _side(job: Job, line: Line, number: int, encoder: Encoder) -> _Side:
    given = job.encoders[encoder.name]
    layer = job.clip_skip or default_layer(encoder)
    final_norm = encoder.final_norm
    if layer > given.layers + given.missing_layers:
        layer, final_norm = 1, True
    chunks = line.encoders[number].chunks
    vectors = _vectors(job, line, encoder)
    asks = []
    for chunk in chunks:
        placed = {position: next(vectors) for position, token_id in enumerate(chunk.ids) if token_id == PLACE_ID}
        asks.append(make_ask(job, encoder, chunk.ids, layer, final_norm=final_norm, vectors=placed))
    weighted = any(w != 1.0 for chunk in chunks for w in chunk.weights)
    empty = make_ask(job, encoder, window([], encoder), layer, final_norm=final_norm) if weighted else None
    return _Side(tuple(asks), tuple(chunk.weights for chunk in chunks), empty)


def _vectors(job: Job, line: Line, encoder: Encoder) -> Iterator[FloatArray]:
    """The vectors of all embeddings of a text in order, as their places are in the chunks."""
    known = job.usage.options.embeddings
    names = list(known)
    for fragment in line.fragments:
        if fragment.kind == "embedding":
            number = find_embedding(fragment.text, {name: n for n, name in enumerate(names)})
            assert number is not None  # it was found when the prompt was read
            yield from embedding_vectors(job, names[number], encoder)


def _finish(job: Job, sides: Sequence[_Side], answers: Answers) -> Conditioning:
    joined = [join_chunks([_weighed(side, n, answers) for n in range(len(side.asks))]) for side in sides]
    return Conditioning(join_encoders(job, joined), _pooled(job, sides[-1].asks[0], answers))


def _weighed(side: _Side, n: int, answers: Answers) -> FloatArray:
    z = answers[side.asks[n]].hidden
    if side.empty is None:
        return z
    weights, plain = column(side.weights[n]), np.asarray(side.weights[n]) == 1.0
    empty = answers[side.empty].hidden
    with np.errstate(all="ignore"):  # a weight may be infinite, and what comes of it is the host's own answer
        return np.where(plain[:, None], z, (z - empty) * weights + empty)


def _pooled(job: Job, first: Ask, answers: Answers) -> FloatArray | None:
    encoder = job.usage.model.encoders[-1]
    if encoder.pooled:
        return projected(answers, first)
    return answers[first].pooled if default_layer(encoder) == 1 else None


CONDITIONER = Conditioner(
    recipe=recipe,
    reference="ComfyUI 0.3.64 (a125cd84): comfy/sd1_clip.py, comfy/sdxl_clip.py, comfy/clip_model.py; observed",
)
