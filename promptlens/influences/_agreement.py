"""How far two text encoders agree on which words of a prompt matter: ranks alone are compared, never sizes.

Each prompt is read once, as a host would for a model with one CLIP encoder, and both encoders get the same windows. Intervals are 95 %, by
bootstrap over prompts, with a fixed seed. Correlations are means over the prompts of three words and more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from promptlens import __version__
from promptlens.encoder.preview import LABEL as PREVIEW_LABEL
from promptlens.influences._measure import influence
from promptlens.influences._units import UnitKind
from promptlens.render._runs import Row, Run, wrap

if TYPE_CHECKING:
    from promptlens.encoder.interface import WindowEncoder

ROUNDS = 2000
FEWEST = 3
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over `count` prompts with its interval."""

    mean: float
    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """`spearman` and `kendall` of the influence of a prompt's words; `top_1`, `top_3`: the share of the first words that both name.

    `weights` are the checksums of both encoders' weights. It holds no word of the prompts, so it can be given away.
    """

    encoders: tuple[str, str]
    unit: UnitKind
    spearman: Estimate
    kendall: Estimate
    top_1: Estimate
    top_3: Estimate
    left_out: int
    weights: tuple[str, str]

    @property
    def approximate(self) -> bool:
        return "preview" in self.encoders

    def to_dict(self) -> dict[str, Any]:
        measures = {n: {k: getattr(e, k) for k in ("mean", "low", "high", "count")} for n, e in self._measures().items()}
        return {
            "schema": 1,
            "promptlens": __version__,
            "encoders": list(self.encoders),
            "weights": list(self.weights),
            "unit": self.unit,
            "approximate": self.approximate,
            "left_out": self.left_out,
            **measures,
        }

    def _measures(self) -> dict[str, Estimate]:
        return {"spearman": self.spearman, "kendall": self.kendall, "top_1": self.top_1, "top_3": self.top_3}

    def rows(self, width: int) -> Iterator[Row]:
        """The page."""
        one, other = self.encoders
        if self.approximate:
            yield from wrap([Run(PREVIEW_LABEL, "title")], width)
        head = f"Do {one} and {other} agree on which {self.unit}s matter?"
        yield from wrap([Run(head, "title"), Run(f" {self.spearman.count} prompt{'s' if self.spearman.count != 1 else ''}", "dim")], width)
        yield []
        names = {"spearman": "Spearman", "kendall": "Kendall", "top_1": "same first", "top_3": "shared of the first 3"}
        for name, found in self._measures().items():
            yield from wrap([Run(f"{names[name]:<22}{found.mean:5.2f}  [{found.low:.2f}, {found.high:.2f}]")], width)
        yield []
        if self.left_out:
            yield from wrap([Run(f"{self.left_out} left out: prompts of fewer than {FEWEST} {self.unit}s, or all alike.")], width)
        yield from wrap([Run("Means over prompts of rank agreement, with 95 % intervals: 1 is the same order, 0 is chance.", "dim")], width)
        if self.approximate and len(set(self.encoders)) > 1:
            yield from wrap(
                [Run("--format json holds no word of your prompts: sent to the project, it betters the preview's card.", "dim")], width
            )


def agreement(
    prompts: Sequence[str], one: tuple[str, WindowEncoder], other: tuple[str, WindowEncoder], *, unit: UnitKind = "word"
) -> Agreement:
    """The agreement of two encoders, (name, encoder) each, over prompts. Raises `InputError` where no prompt can be compared."""
    from promptlens.errors import InputError

    measures = []
    for prompt in prompts:
        a, b = (_scores(prompt, encoder, unit) for _, encoder in (one, other))
        usable = np.isfinite(a) & np.isfinite(b)
        a, b = a[usable], b[usable]
        if len(a) >= FEWEST and np.ptp(a) > 0 and np.ptp(b) > 0:
            measures.append((spearman(a, b), kendall(a, b), shared_top(a, b, 1), shared_top(a, b, 3)))
    if not measures:
        raise InputError(f"No prompt can be compared: each has fewer than {FEWEST} {unit}s. Give prompts of {FEWEST} and more.")
    rho, tau, first, three = (_estimate(column) for column in np.array(measures).T)
    return Agreement((one[0], other[0]), unit, rho, tau, first, three, len(prompts) - len(measures), (one[1].checksum, other[1].checksum))


def _scores(prompt: str, encoder: WindowEncoder, unit: UnitKind) -> Floats:
    found = influence(prompt, "diffusers", "sd15", encoders={"clip-l": encoder}, unit=unit)
    return np.array(found.scores, dtype=np.float64)


def ranks(values: Floats) -> Floats:
    """Ranks from 0, ties in the middle.

    >>> ranks(np.array([3.0, 1.0, 3.0])).tolist()
    [1.5, 0.0, 1.5]
    """
    _, where, counts = np.unique(values, return_inverse=True, return_counts=True)
    middle: Floats = (np.cumsum(counts) - (counts + 1) / 2)[where]
    return middle


def spearman(a: Floats, b: Floats) -> float:
    """Pearson's correlation of ranks."""
    return float(np.corrcoef(ranks(a), ranks(b))[0, 1])


def kendall(a: Floats, b: Floats) -> float:
    """Kendall's tau-b."""
    upper = np.triu_indices(len(a), 1)
    x, y = np.sign(a[:, None] - a)[upper], np.sign(b[:, None] - b)[upper]
    return float((x * y).sum() / np.sqrt((x != 0).sum() * (y != 0).sum()))


def shared_top(a: Floats, b: Floats, count: int) -> float:
    """The share of the first `count` that both have among theirs."""
    one, two = (set(np.argsort(-v, kind="stable")[:count].tolist()) for v in (a, b))
    return len(one & two) / min(count, len(a))


def _estimate(values: Floats) -> Estimate:
    drawn = np.random.default_rng(0).integers(0, len(values), (ROUNDS, len(values)))
    low, high = np.percentile(values[drawn].mean(axis=1), [2.5, 97.5])
    return Estimate(float(values.mean()), float(low), float(high), len(values))
