"""sd_embed: weighted long prompts for diffusers pipelines.

With `h1 ... hn` the layers of an encoder and LN its final norm, a group (as long as its ids, up to 77) is

    z        SD1: LN(h[n]), with the function's own clip_skip=k LN(h[n-k]); `clip_skip` here counts from the end, so it is k + 1
             SDXL: h[n-1] of both encoders without LN, which has no clip skip
    result   z * w, place by place, `w` rounded to half precision first (1.3 is 1.2998047); no mean is restored

SDXL takes the weights of the first tokenizer's groups for both encoders, wherever the second put its tokens. Pooled is LN(h[n]) of clip-g
at EOS after the projection, of the last group. Observed; SD2, which the SD1 function takes too, was read: its text encoder comes without
the last layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from promptlens.conditionings import Answers, Ask, Conditioner, Conditioning, FloatArray, Job, Recipe
from promptlens.conditionings._asks import default_layer, make_ask, only_line, projected
from promptlens.conditionings._join import join_chunks, join_encoders
from promptlens.errors import OptionError

_Weights = tuple[tuple[float, ...], ...]


def recipe(job: Job) -> Recipe:
    line, model = only_line(job), job.usage.model
    # It encodes as many groups as the first tokenizer made, with that one's weights.
    groups = len(line.encoders[0].chunks)
    weights = tuple(chunk.weights for chunk in line.encoders[0].chunks)
    if job.clip_skip is not None and len(model.encoders) > 1:
        raise OptionError(f"{job.usage.host.title} has no clip skip for {model.name}; leave clip_skip out.")
    sides = [
        [make_ask(job, encoder, chunk.ids, job.clip_skip or default_layer(encoder)) for chunk in use.chunks[:groups]]
        for encoder, use in zip(model.encoders, line.encoders, strict=True)
    ]
    return Recipe(tuple(dict.fromkeys(ask for side in sides for ask in side)), partial(_finish, job, sides, weights))


def _finish(job: Job, sides: Sequence[Sequence[Ask]], weights: _Weights, answers: Answers) -> Conditioning:
    # Joined before they are weighted: groups of different lengths fail here, as in the host.
    joined = join_encoders(job, [join_chunks([answers[ask].hidden for ask in side]) for side in sides])
    pooled = projected(answers, sides[-1][-1]) if job.usage.model.encoders[-1].pooled else None
    with np.errstate(all="ignore"):  # past the range of half precision (65,504) a weight is infinite
        return Conditioning(joined * _halved(weights)[:, None], pooled)


def _halved(weights: _Weights) -> FloatArray:
    """Weights of all places, rounded to half precision."""
    return np.concatenate([np.asarray(w, dtype=np.float64).astype(np.float16) for w in weights]).astype(np.float32)


CONDITIONER = Conditioner(
    recipe=recipe,
    reference="sd_embed 1.240829.1 (4a47f711): get_weighted_text_embeddings_sd15 and _sdxl in src/sd_embed/embedding_funcs.py; observed",
)
