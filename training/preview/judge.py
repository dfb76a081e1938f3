"""Judging embeddings of phrases against real CLIP's, on phrases that nothing was learnt from. Intervals are 95 %, by bootstrap, seed 0.

cosine       mean centred cosine with real CLIP's vector (both less the mean of the training phrases: raw cosines are all above .8)
retrieval    how often the real vector nearest (centred) to a phrase's own is its real one, or its real one is among the nearest five
deletions    Spearman's rank correlation of 1 - cos between a phrase and it without a word, over all such pairs
words        area under the curve: pairs of one-token words that real CLIP finds alike, against pairs put together by chance
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from training.preview.facts import WordPair
from training.preview.names import Deletion, Names
from training.preview.teacher import unit

ROUNDS = 2000

Encode = Callable[[Sequence[str]], np.ndarray]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure, its interval, and of how many cases it is."""

    value: float
    low: float
    high: float
    count: int

    def __str__(self) -> str:
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"


def ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 0, ties in the middle."""
    _, where, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    middle: np.ndarray = (ends - (counts + 1) / 2)[where]
    return middle


def spearman(a: np.ndarray, b: np.ndarray) -> float:
    """>>> spearman(np.array([1, 2, 3]), np.array([10, 20, 15]))
    0.5
    """
    one, two = ranks(a) - (len(a) - 1) / 2, ranks(b) - (len(b) - 1) / 2
    scale = float(np.sqrt((one**2).sum() * (two**2).sum()))
    return float((one * two).sum() / scale) if scale else 0.0


def interval(measure: Callable[[np.ndarray], float], count: int, groups: np.ndarray | None = None) -> Figure:
    """A figure with its interval: `measure` gets the rows to measure on. Rows of one of `groups` are drawn together."""
    chance = np.random.default_rng(0)
    kinds = np.arange(count) if groups is None else groups
    members = [np.flatnonzero(kinds == k) for k in np.unique(kinds)]
    drawn = [measure(np.concatenate([members[n] for n in chance.integers(0, len(members), len(members))])) for _ in range(ROUNDS)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Figure(measure(np.arange(count)), float(low), float(high), count)


def closeness(names: Names, rows: np.ndarray, mean: np.ndarray, vectors: np.ndarray) -> dict[str, Figure]:
    """Centred cosine and retrieval of `vectors`, one for each of `rows`."""
    real = unit(names.embeddings - mean)
    own_centre = unit(vectors - mean)
    cosines = (own_centre * real[rows]).sum(1)
    table = own_centre @ real.T
    # phrases of one spelling but for case have one real vector: they are no wrong answer
    better = (table > cosines[:, None] + 1e-4).sum(1)
    better[~own_centre.any(1)] = len(real)  # the mean itself is a guess at nothing: a bag of tokens none of which is known
    return {
        "centred cosine": interval(lambda r: float(cosines[r].mean()), len(rows)),
        "right name first": interval(lambda r: float((better[r] == 0).mean()), len(rows)),
        "right name in five": interval(lambda r: float((better[r] < 5).mean()), len(rows)),
    }


def influence(whole: np.ndarray, rest: np.ndarray) -> np.ndarray:
    found: np.ndarray = 1 - (unit(whole) * unit(rest)).sum(1)
    return found


def deletion_figure(names: Names, cases: Sequence[Deletion], scores: np.ndarray) -> Figure:
    """Rank correlation of scores, one a case, with real CLIP's influence; cases of one phrase are drawn together."""
    real = influence(names.embeddings[[d.whole for d in cases]], names.embeddings[[d.rest for d in cases]])
    return interval(lambda r: spearman(scores[r], real[r]), len(cases), np.array([d.whole for d in cases]))


def gain(names: Names, cases: Sequence[Deletion], better: np.ndarray, scores: np.ndarray) -> Figure:
    """By how much `better` is nearer to real CLIP's order than `scores` are, on the same cases."""
    real = influence(names.embeddings[[d.whole for d in cases]], names.embeddings[[d.rest for d in cases]])
    groups = np.array([d.whole for d in cases])
    return interval(lambda r: spearman(better[r], real[r]) - spearman(scores[r], real[r]), len(cases), groups)


def pair_figure(pairs: Sequence[WordPair], encode: Encode, mean: np.ndarray) -> Figure:
    """Area under the curve of centred cosines; the pairs by chance are made of the same words."""
    words = sorted({w for p in pairs for w in (p.one, p.other)})
    place = {w: n for n, w in enumerate(words)}
    vectors = unit(encode(words) - mean)
    alike = np.array([(place[p.one], place[p.other]) for p in pairs])
    chance = np.random.default_rng(1).permutation(alike[:, 1])
    known = {tuple(sorted(p)) for p in alike.tolist()}
    other = np.array([(a, b) for a, b in zip(alike[:, 0], chance, strict=True) if a != b and tuple(sorted((a, b))) not in known])
    positive, negative = ((vectors[p[:, 0]] * vectors[p[:, 1]]).sum(1) for p in (alike, other))

    def area(rows: np.ndarray) -> float:
        mine = positive[rows]
        found = ranks(np.concatenate([mine, negative]))[: len(mine)].sum()
        return float((found - len(mine) * (len(mine) - 1) / 2) / (len(mine) * len(negative)))

    return interval(area, len(positive))
