"""What goes into a text encoder and what comes out: windows of ids, and arrays.

    Window    one row of ids, places hidden from attention, and vectors put in place of token embeddings
    Encoded   hidden states at every position, with the pooled vectors
    Pooled    the pooled vectors alone (all that is needed to compare texts, and much cheaper)

Everything here is plain Python and numpy; tensors stay inside the package.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from promptlens.errors import WeightsError
from promptlens.vocab import END_ID, SIZE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    FloatArray: TypeAlias = "NDArray[np.float32]"


class CancelledError(Exception):
    """Encoding was stopped on request; nothing was computed in part."""


@dataclass(frozen=True, slots=True)
class Vector:
    """A vector in place of the token embedding at one position (`values`: float32 bytes, so that windows compare and hash)."""

    position: int
    values: bytes

    @classmethod
    def at(cls, position: int, values: Any) -> Vector:
        """From anything numpy reads as one row of numbers."""
        import numpy as np

        return cls(position, np.ascontiguousarray(values, dtype="<f4").tobytes())


@dataclass(frozen=True, slots=True)
class Window:
    """One window as a text encoder reads it.

    `ids` are all of its slots: BOS, tokens, EOS, padding; 77 for CLIP, fewer where a host sends fewer. `hide` are positions
    that no position attends to. `vectors` replace token embeddings; the id underneath then counts only for finding EOS.
    """

    ids: tuple[int, ...]
    hide: frozenset[int] = frozenset()
    vectors: tuple[Vector, ...] = ()

    @property
    def eos(self) -> int:
        """Position of the first EOS (49407), which is where the pooled vector is read; 0 if there is none, as transformers has it.

        >>> Window((49406, 2368, 49407, 49407)).eos
        2
        """
        try:
            return self.ids.index(END_ID)
        except ValueError:
            return 0

    def shared(self, other: Window) -> int:
        """How many positions from the start are computed alike in both: the encoder is causal, so nothing later changes them.

        >>> Window((49406, 320, 2368, 49407)).shared(Window((49406, 320, 1929, 49407)))
        2
        """
        length = min(len(self.ids), len(other.ids))
        first = next((i for i in range(length) if self.ids[i] != other.ids[i]), length)
        if self.hide != other.hide:
            first = min(first, *(self.hide ^ other.hide))
        if self.vectors != other.vectors:
            first = min(first, *(v.position for v in set(self.vectors) ^ set(other.vectors)))
        return first


@dataclass(frozen=True, slots=True, eq=False)
class Pooled:
    """`pooled` (windows, width): the EOS row after the last layer and the final norm. `projected` (windows, projection
    width): the same in the space shared with pictures, or None where the weights hold no projection."""

    pooled: FloatArray
    projected: FloatArray | None


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """`hidden` (windows, positions, width) float32 of the layer asked for; the others as in `Pooled`."""

    hidden: FloatArray
    pooled: FloatArray
    projected: FloatArray | None


@dataclass(frozen=True, slots=True, eq=False)
class AllLayers:
    """`states` (layers + 1, windows, positions, width): the embeddings, then what each layer gives, none of it normed;
    `normed` (windows, positions, width): the last one after the final norm; the others as in `Pooled`."""

    states: FloatArray
    normed: FloatArray
    pooled: FloatArray
    projected: FloatArray | None


def as_windows(
    ids: Any,
    *,
    hide: Sequence[Iterable[int]] | None = None,
    vectors: Sequence[Mapping[int, Any]] | None = None,
) -> tuple[Window, ...]:
    """Windows from rows of ids, with the hidden positions and the vectors of each row.

    `ids` is (windows, positions), or one row. Raises `WeightsError` where rows and options do not fit together.
    """
    rows = [list(map(int, row)) for row in _rows(ids)]
    for option, given in (("hide", hide), ("vectors", vectors)):
        if given is not None and len(given) != len(rows):
            raise WeightsError(f"{option} has {len(given)} entries for {len(rows)} windows; give one a window.")
    return tuple(
        Window(
            ids=tuple(row),
            hide=frozenset(int(p) for p in hide[i]) if hide is not None else frozenset(),
            vectors=tuple(Vector.at(int(p), v) for p, v in sorted(vectors[i].items())) if vectors is not None else (),
        )
        for i, row in enumerate(rows)
    )


def _rows(ids: Any) -> list[Any]:
    """Rows of a nested sequence or an array; a single row becomes the only one."""
    rows = list(ids)
    return [rows] if rows and not hasattr(rows[0], "__len__") else rows


def layer_depth(layer: str | int, layers: int, missing: int, name: str) -> int:
    """How many layers lie under `layer`, of weights with `layers` that lack `missing` at the end.

    >>> layer_depth("last", 12, 0, "clip-l"), layer_depth("penultimate", 12, 0, "clip-l"), layer_depth("penultimate", 23, 1, "clip-h")
    (12, 11, 23)
    """
    from_end = {"last": 1, "penultimate": 2}.get(layer) if isinstance(layer, str) else layer
    if from_end is None:
        raise WeightsError(f"Unknown layer {layer!r}. Known: 'last', 'penultimate', or a number counted from the end (1 is the last).")
    if 1 <= from_end <= missing:
        raise WeightsError(
            f"These {name} weights stop before the last layer, as the diffusers folders of Stable Diffusion 2 do, so layer {layer!r} is "
            "not in them. Use 'penultimate', or weights that are whole."
        )
    depth = layers + missing + 1 - from_end
    if not 0 <= depth <= layers:
        raise WeightsError(f"{name} has {layers + missing} layers here; there is no layer {layer!r} counted from the end.")
    return depth


def check_windows(windows: Sequence[Window], *, width: int, positions: int, one_length: bool = False) -> None:
    """Raise `WeightsError` for what this encoder cannot read: a bad length, an id outside the vocabulary, a misplaced vector.

    EOS and the first position cannot be hidden: the one is where the text is read off, the other is all that BOS can look at.
    """
    lengths = {len(w.ids) for w in windows}
    if one_length and len(lengths) > 1:
        raise WeightsError(f"Windows of {min(lengths)} and of {max(lengths)} ids do not fit one array; encode them apart.")
    for n, window in enumerate(windows):
        length = len(window.ids)
        where = f"Window {n + 1} of {len(windows)}"
        if not 1 <= length <= positions:
            raise WeightsError(f"{where} has {length} ids; this encoder reads 1 to {positions}.")
        replaced = {v.position for v in window.vectors}
        bad = next((t for p, t in enumerate(window.ids) if p not in replaced and not 0 <= t < SIZE), None)
        if bad is not None:
            raise WeightsError(f"{where} holds id {bad}, which is not in the vocabulary (0 to {SIZE - 1}); give a vector for its place.")
        outside = sorted(p for p in replaced | window.hide if not 0 <= p < length)
        if outside:
            raise WeightsError(f"{where} has {length} positions; there is no position {outside[0]}.")
        if window.hide & {0, window.eos}:
            raise WeightsError(f"{where}: neither the first position nor EOS (position {window.eos}) can be hidden from attention.")
        wrong = next((len(v.values) // 4 for v in window.vectors if len(v.values) != 4 * width), None)
        if wrong is not None:
            raise WeightsError(f"{where}: a vector has {wrong} numbers; this encoder is {width} wide.")
