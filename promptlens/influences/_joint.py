"""Texts as points: their pooled vectors in the space shared with pictures, to be compared by cosine.

Of a model with two encoders the one whose pooled vector the model takes speaks (SDXL: clip-g), else the first. Vectors are projected where
the weights have a projection. A text of several windows is the mean of their vectors, each made as long as 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from promptlens.influences._encoding import Vectors, pool
from promptlens.influences._lenses import Case, windows
from promptlens.influences._reading import Reading, Setting, run_numbers
from promptlens.models import Encoder, Model

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from promptlens.encoder.interface import Progress


class Points(NamedTuple):
    """`rows` (texts, width) of length 1; `projected`: in the space shared with pictures."""

    rows: NDArray[np.float64]
    projected: bool


def joint_encoder(model: Model) -> tuple[int, Encoder]:
    """Number and row of the encoder that speaks for a model: the last that is run whose pooled vector it takes, else the first."""
    run = [(n, model.encoders[n]) for n in run_numbers(model)]
    return next(((n, e) for n, e in reversed(run) if e.pooled), run[0])


def points(setting: Setting, cases: Sequence[Case], progress: Progress | None = None) -> Points:
    """Every case as a point."""
    number, encoder = joint_encoder(cases[0].reading.usage.model)
    asked = [windows(case, number) for case in cases]
    found = pool({encoder.name: [w for a in asked for w in a]}, {encoder.name: asked[0]}, setting.encoders, progress)
    rows = np.stack([_mean([found[encoder.name, w] for w in a]) for a in asked])
    return Points(rows, all(v.projected is not None for v in found.values()))


def _mean(vectors: Sequence[Vectors]) -> NDArray[np.float64]:
    rows = np.stack([(v.pooled if v.projected is None else v.projected).astype(np.float64) for v in vectors])
    return _unit(_unit(rows).mean(axis=0))


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    length = np.linalg.norm(rows, axis=-1, keepdims=True)
    unit: NDArray[np.float64] = rows / np.maximum(length, 1e-30)
    return unit


def closeness(setting: Setting, target: Reading, cases: Sequence[Case]) -> list[float]:
    """Cosine of every case with a target text."""
    found = points(setting, [*cases, Case(target)]).rows
    return [float(c) for c in found[:-1] @ found[-1]]
