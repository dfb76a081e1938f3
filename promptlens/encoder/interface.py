"""What every text encoder answers to, wherever it runs: in this process, in a child process, or out of a cache.

Two calls do the work, on windows; `ByIds` puts the calls on plain rows of ids on top of them. It leaves out how.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from promptlens.encoder.windows import Encoded, Pooled, Window, as_windows

if TYPE_CHECKING:
    from promptlens.encoder.windows import FloatArray

Progress = Callable[[int, int], None]
"""Called with (steps done, steps in all) as the work goes; whatever it raises stops the work."""


class WindowEncoder(Protocol):
    """A text encoder: `name` as in `ENCODERS`, the `width` of its hidden states, and how many `positions` a window may have.

    `layers` are those its weights hold, `missing_layers` those they lack at the end, `checksum` names them.
    """

    @property
    def name(self) -> str: ...
    @property
    def width(self) -> int: ...
    @property
    def positions(self) -> int: ...
    @property
    def layers(self) -> int: ...
    @property
    def missing_layers(self) -> int: ...
    @property
    def checksum(self) -> str: ...

    def encode_windows(
        self,
        windows: Sequence[Window],
        *,
        layer: str | int = "last",
        final_norm: bool = True,
        base: Window | None = None,
        progress: Progress | None = None,
    ) -> Encoded: ...

    def pool_windows(self, windows: Sequence[Window], *, base: Window | None = None, progress: Progress | None = None) -> Pooled: ...

    def embed(self, ids: Any) -> FloatArray: ...


class ByIds:
    """`encode`, `encode_embedded` and `pool`, for a class that has `encode_windows` and `pool_windows`."""

    __slots__ = ()

    def encode(
        self: WindowEncoder,
        ids: Any,
        *,
        layer: str | int = "last",
        final_norm: bool = True,
        hide: Sequence[Iterable[int]] | None = None,
        vectors: Sequence[Mapping[int, Any]] | None = None,
    ) -> Encoded:
        """Hidden states of rows of ids (windows, positions) after a layer, and the pooled vectors.

        `layer` is "last", "penultimate", or a number counted from the end (1 is the last). `final_norm` puts the final layer norm
        on it. Pooled vectors are those of the last layer, normed, whatever `layer` is. `hide` and `vectors` have one entry a
        window: positions that nothing attends to, and vectors by position in place of token embeddings.
        """
        return self.encode_windows(as_windows(ids, hide=hide, vectors=vectors), layer=layer, final_norm=final_norm)

    def encode_embedded(self: WindowEncoder, embeddings: Any, ids: Any, *, layer: str | int = "last", final_norm: bool = True) -> Encoded:
        """Like `encode`, from token embeddings (windows, positions, width) the caller made; `ids` say where EOS is."""
        rows = [dict(enumerate(row)) for row in embeddings]
        return self.encode_windows(as_windows(ids, vectors=rows), layer=layer, final_norm=final_norm)

    def pool(
        self: WindowEncoder,
        ids: Any,
        *,
        hide: Sequence[Iterable[int]] | None = None,
        vectors: Sequence[Mapping[int, Any]] | None = None,
    ) -> Pooled:
        """The pooled vectors of rows of ids, of any lengths; nothing after EOS is computed."""
        return self.pool_windows(as_windows(ids, hide=hide, vectors=vectors))
