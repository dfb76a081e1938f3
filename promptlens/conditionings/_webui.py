"""What A1111 and Forge share: from the texts of a prompt to the tensor.

The texts of a schedule go through the encoder in one call, chunk by chunk; a text with fewer chunks is filled up with encoded empty ones.
Pooled is that of the first chunk, after the projection, untouched by weights. An empty negative prompt of a model with a pooled vector
becomes zeros, pooled too. A part (AND) that is shorter than another is lengthened by repeating its last row. Encoders of SDXL that make
different numbers of chunks stop the host: torch.cat along the width fails (RuntimeError; read in Forge, backend/diffusion_engine/sdxl.py,
and in the sgm package that A1111 uses, `GeneralConditioner`). Observed, but for the last three in A1111, which were read:
stable-diffusion-webui 1.10.0, modules/sd_hijack_clip.py (`forward`, `process_tokens`), modules/sd_hijack.py (`EmbeddingsWithFixes`),
modules/sd_models_xl.py (`get_learned_conditioning`), modules/prompt_parser.py (`stack_conds`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from promptlens.conditionings import Answers, Ask, Conditioning, FloatArray, Job, Recipe
from promptlens.conditionings._asks import check_part, line_at_step, make_ask, parts_of, projected
from promptlens.conditionings._emphasis import Weighted, emphasized, rescales
from promptlens.conditionings._join import join_chunks, join_encoders
from promptlens.conditionings._vectors import base_name, embedding_vectors
from promptlens.hosts import Chunk, ones, window
from promptlens.models import Encoder
from promptlens.report import Line

# One chunk of one encoder: that of the text wanted, and all that are encoded with it.
_Place = tuple[Weighted, tuple[Weighted, ...]]


def webui_recipe(job: Job, layer: Callable[[Encoder], int]) -> Recipe:
    """The recipe of a prompt; `layer` says which layer the host takes of an encoder, counted from the end."""
    parts = parts_of(job.usage.lines)
    check_part(job, len(parts))
    lines = parts[job.part]
    chosen = line_at_step(job, lines)
    sides = [_side(job, lines, chosen, n, encoder, layer(encoder)) for n, encoder in enumerate(job.usage.model.encoders)]
    emphasis = job.usage.options.emphasis
    asks = dict.fromkeys(
        w.ask for side in sides for chunk, call in side for w in ((chunk, *call) if rescales(call, emphasis) else (chunk,))
    )
    longest = max(_chunk_count(part, 0) for part in parts)
    return Recipe(tuple(asks), partial(_finish, job, sides, longest * job.usage.model.encoders[0].window))


def _chunk_count(lines: Sequence[Line], encoder: int) -> int:
    return max(len(line.encoders[encoder].chunks) for line in lines)


def _side(job: Job, lines: Sequence[Line], chosen: Line, number: int, encoder: Encoder, layer: int) -> list[_Place]:
    """Chunk by chunk, what one encoder is asked for the texts of a call."""
    places: list[_Place] = []
    for n in range(_chunk_count(lines, number)):
        call = {id(line): _weighted(job, line, n, number, encoder, layer) for line in lines}
        places.append((call[id(chosen)], tuple(call.values())))
    return places


def _weighted(job: Job, line: Line, n: int, number: int, encoder: Encoder, layer: int) -> Weighted:
    """Chunk `n` of a text, or an empty one where it has no more."""
    chunks = line.encoders[number].chunks
    times = max(len(line.parsed.steps), 1)
    if n >= len(chunks):
        ids = window([], encoder)
        return Weighted(make_ask(job, encoder, ids, layer), ones(len(ids)), times)
    chunk = chunks[n]
    return Weighted(make_ask(job, encoder, chunk.ids, layer, vectors=_vectors(job, chunk, encoder)), chunk.weights, times)


def _vectors(job: Job, chunk: Chunk, encoder: Encoder) -> dict[int, FloatArray]:
    """Vectors by position, where the host writes them."""
    placed: dict[int, FloatArray] = {}
    for fix in chunk.fixes:
        name = base_name(job.usage.options.embeddings, fix.name)
        for n, vector in enumerate(embedding_vectors(job, name, encoder)):
            placed[1 + fix.offset + n] = vector
    return placed


def _finish(job: Job, sides: Sequence[Sequence[_Place]], positions: int, answers: Answers) -> Conditioning:
    emphasis = job.usage.options.emphasis
    hidden = join_encoders(job, [join_chunks([emphasized(*place, emphasis, answers) for place in side]) for side in sides])
    pooled = projected(answers, _first(sides[-1])) if job.usage.model.encoders[-1].pooled else None
    if pooled is not None and job.usage.options.negative and not any(line.text for line in job.usage.lines):
        return Conditioning(np.zeros_like(hidden), np.zeros_like(pooled))
    if len(hidden) < positions:
        hidden = np.concatenate([hidden, np.repeat(hidden[-1:], positions - len(hidden), axis=0)])
    return Conditioning(hidden, pooled)


def _first(side: Sequence[_Place]) -> Ask:
    return side[0][0].ask
