"""From chunks to windows that an encoder can read, and the layers that models and hosts name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from promptlens.conditionings import Answers, Ask, FloatArray, Job
from promptlens.encoder.windows import Vector, Window
from promptlens.errors import ConditioningError, OptionError, WeightsError
from promptlens.models import Encoder
from promptlens.report import Line

FROM_END = {"last": 1, "penultimate": 2}


def default_layer(encoder: Encoder) -> int:
    """The layer that the model was trained on, counted from the end.

    >>> from promptlens.models import MODELS
    >>> [default_layer(e) for e in MODELS["sdxl"].encoders]
    [2, 2]
    """
    return FROM_END[encoder.layer]


def make_ask(
    job: Job,
    encoder: Encoder,
    ids: Sequence[int],
    layer: int,
    *,
    final_norm: bool | None = None,
    vectors: Mapping[int, Any] | None = None,
    hide: Sequence[int] = (),
) -> Ask:
    """The window of a chunk. `vectors` are by position in it; ids under them need not be in the vocabulary.

    `final_norm`: None for as the model wants it. Raises `ConditioningError` for a window the encoder has no positions for.
    """
    if len(ids) > encoder.window:
        raise ConditioningError(
            f"{job.usage.host.title} makes a window of {len(ids)} slots for {encoder.name}, which has {encoder.window}; it stops with an "
            "error on this prompt. An embedding of more vectors than fit a chunk does that."
        )
    placed = tuple(Vector.at(position, values) for position, values in sorted((vectors or {}).items()))
    window = Window(tuple(ids), frozenset(hide), placed)
    return Ask(encoder.name, window, layer, encoder.final_norm if final_norm is None else final_norm)


def end_embedding(job: Job, encoder: Encoder) -> FloatArray:
    """The embedding (width,) of the end token: what goes into the first layer with it less what goes in with nothing in its place."""
    given = job.encoders[encoder.name]
    nothing = Vector.at(0, np.zeros(given.width))
    windows = [Window((encoder.eos,)), Window((encoder.eos,), vectors=(nothing,))]
    rows = given.encode_windows(windows, layer=given.layers + given.missing_layers + 1, final_norm=False).hidden[:, 0]
    difference: FloatArray = rows[0] - rows[1]
    return difference


def projected(answers: Answers, ask: Ask) -> FloatArray:
    """The pooled vector of a window after the projection, which the weights must have."""
    vector = answers[ask].projected
    if vector is None:
        raise WeightsError(f"These {ask.encoder} weights hold no text projection, which the pooled vector needs; load whole ones.")
    return vector


def only_line(job: Job) -> Line:
    """The line of a host that encodes a prompt as one text."""
    check_part(job, 1)
    return job.usage.lines[0]


def check_part(job: Job, parts: int) -> None:
    """Raise `OptionError` where the prompt has no such part."""
    if isinstance(job.part, bool) or not isinstance(job.part, int) or not 0 <= job.part < parts:
        raise OptionError(f"part must be a whole number from 0 to {parts - 1} on this prompt, not {job.part!r}.")


def parts_of(lines: Sequence[Line]) -> list[list[Line]]:
    """Lines by the part they belong to: the texts of one call."""
    parts: dict[int, list[Line]] = {}
    for line in lines:
        parts.setdefault(line.parsed.part, []).append(line)
    return list(parts.values())


def line_at_step(job: Job, lines: Sequence[Line]) -> Line:
    """The text that is used at a sampling step."""
    step = 1 if job.until_step is None else job.until_step
    for line in lines:
        if not line.parsed.steps or any(first <= step <= last for first, last in line.parsed.steps):
            return line
    raise OptionError(f"until_step is {step}, but the prompt is sampled for {job.usage.options.steps} steps.")
