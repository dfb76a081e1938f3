"""How alike texts are by what they are spelt of: letters in threes and fours, and CLIP's tokens. Words and meaning are left to MiniLM.

A part counts the more the fewer of the learnt phrases hold it: its square is log(1 + phrases / those that hold it). One that none holds
counts as if one did.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from training.preview.minilm import plain

Parts = Callable[[str], Sequence[object]]


def letters(text: str) -> list[str]:
    """Letters in threes and fours, without the article that the learnt phrases begin with.

    >>> letters("a Cat")
    [' ca', 'cat', 'at ', ' cat', 'cat ']
    """
    spelt = f" {plain(text).removeprefix('a ')} "
    return [spelt[n : n + size] for size in (3, 4) for n in range(len(spelt) - size + 1)]


@dataclass(frozen=True, slots=True, eq=False)
class Bags:
    """Learnt phrases as bags of parts: `rows` (phrases, parts) of unit length, `weights` of the parts and `unknown` of any other."""

    parts: Parts
    places: dict[object, int]
    weights: np.ndarray
    unknown: float
    rows: np.ndarray

    def likeness(self, texts: Sequence[str]) -> np.ndarray:
        """Cosines (texts, phrases)."""
        found: np.ndarray = _rows(texts, self.parts, self.places, self.weights, self.unknown) @ self.rows.T
        return found


def bags(texts: Sequence[str], parts: Parts) -> Bags:
    """The bags of learnt phrases."""
    held = Counter(part for text in texts for part in set(parts(text)))
    places = {part: n for n, part in enumerate(sorted(held, key=str))}
    weights = np.array([_weight(len(texts), held[part]) for part in places], dtype=np.float32)
    unknown = _weight(len(texts), 1)
    return Bags(parts, places, weights, unknown, _rows(texts, parts, places, weights, unknown))


def _weight(count: int, holding: int) -> float:
    return float(np.sqrt(np.log(1 + count / holding)))


def _rows(texts: Sequence[str], parts: Parts, places: dict[object, int], weights: np.ndarray, unknown: float) -> np.ndarray:
    found = np.zeros((len(texts), len(places)), dtype=np.float32)
    other = np.zeros(len(texts), dtype=np.float32)
    for row, text in enumerate(texts):
        for part, count in Counter(parts(text)).items():
            place = places.get(part)
            if place is None:
                other[row] += (count * unknown) ** 2
            else:
                found[row, place] = count * weights[place]
    lengths = np.sqrt((found**2).sum(1) + other)
    return found / np.maximum(lengths, 1e-12)[:, None]
