"""Text encoders for restatements of a host's arithmetic: numpy's few lines, or transformers' own CLIP with tiny random weights.

A kit holds for each encoder what `conditioning` runs, and a plain reference with `state`, `pool` and `project` that takes ids.
"""

from __future__ import annotations

import runpy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from fake_encoder import END, Array, FakeEncoder

ACTIVATIONS = {"clip-l": "quick_gelu", "clip-g": "gelu"}


@dataclass(frozen=True)
class Kit:
    """`run` goes into `conditioning`, `plain` into the restatement; both by encoder."""

    run: dict[str, Any]
    plain: dict[str, Any]


class Reference:
    """transformers' CLIP, one window a call, without any of this project's code."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._norm = next(part for name, part in model.named_modules() if name.endswith("final_layer_norm"))
        self.width: int = model.config.hidden_size

    def _run(self, ids: Sequence[int], hide: Iterable[int]) -> Any:
        import torch

        hidden = set(hide)
        mask = torch.tensor([[0 if place in hidden else 1 for place in range(len(ids))]]) if hidden else None
        with torch.no_grad():
            return self._model(torch.tensor([list(ids)]), attention_mask=mask, output_hidden_states=True)

    def state(self, ids: Sequence[int], *, layer: int = 1, final_norm: bool = True, hide: Iterable[int] = ()) -> Array:
        import torch

        with torch.no_grad():
            rows = self._run(ids, hide).hidden_states[-layer][0]
            return np.asarray((self._norm(rows) if final_norm else rows).numpy())

    def pool(self, ids: Sequence[int]) -> Array:
        return np.asarray(self._run(ids, ()).last_hidden_state[0, list(ids).index(END)].numpy())

    def project(self, pooled: Array) -> Array:
        import torch

        with torch.no_grad():
            return np.asarray(self._model.text_projection(torch.tensor(pooled)).numpy())


def numpy_kit() -> Kit:
    encoders = {"clip-l": FakeEncoder(seed=1), "clip-g": FakeEncoder(8, layers=4, projects=True, seed=2)}
    return Kit(dict(encoders), dict(encoders))


def transformers_kit(folder: Path) -> Kit:
    """Weights written to files and read back by the project's loader on one side, transformers' model in memory on the other."""
    from promptlens.encoder import load_encoder

    tiny = _tiny()
    run, plain = {}, {}
    for name, activation in ACTIVATIONS.items():
        file = tiny["write"](folder / f"{name.replace('-', '_')}.safetensors", tiny["tensors"](activation))
        run[name] = load_encoder(file, name, threads=1)
        plain[name] = Reference(tiny["reference"](activation))
    return Kit(run, plain)


@lru_cache
def _tiny() -> dict[str, Any]:
    return runpy.run_path(str(Path(__file__).parents[1] / "tiny_weights.py"))
