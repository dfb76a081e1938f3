"""Leave-one-out the slow and obvious way: for every word one prompt without it, and for every window of it one call of transformers' own
CLIP with all 77 positions. Windows come from `analyze`; the hosts' arithmetic is written out here once more."""

from __future__ import annotations

import runpy
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from promptlens import analyze
from promptlens.hosts import Chunk
from promptlens.report import Usage

Array = NDArray[np.float64]
Places = tuple[tuple[int, int], ...]

TINY: Any = runpy.run_path(str(Path(__file__).parents[1] / "tiny_weights.py"))
ACTIVATIONS = {"clip-l": "quick_gelu", "clip-g": "gelu"}
END = 49407


@dataclass(frozen=True)
class Run:
    """What transformers says of one window: `layers` (positions, width) after each layer, `last` normed, and the EOS row."""

    layers: tuple[Array, ...]
    last: Array
    pooled: Array
    projected: Array


@cache
def run(encoder: str, ids: tuple[int, ...], hidden: frozenset[int] = frozenset()) -> Run:
    """One window, one call. Positions of `hidden` get a 0 in the attention mask."""
    import torch

    model = TINY["reference"](ACTIVATIONS[encoder])
    mask = torch.tensor([[0 if place in hidden else 1 for place in range(len(ids))]])
    with torch.no_grad():
        out = model(torch.tensor([ids]), attention_mask=mask if hidden else None, output_hidden_states=True)
    last = out.last_hidden_state[0]
    row = last[ids.index(END)]
    projected = model.text_projection(row).detach()
    return Run(
        tuple(s[0].double().numpy() for s in out.hidden_states), last.double().numpy(), row.double().numpy(), projected.double().numpy()
    )


@dataclass(frozen=True)
class Seen:
    """A prompt as the lenses see it: EOS vectors by encoder and window, the tensor by encoder, and the pooled vector of SDXL."""

    vectors: list[list[Array]]
    tensor: list[Array]
    pooled: Array | None


def look(text: str, host: str, model: str, masked: Places = (), **options: Any) -> Seen:
    """One prompt; the words at the places `masked` hidden from attention."""
    usage = analyze(text, host, model, **options).usage
    vectors, tensor, pooled = [], [], None
    for use in usage.encoders:
        hidden = [_hidden(chunk, masked) for chunk in use.chunks]
        runs = [run(use.encoder.name, chunk.ids, h) for chunk, h in zip(use.chunks, hidden, strict=True)]
        vectors.append([r.projected if use.encoder.pooled else r.pooled for r in runs])
        states = [r.layers[-2] if model == "sdxl" else r.last for r in runs]
        tensor.append(np.concatenate([_weigh(usage, c, s, use.encoder.name) for c, s in zip(use.chunks, states, strict=True)]))
        pooled = runs[0].projected if use.encoder.pooled else pooled
    return Seen(vectors, tensor, pooled)


def _hidden(chunk: Chunk, masked: Places) -> frozenset[int]:
    covered = [n for n, token in enumerate(chunk.tokens, 1) if any(token.span.start < b and a < token.span.end for a, b in masked)]
    return frozenset(covered)


def _weigh(usage: Usage, chunk: Chunk, states: Array, encoder: str) -> Array:
    weights = np.asarray(chunk.weights)[:, None]
    if usage.host.name == "a1111" and (weights != 1).any():
        weighted = states * weights
        if usage.options.emphasis == "No norm":
            return np.asarray(weighted)
        return np.asarray(weighted * (states.mean() / weighted.mean()))
    if usage.host.name == "comfyui":
        pad = END if encoder == "clip-l" else 0
        empty = run(encoder, (49406, END, *(pad,) * 75))
        nothing = empty.layers[-2] if usage.model.name == "sdxl" else empty.last
        return np.asarray(nothing + (states - nothing) * weights)
    return states


def filled(a: Seen, b: Seen, host: str, model: str) -> tuple[Seen, Seen]:
    """Both with as many windows: the shorter goes on with the encoded empty prompt."""
    empty = look("", host, model)
    return _filled(a, b, empty), _filled(b, a, empty)


def _filled(a: Seen, b: Seen, empty: Seen) -> Seen:
    vectors = [v + e * max(0, len(w) - len(v)) for v, w, e in zip(a.vectors, b.vectors, empty.vectors, strict=True)]
    tensor = [np.concatenate([t, *[e] * max(0, (len(u) - len(t)) // 77)]) for t, u, e in zip(a.tensor, b.tensor, empty.tensor, strict=True)]
    return Seen(vectors, tensor, a.pooled)


def apart(a: Seen, b: Seen, lens: str) -> float:
    """The distance of the second from the first."""
    if lens == "pooled":
        each = [sum(1 - cosine(v, w) for v, w in zip(vs, ws, strict=True)) for vs, ws in zip(a.vectors, b.vectors, strict=True)]
        return float(np.mean(each))
    before = [*a.tensor, *([] if a.pooled is None else [a.pooled])]
    after = [*b.tensor, *([] if b.pooled is None else [b.pooled])]
    change = sum(((y - x) ** 2).sum() for x, y in zip(before, after, strict=True))
    return float(np.sqrt(change / sum((x**2).sum() for x in before)))


def cosine(a: Array, b: Array) -> float:
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


@dataclass(frozen=True)
class Written:
    """A prompt as tags of words, so that taking one out needs no rule of separators."""

    tags: tuple[tuple[str, ...], ...]

    @property
    def text(self) -> str:
        return ", ".join(" ".join(tag) for tag in self.tags if tag)

    def places(self, unit: str) -> list[tuple[int, int]]:
        """Where the words, or the tags, stand in the text."""
        found, at = [], 0
        for tag in self.tags:
            start = at
            for word in tag:
                found.append((at, at + len(word)))
                at += len(word) + 1
            if unit == "tag":
                found[-len(tag) :] = [(start, at - 1)]
            at += 1
        return found

    def without(self, unit: str, number: int) -> Written:
        """The prompt with a word, or a tag, left out."""
        if unit == "tag":
            return Written(self.tags[:number] + self.tags[number + 1 :])
        tags = []
        for tag in self.tags:
            kept = tuple(word for n, word in enumerate(tag) if n != number)
            number -= len(tag)
            tags += [kept] if kept else []
        return Written(tuple(tags))


def scores(written: Written, host: str, model: str, *, unit: str, lens: str, method: str, **options: Any) -> list[float]:
    """The influence of each unit."""
    whole = look(written.text, host, model, **options)
    found = []
    for number, place in enumerate(written.places(unit)):
        masked, text = ((place,), written.text) if method == "mask" else ((), written.without(unit, number).text)
        changed = look(text, host, model, masked, **options)
        found.append(apart(*filled(whole, changed, host, model), lens))
    return found


def write_encoders(folder: Path, names: Sequence[str]) -> dict[str, Any]:
    """The same weights as files, loaded by the package."""
    from promptlens import load_encoder

    return {
        name: load_encoder(TINY["write"](folder / f"{name}.safetensors", TINY["tensors"](ACTIVATIONS[name])), name, device="cpu", threads=1)
        for name in names
    }
