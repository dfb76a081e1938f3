"""Where in the tensor the change is: at the word's own positions, at later words, at EOS and padding, or elsewhere.

The encoder is causal, so what comes before a word in its window, and other windows, do not change, unless a boundary moved or the host
scales the whole window back to its mean (A1111's emphasis): that share is `elsewhere`. A removed word lets the later ones move up, and
positions are compared as the diffusion model sees them: slot by slot. The pooled vector is left out here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from promptlens.conditionings import CONDITIONERS
from promptlens.hosts import Chunk
from promptlens.influences._lenses import Looked, encoder_columns
from promptlens.influences._reading import Reading, Setting, places
from promptlens.spans import Span

OWN, LATER, END, ELSEWHERE = range(4)

Roles = NDArray[np.int64]


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
        slots = _slots(setting, reading.chunks(number), span)
        if len(slots) > len(a):
            return None
        roles = np.full(len(a), ELSEWHERE)
        roles[: len(slots)] = slots
        with np.errstate(all="ignore"):
            changes = ((b[:, columns].astype(np.float64) - a[:, columns]) ** 2).sum(axis=1)
        sums += np.bincount(roles, weights=changes, minlength=4)
    total = float(sums.sum())
    shares = sums / total if total > 0 and np.isfinite(total) else np.zeros(4)
    return Split(*(float(s) for s in shares))


def _slots(setting: Setting, chunks: Sequence[Chunk], span: Span) -> Roles:
    """What each row of the tensor is to the word, where windows lie one after the other."""
    windows = [_roles(chunk, span) for chunk in chunks]
    if CONDITIONERS[setting.host].one_long_window:
        windows = [windows[0][:1], *(roles[1:-1] for roles in windows), windows[-1][-1:]]
    return np.concatenate(windows)


def _roles(chunk: Chunk, span: Span) -> Roles:
    """What each position of a window is to the word."""
    roles = np.full(len(chunk.ids), ELSEWHERE)
    own = sorted(places(chunk, (span,)))
    if own:
        roles[own[0] :] = LATER
        roles[own] = OWN
        roles[min(1 + chunk.used, len(roles)) :] = END
    return roles
