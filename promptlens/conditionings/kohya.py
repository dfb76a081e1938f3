"""kohya's sd-scripts: what the U-Net is trained on.

With `h1 ... hn` the layers of an encoder and LN its final norm, a window of 77 slots is

    z        SD1: LN(h[n]), with clip skip k LN(h[n+1-k]); SD2: LN(h[n-1]); SDXL: h[n-1] of both encoders without LN, and no clip skip
    joined   the first row of the first window, the 75 rows between of each, the last row of the last: 75 * windows + 2 in all
    result   joined * w, place by place, the weights of weighted_captions; nothing is restored

Pooled of SDXL is LN(h[n]) of clip-g at the first EOS of the first window, after the projection, untouched by weights (a window without
EOS is read at its first slot). The branch for SD2 that means to copy the padding over the EOS of empty windows compares an id with a text,
so it does nothing. Read in sd-scripts, library/strategy_sd.py (`encode_tokens`, `encode_tokens_with_weights`) and library/strategy_sdxl.py
(`_get_hidden_states_sdxl`, `_pool_workaround`), not observed. Left out: caption and tag dropout.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from promptlens.conditionings import Answers, Ask, Conditioner, Conditioning, FloatArray, Job, Recipe
from promptlens.conditionings._asks import default_layer, make_ask, only_line, projected
from promptlens.conditionings._join import column, join_chunks, join_encoders
from promptlens.errors import OptionError
from promptlens.hosts import Chunk

_Side = tuple[tuple[Chunk, Ask], ...]


def recipe(job: Job) -> Recipe:
    line, model = only_line(job), job.usage.model
    if job.clip_skip is not None and len(model.encoders) > 1:
        raise OptionError(f"{job.usage.host.title} has no clip skip for {model.name}; leave clip_skip out.")
    sides = [
        tuple((chunk, make_ask(job, encoder, chunk.ids, job.clip_skip or default_layer(encoder))) for chunk in use.chunks)
        for encoder, use in zip(model.encoders, line.encoders, strict=True)
    ]
    return Recipe(tuple(dict.fromkeys(ask for side in sides for _, ask in side)), partial(_finish, job, sides))


def _finish(job: Job, sides: Sequence[_Side], answers: Answers) -> Conditioning:
    hidden = join_encoders(job, [_joined(side, answers) for side in sides])
    return Conditioning(hidden, projected(answers, sides[-1][0][1]) if job.usage.model.encoders[-1].pooled else None)


def _joined(side: _Side, answers: Answers) -> FloatArray:
    """The windows as one long one: its first row, what is between, its last row."""
    first, last = side[0][1], side[-1][1]
    with np.errstate(all="ignore"):  # a weight may be infinite, and what comes of it is the host's own answer
        between = [(answers[ask].hidden * column(chunk.weights))[1:-1] for chunk, ask in side]
    return join_chunks([answers[first].hidden[:1], *between, answers[last].hidden[-1:]])


CONDITIONER = Conditioner(
    recipe=recipe,
    reference="sd-scripts: library/strategy_sd.py, library/strategy_sdxl.py; read, not observed",
    one_long_window=True,
)
