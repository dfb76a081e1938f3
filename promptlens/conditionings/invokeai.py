"""InvokeAI, through compel: what is made of weights, blends and conjunctions is in compel.py.

With `h1 ... hn` the layers of an encoder and LN its final norm:

    SD1    LN(h[n]); k skipped layers give LN(h[n-k])
    SD2    LN(h[n-1]): its text encoder comes without the last layer
    SDXL   h[n-1] of both encoders without LN, each run by a compel of its own; the one with fewer windows is filled up with zeros
           pooled is LN(h[n]) of clip-g at EOS after the projection, of the prompt as typed, cut at 75 tokens

An empty prompt of SDXL is zeros throughout, pooled too. `.and` with weights other than 1 stops SDXL's second encoder with an error, as in
compel. `clip_skip` counts layers from the end, so k skipped ones are k + 1 here. Read in InvokeAI 6.14.0-alpha,
invokeai/app/invocations/compel.py (`run_clip_compel`), not observed; compel itself was. Left out: a style prompt for SDXL's second encoder,
textual inversions, and skipped layers with SDXL: the host takes them off the encoder, so pooled would be LN(h[n-k]) after the projection,
and an `Ask` gives pooled of the last layer alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from promptlens.conditionings import Answers, Ask, Conditioner, Conditioning, FloatArray, Job, Recipe
from promptlens.conditionings._asks import check_part, default_layer, make_ask, projected
from promptlens.conditionings._compel_sides import Layer, Side, make_side, side_rows
from promptlens.conditionings._join import join_encoders
from promptlens.errors import ConditioningError, OptionError
from promptlens.hosts import window
from promptlens.models import Encoder


def recipe(job: Job) -> Recipe:
    check_part(job, 1)
    model = job.usage.model
    pooled = model.encoders[-1].pooled
    if pooled and not job.usage.prompt:
        return Recipe((), partial(_zeros, job))
    if pooled and any(line.parsed.weight != 1 for line in job.usage.lines):
        raise ConditioningError(
            "InvokeAI fails on this prompt (AttributeError): weights in .and() cannot be encoded where the model also wants the pooled "
            "vector. Leave them out, or weigh the words themselves."
        )
    sides = [make_side(job, n, Layer(encoder, _layer(job, encoder), encoder.final_norm)) for n, encoder in enumerate(model.encoders)]
    asks = [ask for side in sides for ask in side.asks]
    typed = _typed(job) if pooled else None
    return Recipe(tuple(dict.fromkeys([*asks, *([typed] if typed else [])])), partial(_finish, job, sides, typed))


def _layer(job: Job, encoder: Encoder) -> int:
    default = default_layer(encoder)
    if job.clip_skip is None or job.clip_skip == default:
        return default
    if not encoder.final_norm:
        raise OptionError(
            f"InvokeAI's skipped layers change the pooled vector of {job.usage.model.name} too, which cannot be computed "
            f"here; clip_skip is {default} there: leave it out."
        )
    if job.clip_skip < default:
        raise OptionError(f"clip_skip is at least {default} for {job.usage.model.name}, whose text encoder comes without the last layer.")
    return job.clip_skip


def _typed(job: Job) -> Ask:
    """The window of the prompt as typed, which pooled is read from."""
    use = job.usage.lines[0].encoders[-1]
    assert use.stream is not None
    ids = use.stream.tokenizer.encode(job.usage.prompt)[: use.encoder.capacity]
    return make_ask(job, use.encoder, window(ids, use.encoder), default_layer(use.encoder))


def _finish(job: Job, sides: Sequence[Side], typed: Ask | None, answers: Answers) -> Conditioning:
    with np.errstate(all="ignore"):  # shares of a blend may add up to 0, and what comes of it is the host's own answer
        rows = [side_rows(side, answers) for side in sides]
    longest = max(len(r) for r in rows)
    return Conditioning(join_encoders(job, [_filled(r, longest) for r in rows]), projected(answers, typed) if typed else None)


def _filled(rows: FloatArray, positions: int) -> FloatArray:
    return np.concatenate([rows, np.zeros((positions - len(rows), rows.shape[1]), dtype=np.float32)])


def _zeros(job: Job, _answers: Answers) -> Conditioning:
    widths = [job.encoders[e.name].width for e in job.usage.model.encoders]
    positions = job.usage.model.encoders[0].window
    return Conditioning(np.zeros((positions, sum(widths)), dtype=np.float32), np.zeros(widths[-1], dtype=np.float32))


CONDITIONER = Conditioner(
    recipe=recipe,
    reference="InvokeAI 6.14.0-alpha (8e71a8a5) with compel 2.5.1: invokeai/app/invocations/compel.py; read, not observed",
)
