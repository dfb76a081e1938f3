"""SD.Next with its native prompt parser, which encodes by compel's library: what that makes of weights is in compel.py.

With `h1 ... hn` the layers of an encoder and LN its final norm, a section (between BREAKs or newlines) is encoded with

    SD1    LN(h[n]), with its setting CLIP skip k LN(h[n+1-k])
    SD2    LN(h[n-1]): its text encoder comes without the last layer
    SDXL   h[n-1] of both encoders without LN; its clip skip k takes h[n-k]

and the sections are joined along the positions; encoders of SDXL that make different numbers of windows stop it with an error.
`clip_skip` here counts layers from the end, so SDXL's k is k + 1. Pooled of SDXL is LN(h[n]) of clip-g at EOS after the projection, of
the text as typed, syntax and all, cut at 75 tokens (its setting "weighted pooled embeds" is off, as is the one that normalizes weights).
Read in modules/prompt_parser_diffusers.py (`get_weighted_text_embeddings`, `compel_hijack`), not observed. Left out: half clip skips,
`TE2:` prompts, and the padding that makes the prompt and the negative prompt equally long.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from promptlens.conditionings import Answers, Ask, Conditioner, Conditioning, Job, Recipe
from promptlens.conditionings._asks import check_part, default_layer, line_at_step, make_ask, projected
from promptlens.conditionings._compel_sides import Layer, Side, side_of_texts, side_rows
from promptlens.conditionings._join import join_encoders
from promptlens.hosts import window
from promptlens.models import Encoder
from promptlens.report import Line


def recipe(job: Job) -> Recipe:
    check_part(job, 1)
    line, model = line_at_step(job, job.usage.lines), job.usage.model
    sides = [_side(job, line, n, encoder) for n, encoder in enumerate(model.encoders)]
    asks = [ask for side in sides for ask in side.asks]
    typed = _typed(job, line) if model.encoders[-1].pooled else None
    return Recipe(tuple(dict.fromkeys([*asks, *([typed] if typed else [])])), partial(_finish, job, sides, typed))


def _side(job: Job, line: Line, number: int, encoder: Encoder) -> Side:
    layer = Layer(encoder, job.clip_skip or default_layer(encoder), encoder.final_norm)
    return side_of_texts(job, list(_sections(job, line)), number, layer)


def _sections(job: Job, line: Line) -> Iterator[Line]:
    """Each section as a text of its own."""
    usage = job.usage
    fragments = []
    for fragment in [*line.fragments, None]:
        if fragment is not None and fragment.kind != "break":
            fragments.append(fragment)
        elif fragments:
            parsed = replace(line.parsed, fragments=tuple(fragments))
            yield Line(parsed, tuple(usage.host.pack(parsed, encoder, usage.model, usage.options) for encoder in usage.model.encoders))
            fragments = []


def _typed(job: Job, line: Line) -> Ask:
    """The window of the text as typed, which pooled is read from."""
    use = line.encoders[-1]
    assert use.stream is not None
    ids = use.stream.tokenizer.encode(line.text.strip() or " ")[: use.encoder.capacity]
    return make_ask(job, use.encoder, window(ids, use.encoder), default_layer(use.encoder))


def _finish(job: Job, sides: Sequence[Side], typed: Ask | None, answers: Answers) -> Conditioning:
    with np.errstate(all="ignore"):  # a weight may be infinite, and what comes of it is the host's own answer
        hidden = join_encoders(job, [side_rows(side, answers) for side in sides])
    return Conditioning(hidden, projected(answers, typed) if typed else None)


CONDITIONER = Conditioner(
    recipe=recipe,
    reference="SD.Next: modules/prompt_parser_diffusers.py, with compel's embeddings_provider.py; read, not observed",
)
