"""An encoder that asks its caches first, and loads the weights only when they do not know.

    encoder = cached_encoder("clip_l.safetensors", "clip-l")      # reads a header, loads nothing

A question asked before is answered in milliseconds, even by a program that was just started.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from promptlens.encoder.cache import DiskCache, MemoryCache, remembered, window_key
from promptlens.encoder.files import FoundWeights
from promptlens.encoder.interface import ByIds, Progress, WindowEncoder
from promptlens.encoder.windows import Encoded, Pooled, Window, check_windows, layer_depth

if TYPE_CHECKING:
    from promptlens.encoder.windows import FloatArray


class CachedEncoder(ByIds):
    """Answers out of `memory` and `disk` what they know, and out of the encoder that `load` gives what they do not."""

    def __init__(
        self,
        load: Callable[[], WindowEncoder],
        *,
        name: str,
        width: int,
        positions: int,
        layers: int,
        missing_layers: int,
        checksum: str,
        precision: str = "float32",
        memory: MemoryCache | None = None,
        disk: DiskCache | None = None,
    ) -> None:
        self.name = name
        self.width = width
        self.positions = positions
        self.layers = layers
        self.missing_layers = missing_layers
        self.checksum = checksum
        self.precision = precision
        self._load = load
        self._encoder: WindowEncoder | None = None
        self._memory = memory if memory is not None else MemoryCache()
        self._disk = disk

    @property
    def encoder(self) -> WindowEncoder:
        """The encoder itself, loaded when it is first needed."""
        if self._encoder is None:
            self._encoder = self._load()
        return self._encoder

    def encode_windows(
        self,
        windows: Sequence[Window],
        *,
        layer: str | int = "last",
        final_norm: bool = True,
        base: Window | None = None,
        progress: Progress | None = None,
    ) -> Encoded:
        """As `TextEncoder.encode_windows`; only windows that no cache knows are computed."""
        import numpy as np

        depth = layer_depth(layer, self.layers, self.missing_layers, self.name)
        check_windows(windows, width=self.width, positions=self.positions, one_length=True)

        def compute(missing: list[Window]) -> list[tuple[Any, ...]]:
            got = self.encoder.encode_windows(missing, layer=layer, final_norm=final_norm, base=base, progress=progress)
            return list(zip(got.hidden, got.pooled, _rows(got.projected, len(missing)), strict=True))

        hidden, pooled, projected = zip(*self._answers(windows, f"layer {depth} {final_norm}", compute), strict=True)
        return Encoded(np.stack(hidden), np.stack(pooled), _stacked(projected))

    def pool_windows(self, windows: Sequence[Window], *, base: Window | None = None, progress: Progress | None = None) -> Pooled:
        """As `TextEncoder.pool_windows`; only windows that no cache knows are computed."""
        import numpy as np

        check_windows(windows, width=self.width, positions=self.positions)

        def compute(missing: list[Window]) -> list[tuple[Any, ...]]:
            got = self.encoder.pool_windows(missing, base=base, progress=progress)
            return list(zip(got.pooled, _rows(got.projected, len(missing)), strict=True))

        pooled, projected = zip(*self._answers(windows, "pooled", compute), strict=True)
        return Pooled(np.stack(pooled), _stacked(projected))

    def embed(self, ids: Any) -> FloatArray:
        """Token embeddings, straight from the weights."""
        return self.encoder.embed(ids)

    def _answers(
        self, windows: Sequence[Window], what: str, compute: Callable[[list[Window]], list[tuple[Any, ...]]]
    ) -> list[tuple[Any, ...]]:
        """One entry a window, those that no cache knows computed together and kept."""
        keys = {w: window_key(self.checksum, what, w) for w in windows}
        known = {w: entry for w, key in keys.items() if (entry := self._known(key)) is not None}
        missing = [w for w in keys if w not in known]
        if missing or not windows:
            for window, entry in zip(missing, compute(missing), strict=True):
                known[window] = tuple(None if a is None else a.copy() for a in entry)  # not a view that keeps the whole batch
                self._memory.put(keys[window], known[window])
                if self._disk is not None:
                    self._disk.put(keys[window], known[window])
        return [known[w] for w in windows]

    def _known(self, key: str) -> tuple[Any, ...] | None:
        entry = self._memory.get(key)
        if entry is None and self._disk is not None:
            entry = self._disk.get(key)
            if entry is not None:
                self._memory.put(key, entry)
        return entry


def cached_encoder(
    source: str | Path | FoundWeights,
    name: str | None = None,
    *,
    cache: Path | None = None,
    load: Callable[..., WindowEncoder] | None = None,
    precision: str = "float32",
    **options: Any,
) -> CachedEncoder:
    """`load_encoder` with caches in front: a folder on disk (`cache`, default the user's cache folder) and memory.

    `load` replaces `load_encoder`, as by `EncoderProcess.load`; it gets the same arguments.
    """
    from promptlens.encoder.loading import load_encoder, open_source, source_checksum, source_name

    path, name = source_name(source, name)
    found = open_source(path, name, allow_pickle=bool(options.get("allow_pickle")))
    folder = cache if cache is not None else cache_folder()
    files = {entry.file for entry in found.entries.values()}
    checksum = remembered(folder / "weights", sorted(files), name, lambda: source_checksum(found))
    return CachedEncoder(
        lambda: (load or load_encoder)(path, name, precision=precision, **options),
        name=name,
        width=found.holding.width,
        positions=found.holding.positions,
        layers=found.holding.layers,
        missing_layers=found.missing_layers(name),
        checksum=f"{checksum}-{precision}",
        precision=precision,
        disk=DiskCache(folder / "windows"),
    )


def cache_folder() -> Path:
    """Where encoded windows are kept between runs."""
    from platformdirs import user_cache_path

    return user_cache_path("promptlens", appauthor=False)


def _rows(projected: Any, count: int) -> list[Any]:
    return [None] * count if projected is None else list(projected)


def _stacked(rows: Sequence[Any]) -> Any:
    import numpy as np

    return None if any(r is None for r in rows) else np.stack(rows)
