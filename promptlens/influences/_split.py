"""Where in the tensor the change is: at the word's own positions, at later words, at EOS and padding, or elsewhere.

The encoder is causal, so what comes before a word in its window, and other windows, do not change, unless a boundary moved or the host
scales the whole window back to its mean (A1111's emphasis): that share is `elsewhere`. A removed word lets the later ones move up, and
positions are compared as the diffusion model sees them: slot by slot. The pooled vector is left out here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from promptlens.hosts import Chunk
from promptlens.influences._lenses import Looked, encoder_columns
from promptlens.influences._reading import Reading, Setting, places
from promptlens.spans import Span

OWN, LATER, END, ELSEWHERE = range(4)


@dataclass(frozen=True, slots=True)
class Split:
    """Shares of the squared change of the tensor's positions; they add up to 1, or are all 0 where nothing changed."""

    own: float
    later: float
    end: float
    elsewhere: float


def split(setting: Setting, reading: Reading, before: Looked, after: Looked, span: Span) -> Split | None:
    """The split for one word; None where the rows of the tensor are not those of windows one after the other."""
    if before.tensor is None or after.tensor is None:
        return None
    a, b = before.tensor.hidden, after.tensor.hidden
    sums = np.zeros(4)
    for number, columns in enumerate(encoder_columns(setting, reading)):
        chunks = reading.chunks(number)
        if sum(len(c.ids) for c in chunks) > len(a):
            return None
        roles = np.full(len(a), ELSEWHERE)
        at = 0
        for chunk in chunks:
            roles[at : at + len(chunk.ids)] = _roles(chunk, span)
            at += len(chunk.ids)
        with np.errstate(all="ignore"):
            changes = ((b[:, columns].astype(np.float64) - a[:, columns]) ** 2).sum(axis=1)
        sums += np.bincount(roles, weights=changes, minlength=4)
    total = float(sums.sum())
    shares = sums / total if total > 0 and np.isfinite(total) else np.zeros(4)
    return Split(*(float(s) for s in shares))


def _roles(chunk: Chunk, span: Span) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """What each position of a window is to the word."""
    roles = np.full(len(chunk.ids), ELSEWHERE)
    own = sorted(places(chunk, (span,)))
    if own:
        roles[own[0] :] = LATER
        roles[own] = OWN
        roles[min(1 + chunk.used, len(roles)) :] = END
    return roles
