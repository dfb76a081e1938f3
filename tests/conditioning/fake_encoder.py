"""A text encoder of a few numpy lines, with the interface of `TextEncoder`.

Like the real one it is causal, depends on ids, places and layers, takes vectors in place of token embeddings, and reads the pooled vector
at the first end token after the last layer. Its numbers mean nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from promptlens.encoder.windows import Encoded, Window

Array = NDArray[np.float32]

START, END = 49406, 49407


class FakeEncoder:
    """`calls` lists how many windows each call was given."""

    def __init__(self, width: int = 6, *, layers: int = 3, missing_layers: int = 0, projects: bool = False, seed: int = 0) -> None:
        random = np.random.default_rng(seed)
        self.width = width
        self.layers = layers
        self.missing_layers = missing_layers
        self.table = random.standard_normal((101, width))
        self.places = random.standard_normal((77, width))
        self.mixes = random.standard_normal((layers, width, width))
        self.projection = random.standard_normal((width, width)) if projects else None
        self.calls: list[int] = []

    def state(
        self,
        ids: Sequence[int],
        *,
        layer: int = 1,
        final_norm: bool = True,
        hide: Iterable[int] = (),
        vectors: Mapping[int, Any] | None = None,
    ) -> Array:
        """(positions, width) of one window; `layer` counts from the end."""
        seen = np.asarray([0.0 if p in set(hide) else 1.0 for p in range(len(ids))])[:, None]
        rows = np.asarray([(vectors or {}).get(p, self.table[i % 101]) for p, i in enumerate(ids)], dtype=np.float64)
        x = rows + self.places[: len(ids)]
        for mix in self.mixes[: self.layers + self.missing_layers + 1 - layer]:
            before = np.cumsum(x * seen, axis=0) / np.maximum(np.cumsum(seen, axis=0), 1.0)
            x = 2.0 * np.sin(x + before @ mix) + 0.3
        if final_norm:
            x = (x - x.mean(axis=1, keepdims=True)) / x.std(axis=1, keepdims=True) + 0.1
        return np.asarray(x, dtype=np.float32)

    def pool(self, ids: Sequence[int], vectors: Mapping[int, Any] | None = None, *, at: int | None = None) -> Array:
        """The row of the first end token, or of place `at`, after the last layer and the norm."""
        at = list(ids).index(END) if at is None else at
        return np.asarray(self.state(ids, vectors=vectors)[at], dtype=np.float32)

    def project(self, pooled: Array) -> Array:
        assert self.projection is not None
        return np.asarray(pooled @ self.projection, dtype=np.float32)

    def encode_windows(self, windows: Sequence[Window], *, layer: str | int = "last", final_norm: bool = True) -> Encoded:
        depth = {"last": 1, "penultimate": 2}[layer] if isinstance(layer, str) else layer
        self.calls.append(len(windows))
        states, ends = [], []
        for window in windows:
            vectors = {v.position: np.frombuffer(v.values, "<f4") for v in window.vectors}
            assert all(0 <= token_id < 49408 for place, token_id in enumerate(window.ids) if place not in vectors)
            assert not {0, window.eos} & window.hide  # as `TextEncoder` refuses it
            states.append(self.state(window.ids, layer=depth, final_norm=final_norm, hide=window.hide, vectors=vectors))
            ends.append(self.state(window.ids, hide=window.hide, vectors=vectors)[window.eos])
        pooled = np.stack(ends)
        return Encoded(np.stack(states), pooled, None if self.projection is None else self.project(pooled))


def sd1() -> dict[str, FakeEncoder]:
    return {"clip-l": FakeEncoder(seed=1)}


def sd2() -> dict[str, FakeEncoder]:
    """As in the folders of diffusers: the last layer is not there."""
    return {"clip-h": FakeEncoder(8, missing_layers=1, seed=3)}


def sdxl() -> dict[str, FakeEncoder]:
    return {"clip-l": FakeEncoder(seed=1), "clip-g": FakeEncoder(8, layers=4, projects=True, seed=2)}
