"""Chunks one after the other, encoders side by side; weights as arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from promptlens.conditionings import FloatArray, Job
from promptlens.errors import ConditioningError


def column(weights: Sequence[float]) -> FloatArray:
    """Weights of places (positions, 1), ready to multiply rows with; what is too large for float32 is infinite."""
    with np.errstate(over="ignore"):
        return np.asarray(weights, dtype=np.float32)[:, None]


def join_chunks(chunks: Sequence[FloatArray]) -> FloatArray:
    """(positions, width) of all chunks, joined along the positions."""
    return np.concatenate(chunks, axis=0)


def join_encoders(job: Job, sides: Sequence[FloatArray]) -> FloatArray:
    """(positions, all widths) of the encoders in the model's order, joined along the width.

    Raises `ConditioningError` where they have different numbers of positions, as the hosts cannot join them either.
    """
    if len({len(side) for side in sides}) > 1:
        names = [e.name for e in job.usage.model.encoders]
        counts = " and ".join(f"{len(side)} for {name}" for side, name in zip(sides, names, strict=True))
        raise ConditioningError(
            f"{job.usage.host.title} makes {counts} positions of this prompt and stops with an error, as it cannot join them. The two read "
            "it as different numbers of tokens, which `promptlens tokens` shows; shorten it until both have as many chunks."
        )
    return np.concatenate(sides, axis=1)
