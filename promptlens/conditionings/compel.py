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

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from math import pi, tan

import numpy as np

from promptlens.analysis import analyze
from promptlens.conditionings import Answers, Ask, Conditioner, Conditioning, FloatArray, Job, Recipe
from promptlens.conditionings._asks import check_part, default_layer, end_embedding, make_ask, projected
from promptlens.conditionings._compel_masks import hidden_slots
from promptlens.conditionings._join import column, join_chunks, join_encoders
from promptlens.errors import ConditioningError, OptionError
from promptlens.hosts import Chunk, EncoderUse, Fragment, window
from promptlens.models import Encoder
from promptlens.report import Line

EPSILON = 1e-5  # the smallest weight below 1, so that tan stays finite


@dataclass(frozen=True, slots=True)
class _Layer:
    """Which layer of an encoder, counted from the end, and whether the final norm follows."""

    encoder: Encoder
    number: int
    final_norm: bool

    def ask(self, job: Job, ids: Sequence[int], hide: frozenset[int] = frozenset()) -> Ask:
        """The window of some ids. A hidden end token is put in as a vector, for the encoder reads pooled at the first that it sees."""
        vectors = {}
        if hide and self.encoder.eos in ids and ids.index(self.encoder.eos) in hide:
            vectors = dict.fromkeys((slot for slot in hide if ids[slot] == self.encoder.eos), end_embedding(job, self.encoder))
            ids = [0 if slot in vectors else token_id for slot, token_id in enumerate(ids)]
        return make_ask(job, self.encoder, ids, self.number, final_norm=self.final_norm, vectors=vectors, hide=tuple(hide))


@dataclass(frozen=True, slots=True)
class _Version:
    """A text with all its fragments, or with one hidden or gone: its chunks, their weights, and its share `k` of the mean."""

    share: float
    chunks: tuple[tuple[Ask, tuple[float, ...]], ...]


@dataclass(frozen=True, slots=True)
class _Part:
    """A member of `.and`: its texts, each with its share in a blend."""

    texts: tuple[tuple[_Version, ...], ...]
    shares: tuple[float, ...]
    normalize: bool
    weight: float


@dataclass(frozen=True, slots=True)
class _Side:
    """What one encoder is asked."""

    parts: tuple[_Part, ...]
    empty: Ask

    @property
    def windows(self) -> int:
        return sum(max(len(text[0].chunks) for text in part.texts) for part in self.parts)

    @property
    def asks(self) -> Iterator[Ask]:
        """Every window; the empty prompt's only where it is needed."""
        weighted = False
        for part in self.parts:
            weighted = weighted or part.weight != 1 or len({len(text[0].chunks) for text in part.texts}) > 1
            for ask, weights in (chunk for text in part.texts for version in text for chunk in version.chunks):
                weighted = weighted or any(w != 1.0 for w in weights)
                yield ask
        if weighted:
            yield self.empty


def recipe(job: Job) -> Recipe:
    check_part(job, 1)
    model = job.usage.model
    sides = [_side(job, n, encoder) for n, encoder in enumerate(model.encoders)]
    longest = max(side.windows for side in sides)
    asks = [ask for side in sides for ask in (*side.asks, *([side.empty] if side.windows < longest else []))]
    typed = _typed(job) if model.encoders[-1].pooled else None
    asks += [typed] if typed else []
    return Recipe(tuple(dict.fromkeys(asks)), partial(_finish, job, sides, longest, typed))


def _layer(job: Job, encoder: Encoder) -> _Layer:
    """The layer of `returned_embeddings_type`, or of clip skip. compel reaches the last two layers that an encoder comes with."""
    last = default_layer(encoder) if encoder.final_norm else 1
    wanted = job.usage.options.returned_embeddings_type
    if job.clip_skip is not None:
        if wanted is not None:
            raise OptionError("Give clip_skip or returned_embeddings_type, not both.")
        if job.clip_skip == default_layer(encoder):
            return _Layer(encoder, job.clip_skip, encoder.final_norm)
        if job.clip_skip != last + 1 or not encoder.final_norm:
            allowed = f"{last} or {last + 1}" if encoder.final_norm else f"{last + 1}"
            raise OptionError(f"compel reaches the last two layers of an encoder: clip_skip is {allowed} for {job.usage.model.name}.")
        return _Layer(encoder, job.clip_skip, True)
    if wanted is None:
        return _Layer(encoder, default_layer(encoder), encoder.final_norm)
    return _Layer(encoder, last + wanted.startswith("PENULTIMATE"), not wanted.endswith("NON_NORMALIZED"))


def _side(job: Job, number: int, encoder: Encoder) -> _Side:
    layer = _layer(job, encoder)
    parts = []
    for _, lines in groupby(job.usage.lines, key=lambda line: line.parsed.part):
        texts = [line for line in lines if line.parsed.mix is None or line.parsed.mix.kind != "replacement"]
        mixes = [line.parsed.mix for line in texts]
        shares = tuple(mix.weight if mix else 1.0 for mix in mixes)
        versions = tuple(tuple(_versions(job, line, line.encoders[number], layer)) for line in texts)
        parts.append(_Part(versions, shares, all(mix is None or mix.normalize for mix in mixes), texts[0].parsed.weight))
    return _Side(tuple(parts), layer.ask(job, window([], encoder)))


def _versions(job: Job, line: Line, use: EncoderUse, layer: _Layer) -> Iterator[_Version]:
    """The text as it is, and once more for every fragment of weight below 1."""
    options = job.usage.options
    yield _Version(1.0, _chunks(job, use.chunks, layer))
    if all(fragment.weight >= 1 for fragment in line.fragments):
        return
    hidden = hidden_slots(use, line.fragments, truncate=options.truncate_long_prompts)
    for n, (fragment, slots) in enumerate(zip(line.fragments, hidden, strict=False)):  # fewer where truncation cuts fragments off
        if fragment.weight >= 1:
            continue
        share = tan((1.0 - max(EPSILON, fragment.weight)) * pi / 2)
        if options.downweight_mode == "MASK":
            yield _Version(share, _chunks(job, use.chunks, layer, slots or frozenset()))
        else:
            yield _Version(share, _chunks(job, _without(job, line, n, use), layer))


def _chunks(
    job: Job, chunks: Sequence[Chunk], layer: _Layer, slots: frozenset[int] = frozenset()
) -> tuple[tuple[Ask, tuple[float, ...]], ...]:
    """Asks and weights of the windows of a text, `slots` of them hidden."""
    size = layer.encoder.window
    return tuple(
        (layer.ask(job, chunk.ids, frozenset(slot - n * size for slot in slots if slot // size == n)), chunk.weights)
        for n, chunk in enumerate(chunks)
    )


def _without(job: Job, line: Line, number: int, use: EncoderUse) -> tuple[Chunk, ...]:
    """The windows of a text without one of its fragments, which compel can only average with as many of the whole text."""
    left = (*line.fragments[:number], *line.fragments[number + 1 :]) or (Fragment(""),)
    usage = job.usage
    chunks = usage.host.pack(replace(line.parsed, fragments=left), use.encoder, usage.model, usage.options).chunks
    if len(chunks) != len(use.chunks):
        raise ConditioningError(
            f"compel fails on this prompt (RuntimeError): without {line.fragments[number].text!r} it needs {len(chunks)} instead of "
            f'{len(use.chunks)} windows, and downweight_mode "REMOVE" averages the two.'
        )
    return chunks


def _typed(job: Job) -> Ask:
    """The window of the prompt as typed, which pooled is read from."""
    usage = job.usage
    options = {"tokenizer": usage.options.tokenizer, "ftfy": usage.options.ftfy}
    use = analyze(usage.prompt, "diffusers", usage.model.name, **options).usage.encoders[-1]
    return make_ask(job, use.encoder, use.chunks[0].ids, default_layer(use.encoder))


def _finish(job: Job, sides: Sequence[_Side], longest: int, typed: Ask | None, answers: Answers) -> Conditioning:
    with np.errstate(all="ignore"):  # shares of a blend may add up to 0, and what comes of it is the host's own answer
        joined = [
            _filled(join_chunks([_part(part, side.empty, answers) for part in side.parts]), longest, side.empty, answers) for side in sides
        ]
    return Conditioning(join_encoders(job, joined), projected(answers, typed) if typed else None)


def _part(part: _Part, empty: Ask, answers: Answers) -> FloatArray:
    """A member of `.and`, in its weight."""
    texts = [_mean([_weighed(v, empty, answers) for v in text], [v.share for v in text]) for text in part.texts]
    windows = max(len(text[0].chunks) for text in part.texts)
    whole = _mean([_filled(text, windows, empty, answers) for text in texts], part.shares, normalize=part.normalize)
    if part.weight == 1:
        return whole
    nothing = _filled(whole[:0], windows, empty, answers)
    return nothing + (whole - nothing) * np.float32(part.weight)


def _weighed(version: _Version, empty: Ask, answers: Answers) -> FloatArray:
    rows = []
    for ask, weights in version.chunks:
        z, plain = answers[ask].hidden, np.asarray(weights) == 1.0
        if not plain.all():
            nothing = answers[empty].hidden
            z = np.where(plain[:, None], z, nothing + (z - nothing) * column(weights))
        rows.append(z)
    return join_chunks(rows)


def _mean(values: Sequence[FloatArray], shares: Sequence[float], *, normalize: bool = True) -> FloatArray:
    """The weighted mean, or the weighted sum; one value with a share of 1 is left as it is."""
    weights = np.asarray(shares, dtype=np.float32)
    if normalize:
        weights = weights / weights.sum()
    return np.asarray(sum(value * weight for value, weight in zip(values, weights, strict=True)), dtype=np.float32)


def _filled(rows: FloatArray, windows: int, empty: Ask, answers: Answers) -> FloatArray:
    """Rows of so many windows, encoded empty ones at the end."""
    missing = windows - len(rows) // len(empty.window.ids)
    return join_chunks([rows, *[answers[empty].hidden] * missing]) if missing else rows


CONDITIONER = Conditioner(
    recipe=recipe,
    reference="compel 2.5.1: compel.py, embeddings_provider.py, convenience_wrappers.py; observed",
)
