"""Cosines between words or tags, and between each and the whole prompt: topical closeness, not influence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from promptlens.analysis import DEFAULT_HOST, DEFAULT_MODEL
from promptlens.conditionings import Encoders
from promptlens.influences._joint import joint_encoder, points
from promptlens.influences._lenses import Case
from promptlens.influences._measure import check_choice, make_setting
from promptlens.influences._precision import precision_of
from promptlens.influences._reading import read
from promptlens.influences._result import Similarity
from promptlens.influences._units import UnitKind, units

if TYPE_CHECKING:
    from promptlens.encoder.interface import Progress


def similarity(
    text: str,
    host: str = DEFAULT_HOST,
    model: str = DEFAULT_MODEL,
    *,
    encoders: Encoders,
    unit: UnitKind = "word",
    until_step: int | None = None,
    part: int = 0,
    progress: Progress | None = None,
    **options: Any,
) -> Similarity:
    """How alike the words (or tags) of a prompt are to each other and to the whole of it.

    Each is read by the host as a prompt of its own. Pooled vectors, projected where the weights have a projection, of the encoder whose
    pooled vector the model takes (SDXL: clip-g), else of the first. Raises a child of `PromptLensError`.
    """
    check_choice("unit", unit, get_args(UnitKind))
    setting = make_setting(host, model, encoders, None, until_step, part, options)
    whole = read(setting, text)
    found = units(whole, unit)
    alone = make_setting(host, model, encoders, None, None, 0, options)
    seen = points(setting, [Case(whole), *(Case(read(alone, u.label)) for u in found)], progress)
    rows = seen.rows[1:]
    return Similarity(
        prompt=text,
        host=host,
        model=model,
        unit=unit,
        encoder=joint_encoder(whole.usage.model)[1].name,
        projected=seen.projected,
        spans=tuple(u.span for u in found),
        labels=tuple(u.label for u in found),
        values=np.clip(rows @ rows.T, -1.0, 1.0),
        whole=np.clip(rows @ seen.rows[0], -1.0, 1.0),
        precision=precision_of([encoders[joint_encoder(whole.usage.model)[1].name]]),
    )
