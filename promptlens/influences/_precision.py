"""What is said of results that were computed in bf16: which ranks may be others than in fp32, and how far they agreed when measured.

The figures are those that benchmarks/precision.py prints for CLIP-L at full size with random weights: 10 and 20 words, five prompts of each
length.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

Precision = Literal["fp32", "bf16"]

LABEL = "computed in bf16: near ties may change places"
# The least Spearman correlation with the ranking in fp32.
AGREEMENT = {"pooled": 0.988, "conditioning": 1.0, "similarity": 0.987}


def precision_of(encoders: Iterable[object]) -> Precision:
    """What a measurement was computed in: bf16 where any of its encoders was."""
    return "bf16" if any(getattr(encoder, "precision", "") == "bfloat16" for encoder in encoders) else "fp32"


def caution(measure: str) -> str:
    """The line that stands first; `measure` is a lens, or "similarity"."""
    return f"{LABEL} (rank agreement with fp32 measured: Spearman at least {AGREEMENT[measure]:g}, CLIP-L, random weights)"
