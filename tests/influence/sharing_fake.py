"""The numpy encoder with the whole interface of `WindowEncoder`: bases, pooling alone, progress. It does share work with the base."""

from __future__ import annotations

import runpy
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from promptlens.encoder.windows import Encoded, Pooled, Window

_FAKE: Any = runpy.run_path(str(Path(__file__).parents[1] / "conditioning" / "fake_encoder.py"))["FakeEncoder"]


class SharingFake(_FAKE):  # type: ignore[misc]
    """`bases` lists the base of each call, `calls` how many windows each had."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.name, self.positions, self.checksum = "fake", 77, "fake"
        self.bases: list[Window | None] = []

    def encode_windows(
        self,
        windows: Sequence[Window],
        *,
        layer: str | int = "last",
        final_norm: bool = True,
        base: Window | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Encoded:
        self.bases.append(base)
        encoded: Encoded = super().encode_windows(windows, layer=layer, final_norm=final_norm)
        if base is not None:
            shared = super().encode_windows([base], layer=layer, final_norm=final_norm).hidden[0]
            self.calls.pop()
            for n, window in enumerate(windows):
                length = window.shared(base)
                np.testing.assert_array_equal(encoded.hidden[n, :length], shared[:length])
        if progress is not None:
            progress(1, 1)
        return encoded

    def pool_windows(
        self, windows: Sequence[Window], *, base: Window | None = None, progress: Callable[[int, int], None] | None = None
    ) -> Pooled:
        encoded = self.encode_windows(windows, base=base, progress=progress)
        return Pooled(encoded.pooled, encoded.projected)


def sd1() -> dict[str, SharingFake]:
    return {"clip-l": SharingFake(seed=1)}


def sdxl() -> dict[str, SharingFake]:
    return {"clip-l": SharingFake(seed=1), "clip-g": SharingFake(8, layers=4, projects=True, seed=2)}
