"""diffusers: `encode_prompt` of its Stable Diffusion and SDXL pipelines.

One window, no weights. With `h1 ... hn` the layers of an encoder and LN its final norm:

    SD1    LN(h[n])
    SD2    LN(h[n-1]): its text encoder comes without the last layer
    SDXL   h[n-1] of both encoders without LN; pooled is LN(h[n]) of clip-g at EOS after the projection

A pipeline's own clip_skip=k takes LN(h[n-k]) of SD1, LN(h[n-1-k]) of SD2 and h[n-1-k] of SDXL; `clip_skip` here counts layers from the
end, so it is k + 1 and k + 2. Pooled is read at the window's largest id, as text_encoder_2/config.json has `eos_token_id` 2: that is
the first EOS, but with a textual inversion in the prompt it is the inversion's token of the largest id. Observed, SD2 and the place of
pooled with inversions read (transformers, models/clip/modeling_clip.py). A negative prompt of None, which SDXL makes zeros of, is no text:
it is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from promptlens.conditionings import Answers, Ask, Conditioner, Conditioning, FloatArray, Job, Recipe
from promptlens.conditionings._asks import default_layer, make_ask, only_line, projected
from promptlens.conditionings._join import join_encoders
from promptlens.conditionings._vectors import embedding_vectors
from promptlens.hosts import EncoderUse
from promptlens.hosts._added_tokens import AddedTokens
from promptlens.models import Encoder
from promptlens.tokens import Tokenizer
from promptlens.vocab import END_ID, SIZE


def recipe(job: Job) -> Recipe:
    line = only_line(job)
    asks = tuple(_ask(job, use, encoder) for use, encoder in zip(line.encoders, job.usage.model.encoders, strict=True))
    return Recipe(asks, partial(_finish, job, asks))


def _ask(job: Job, use: EncoderUse, encoder: Encoder) -> Ask:
    ids = list(use.chunks[0].ids)
    vectors: dict[int, FloatArray] = {}
    if any(token_id >= SIZE for token_id in ids):
        added = _vectors_by_id(job, use, encoder)
        vectors = {position: added[token_id] for position, token_id in enumerate(ids) if token_id >= SIZE}
        # The id under a vector says where pooled is read, and nothing else.
        largest = ids.index(max(ids))
        ids = [0 if position in vectors else token_id for position, token_id in enumerate(ids)]
        ids[largest] = END_ID
    return make_ask(job, encoder, ids, job.clip_skip or default_layer(encoder), vectors=vectors)


def _vectors_by_id(job: Job, use: EncoderUse, encoder: Encoder) -> dict[int, FloatArray]:
    """The vectors of the tokens added for embeddings that this text uses."""
    assert use.stream is not None
    assert isinstance(use.stream.tokenizer, Tokenizer)
    added = AddedTokens(job.usage.options.embeddings, use.stream.tokenizer)
    used = set(use.chunks[0].ids)
    found: dict[int, FloatArray] = {}
    for name, tokens in added.names.items():
        ids = [added.ids[token] for token in tokens]
        if used & set(ids):
            found.update(zip(ids, embedding_vectors(job, name, encoder), strict=True))
    return found


def _finish(job: Job, asks: Sequence[Ask], answers: Answers) -> Conditioning:
    hidden = join_encoders(job, [answers[ask].hidden for ask in asks])
    return Conditioning(hidden, projected(answers, asks[-1]) if job.usage.model.encoders[-1].pooled else None)


CONDITIONER = Conditioner(
    recipe=recipe,
    reference="diffusers 0.42.1 with transformers 5.23: encode_prompt of StableDiffusionPipeline and StableDiffusionXLPipeline; observed",
)
