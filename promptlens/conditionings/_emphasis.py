"""Emphasis of the AUTOMATIC1111 family: what weights do to a chunk after it was encoded.

With `z` (positions, width) of a chunk and the weights `w` of its places, 1 for BOS, EOS and padding:

    Original   y = z * w, then y * mean(z) / mean(y)
    No norm    z * w
    Ignore     z; the syntax was read and taken out
    None       z; the syntax was read as words

Both means are over every number of the call: all places of this chunk, of all texts that prompt editing makes of the prompt, each as
often as it is in the schedule. So a weight in one chunk leaves the others alone, but scales the same chunk of the other texts.
Source: stable-diffusion-webui 1.10.0, modules/sd_emphasis.py; observed there and in Forge. `mean(z)` is small beside the spread of
`z`, so the factor is a quotient of small numbers: sums are in double.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from promptlens.conditionings import Answers, Ask, FloatArray
from promptlens.conditionings._join import column

Emphasis = Literal["Original", "No norm", "Ignore", "None"]


class Weighted(NamedTuple):
    """A chunk with the weights of its places; `times`: how often its text is in the call."""

    ask: Ask
    weights: tuple[float, ...]
    times: int = 1

    @property
    def plain(self) -> bool:
        return all(w == 1.0 for w in self.weights)


def emphasized(chunk: Weighted, call: Sequence[Weighted], emphasis: Emphasis, answers: Answers) -> FloatArray:
    """A chunk as the host hands it on; `call` are all chunks that are encoded with it, itself among them."""
    z = answers[chunk.ask].hidden
    if emphasis in ("Ignore", "None"):
        return z
    # A weight may be anything a float can be; what comes of infinity or of a mean of zero is the host's own answer.
    with np.errstate(all="ignore"):
        weighted = _multiplied(chunk, answers)
        if emphasis == "No norm" or not rescales(call, emphasis):
            return weighted
        before = sum(c.times * answers[c.ask].hidden.sum(dtype=np.float64) for c in call)
        after = sum(c.times * _multiplied(c, answers).sum(dtype=np.float64) for c in call)
        return weighted * np.float32(before / after)


def rescales(call: Sequence[Weighted], emphasis: Emphasis) -> bool:
    """Whether the other chunks of the call matter: with weights of 1 the factor is exactly 1."""
    return emphasis == "Original" and not all(c.plain for c in call)


def _multiplied(chunk: Weighted, answers: Answers) -> FloatArray:
    return answers[chunk.ask].hidden * column(chunk.weights)
