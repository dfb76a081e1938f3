"""What a measurement gives, and the same as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import isfinite, isnan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from promptlens.influences._lenses import Lens
from promptlens.influences._precision import Precision
from promptlens.influences._split import Split
from promptlens.influences._units import UnitKind
from promptlens.spans import Span

SCHEMA = 1
BANDS = ("high", "medium", "low")

MEANING = "Influence is the change of the text embedding when a word is taken out. It says nothing certain about the picture."


@dataclass(frozen=True, slots=True, eq=False)
class Influence:
    """The influence of every word or tag of a prompt; what is listed by unit has one entry for each, in the order of the prompt.

    `scores`: over all encoders, `by_encoder`: for each of them. `noise_floor`: the effect of a comma, the median of
    `noise_commas` (0: of one that was added; nan: there is none to be had); a score up to it says nothing.
    `split`: where the tensor changes (lens "conditioning"). `moved`: taking the unit out moves a chunk boundary, so its score is that of
    the move too. `lost`: the unit never reaches the encoder. `tokens`: what it costs. `toward`: how much of the cosine with the target it
    brings (positive: it pulls the prompt there), of `toward_cosine` in all; `against`: how much of the distance to the other prompt is its
    doing, of `against_distance`. A unit without which the host fails on the prompt has the score nan. `left_out`: text encoders of the
    model that are not run, as T5. `precision`: what the encoders computed in.
    """

    prompt: str
    host: str
    model: str
    unit: UnitKind
    lens: Lens
    method: str
    spans: tuple[Span, ...]
    labels: tuple[str, ...]
    scores: tuple[float, ...]
    by_encoder: Mapping[str, tuple[float, ...]]
    noise_floor: float
    noise_commas: int
    moved: tuple[bool, ...]
    lost: tuple[bool, ...]
    tokens: tuple[int, ...]
    split: tuple[Split | None, ...]
    toward: tuple[float, ...] | None = None
    toward_cosine: float | None = None
    against: tuple[float, ...] | None = None
    against_distance: float | None = None
    approximate: bool = field(default=False)
    left_out: tuple[str, ...] = ()
    precision: Precision = "fp32"

    @property
    def ranking(self) -> tuple[int, ...]:
        """Indices of the units, the one of most influence first."""
        return tuple(sorted(range(len(self.scores)), key=lambda n: (isnan(self.scores[n]), -self.scores[n], n)))

    @property
    def quiet(self) -> tuple[int, ...]:
        """Indices of the units that do no more than a comma does, or nothing at all."""
        return tuple(n for n in range(len(self.scores)) if self.is_quiet(n))

    def band(self, n: int) -> str:
        """high, medium or low: the upper, middle and lower third of the ranking; all that a preview encoder can tell. What does no more
        than a comma is low."""
        order = self.ranking
        place = order.index(n)
        return "low" if self.is_quiet(n) or isnan(self.scores[n]) else BANDS[min(2, 3 * place // len(order))]

    def is_quiet(self, n: int) -> bool:
        return self.scores[n] <= (0.0 if isnan(self.noise_floor) else self.noise_floor)

    def records(self) -> list[dict[str, Any]]:
        """One flat record a unit."""
        return [self._record(n) for n in range(len(self.scores))]

    def _record(self, n: int) -> dict[str, Any]:
        shares = self.split[n]
        record: dict[str, Any] = {
            "text": self.labels[n],
            "span": [self.spans[n].start, self.spans[n].end],
            "tokens": self.tokens[n],
            "score": number(self.scores[n]),
            **{name: number(scores[n]) for name, scores in self.by_encoder.items()},
            "noise_floor": number(self.noise_floor),
            "quiet": self.is_quiet(n),
            "moved": self.moved[n],
            "lost": self.lost[n],
        }
        if self.approximate:
            record |= {"band": self.band(n), "approximate": True}
        if self.lens == "conditioning":
            names = Split.__dataclass_fields__
            record |= {f"split_{name}": None if shares is None else number(asdict(shares)[name]) for name in names}
        if self.toward is not None:
            record["toward"] = number(self.toward[n])
        if self.against is not None:
            record["against"] = number(self.against[n])
        return record

    def to_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON."""
        return {
            "schema": SCHEMA,
            "prompt": self.prompt,
            "host": self.host,
            "model": self.model,
            "unit": self.unit,
            "lens": self.lens,
            "method": self.method,
            "approximate": self.approximate,
            "precision": self.precision,
            "left_out": list(self.left_out),
            "noise_floor": number(self.noise_floor),
            "noise_commas": self.noise_commas,
            "toward_cosine": number(self.toward_cosine),
            "against_distance": number(self.against_distance),
            "meaning": MEANING,
            "units": self.records(),
        }

    def _repr_html_(self) -> str:
        from promptlens.influences._html import fragment  # only notebooks ask

        return fragment(self)


@dataclass(frozen=True, slots=True, eq=False)
class Similarity:
    """How alike words or tags are, each encoded as a prompt of its own: cosines of pooled vectors, and no influence.

    `values` (units, units) between each two of them, `whole` (units,) between each and the whole prompt. `encoder` says whose vectors,
    `projected` whether in the space shared with pictures, `precision` what it computed in. Cosines of texts are all high; only their order
    means something.
    """

    prompt: str
    host: str
    model: str
    unit: UnitKind
    encoder: str
    projected: bool
    spans: tuple[Span, ...]
    labels: tuple[str, ...]
    values: NDArray[np.float64]
    whole: NDArray[np.float64]
    precision: Precision = "fp32"

    def to_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON."""
        return {
            "schema": SCHEMA,
            "prompt": self.prompt,
            "host": self.host,
            "model": self.model,
            "unit": self.unit,
            "encoder": self.encoder,
            "projected": self.projected,
            "precision": self.precision,
            "labels": list(self.labels),
            "spans": [[s.start, s.end] for s in self.spans],
            "whole": [number(float(v)) for v in self.whole],
            "values": [[number(float(v)) for v in row] for row in self.values],
        }


def number(value: float | None) -> float | None:
    """A float that JSON can hold."""
    return value if value is not None and isfinite(value) else None
