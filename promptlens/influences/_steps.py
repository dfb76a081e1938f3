"""The steps of the heat ramp: how strong a unit is, in nine steps that marks say without colour too."""

from __future__ import annotations

from math import ceil, isnan

from promptlens.influences._result import Influence

LEVELS = 9


def level(found: Influence, n: int) -> int:
    """Step of the ramp of a unit: 9 for the strongest, 0 for what a comma does too."""
    if found.approximate:
        return 0 if found.is_quiet(n) else {"high": LEVELS, "medium": 5, "low": 1}[found.band(n)]
    score, most = found.scores[n], max((s for s in found.scores if not isnan(s)), default=0.0)
    if isnan(score) or found.is_quiet(n) or not most:
        return 0
    return max(1, min(LEVELS, ceil(LEVELS * score / most))) if most != float("inf") else LEVELS


def mark(found: Influence, n: int | None) -> str:
    """The sign of a unit: its step, or a dot for what a comma does too. A blank for what is between units."""
    return " " if n is None else str(level(found, n) or "·")
