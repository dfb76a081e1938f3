"""Fooocus, which runs SDXL alone.

With `h1 ... hn` the layers of an encoder and `empty` the encoded empty prompt (padded as the encoder's windows are), a chunk is

    z        h[n-1] of both encoders without the final norm; its setting CLIP skip k takes h[n+1-k] instead (2 is its default)
    y        empty + (z - empty) * w, place by place; places of weight 1 are left as they are
    result   y * mean(z) / mean(y), both means over all 77 places and the whole width of this chunk and encoder

each encoder on its own. The lines of a prompt are encoded apart and joined; pooled is the sum, over the lines, of that of their first
chunks: LN(h[n]) of clip-g at EOS after the projection. Read in Fooocus 2.5.5, modules/patch_clip.py (`encode_token_weights_fooocus`) and
modules/default_pipeline.py (`clip_encode`), not observed. Left out: styles and the prompt expansion, which add texts of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from promptlens.conditionings import Answers, Conditioner, Conditioning, FloatArray, Job, Recipe
from promptlens.conditionings._asks import check_part, default_layer, projected
from promptlens.conditionings._comfy_sides import Side, chunk_rows, make_side
from promptlens.conditionings._join import join_chunks, join_encoders
from promptlens.errors import ConditioningError


def recipe(job: Job) -> Recipe:
    check_part(job, 1)
    model = job.usage.model
    if not model.encoders[-1].pooled:
        raise ConditioningError(f"Fooocus runs SDXL and its kin alone, so it makes no tensor for {model.title}. Take the model sdxl.")
    sides = [
        [make_side(job, line, n, encoder, job.clip_skip or default_layer(encoder)) for line in job.usage.lines]
        for n, encoder in enumerate(model.encoders)
    ]
    asks = dict.fromkeys(ask for lines in sides for side in lines for ask in side.all_asks)
    return Recipe(tuple(asks), partial(_finish, job, sides))


def _finish(job: Job, sides: Sequence[Sequence[Side]], answers: Answers) -> Conditioning:
    joined = [join_chunks([_rescaled(side, n, answers) for side in lines for n in range(len(side.asks))]) for lines in sides]
    pooled = np.stack([projected(answers, side.asks[0]) for side in sides[-1]]).sum(axis=0, dtype=np.float32)
    return Conditioning(join_encoders(job, joined), pooled)


def _rescaled(side: Side, n: int, answers: Answers) -> FloatArray:
    """A chunk in its weights, brought back to its own mean. Means are quotients of small numbers: summed in double."""
    rows = chunk_rows(side, n, answers)
    if side.empty is None:
        return rows
    with np.errstate(all="ignore"):  # what comes of a mean of zero is the host's own answer
        factor = answers[side.asks[n]].hidden.mean(dtype=np.float64) / rows.mean(dtype=np.float64)
        return rows * np.float32(factor)


CONDITIONER = Conditioner(
    recipe=recipe,
    reference="Fooocus 2.5.5 (59f183ab): modules/patch_clip.py, modules/default_pipeline.py, modules/async_worker.py; read, not observed",
)
