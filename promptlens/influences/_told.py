"""What pictures and pages tell of one word, and the colours of the steps."""

from __future__ import annotations

from math import isfinite, isnan

from promptlens.influences._result import Influence
from promptlens.influences._steps import LEVELS, level

# Backgrounds of the steps, pale to strong; text stays dark on all of them, and a digit says the step without colour.
RAMP = ("#fff0e4", "#ffe3cf", "#ffd5b6", "#ffc69c", "#ffb681", "#ffa466", "#fb9150", "#f27e38", "#e66b22")


def told(found: Influence, n: int) -> str:
    """The numbers of a unit in a line: "influence 0.1203, clip-l 0.0911, clip-g 0.1495, 1 token"."""
    parts = [f"influence {score(found, n)}"]
    if not found.approximate and len(found.by_encoder) > 1:
        parts += [f"{name} {scores[n]:.4g}" for name, scores in found.by_encoder.items()]
    parts.append(f"{found.tokens[n]} token{'s' if found.tokens[n] != 1 else ''}")
    for name, values in (("toward", found.toward), ("against", found.against)):
        if values is not None and not found.approximate:
            parts.append(f"{name} {values[n]:+.4g}")
    parts += ["no more than a comma does"] * (found.is_quiet(n) and not found.lost[n])
    parts += ["moves a chunk boundary"] * found.moved[n] + ["never reaches the encoder"] * found.lost[n]
    return ", ".join(parts)


def score(found: Influence, n: int) -> str:
    """The score of a unit as it may be shown: a preview encoder has bands alone."""
    value = found.scores[n]
    if isnan(value):
        return "unknown"
    return found.band(n) if found.approximate else f"{value:.4g}" if isfinite(value) else "infinite"


def largest(found: Influence) -> float:
    """The largest score that is finite; 0 without one."""
    return max((s for s in found.scores if isfinite(s)), default=0.0)


def bar_share(found: Influence, n: int) -> float:
    """How long the bar of a unit is, of the longest: its score, or its step where there are bands alone."""
    value, most = found.scores[n], largest(found)
    if found.approximate:
        return max(level(found, n), 1) / LEVELS
    return value / most if isfinite(value) and most else float(value == float("inf"))
