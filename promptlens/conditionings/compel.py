"""compel.

With `h1 ... hn` the layers of an encoder, LN its final norm and `empty` the encoded empty prompt, the chunks of one text are

    z        SD1: LN(h[n]), or LN(h[n-1]) with PENULTIMATE_HIDDEN_STATES_NORMALIZED; SDXL: h[n-1] of both encoders without LN
    Z        empty + (z - empty) * w, place by place, weights below 1 included; places of weight 1 are left as they are
    result   (Z + sum k(f) Z(f)) / (1 + sum k(f)) over the fragments f of weight below 1, with k(f) = tan((1 - max(1e-5, w)) * pi / 2)

where Z(f) is made with the fragment's places hidden from attention (downweight_mode "MASK") or of the prompt without it ("REMOVE"). Then

    .blend   sum s(i) c(i) / sum s(i) of the members, without the division for no_normalize; short ones are filled up with `empty`
    .swap    the original words
    .and     members one after the other; one of weight v becomes empty + (c - empty) * v

each encoder of SDXL on its own, the shorter filled up with its `empty`. Pooled is LN(h[n]) of clip-g at EOS after the projection, of the
prompt as typed, syntax and all, cut at 75 tokens. Observed in CompelForSDXL and `Compel`; SD2 was read: its text encoder comes without the
last layer. Left out: `Compel` with two encoders where they make different numbers of windows (it fails), copied or merged CLS tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from promptlens.analysis import analyze
from promptlens.conditionings import Answers, Ask, Conditioner, Conditioning, Job, Recipe
from promptlens.conditionings._asks import check_part, default_layer, make_ask, projected
from promptlens.conditionings._compel_sides import Layer, Side, filled, make_side, side_rows
from promptlens.conditionings._join import join_encoders
from promptlens.errors import OptionError
from promptlens.models import Encoder


def recipe(job: Job) -> Recipe:
    check_part(job, 1)
    model = job.usage.model
    sides = [make_side(job, n, _layer(job, encoder)) for n, encoder in enumerate(model.encoders)]
    longest = max(side.windows for side in sides)
    asks = [ask for side in sides for ask in (*side.asks, *([side.empty] if side.windows < longest else []))]
    typed = _typed(job) if model.encoders[-1].pooled else None
    asks += [typed] if typed else []
    return Recipe(tuple(dict.fromkeys(asks)), partial(_finish, job, sides, longest, typed))


def _layer(job: Job, encoder: Encoder) -> Layer:
    """The layer of `returned_embeddings_type`, or of clip skip. compel reaches the last two layers that an encoder comes with."""
    last = default_layer(encoder) if encoder.final_norm else 1
    wanted = job.usage.options.returned_embeddings_type
    if job.clip_skip is not None:
        if wanted is not None:
            raise OptionError("Give clip_skip or returned_embeddings_type, not both.")
        if job.clip_skip == default_layer(encoder):
            return Layer(encoder, job.clip_skip, encoder.final_norm)
        if job.clip_skip != last + 1 or not encoder.final_norm:
            allowed = f"{last} or {last + 1}" if encoder.final_norm else f"{last + 1}"
            raise OptionError(f"compel reaches the last two layers of an encoder: clip_skip is {allowed} for {job.usage.model.name}.")
        return Layer(encoder, job.clip_skip, True)
    if wanted is None:
        return Layer(encoder, default_layer(encoder), encoder.final_norm)
    return Layer(encoder, last + wanted.startswith("PENULTIMATE"), not wanted.endswith("NON_NORMALIZED"))


def _typed(job: Job) -> Ask:
    """The window of the prompt as typed, which pooled is read from."""
    usage = job.usage
    options = {"tokenizer": usage.options.tokenizer, "ftfy": usage.options.ftfy}
    use = analyze(usage.prompt, "diffusers", usage.model.name, **options).usage.encoders[-1]
    return make_ask(job, use.encoder, use.chunks[0].ids, default_layer(use.encoder))


def _finish(job: Job, sides: Sequence[Side], longest: int, typed: Ask | None, answers: Answers) -> Conditioning:
    with np.errstate(all="ignore"):  # shares of a blend may add up to 0, and what comes of it is the host's own answer
        joined = [filled(side_rows(side, answers), longest, side.empty, answers) for side in sides]
    return Conditioning(join_encoders(job, joined), projected(answers, typed) if typed else None)


CONDITIONER = Conditioner(
    recipe=recipe,
    reference="compel 2.5.1: compel.py, embeddings_provider.py, convenience_wrappers.py; observed",
)
