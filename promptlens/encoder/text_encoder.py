"""A loaded text encoder: windows of ids in, numpy arrays out, and no more computed than the question needs.

What makes "and without this word?" cheap: the encoder is causal, so a window costs nothing before the place where it differs
from one already encoded (`base`), and nothing after EOS when only the pooled vector is wanted. For n words that is
77 / (n / 2 + 1) times less than n whole windows.

It leaves out emphasis, chunks and everything else that hosts do before and after: this is the model alone.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from promptlens.encoder.interface import ByIds, Progress
from promptlens.encoder.products import Tensor
from promptlens.encoder.sharing import Base, Rows, Start, encode_rows
from promptlens.encoder.threads import using_threads
from promptlens.encoder.transformer import Transformer
from promptlens.encoder.windows import AllLayers, Encoded, Pooled, Window, as_windows, check_windows, layer_depth
from promptlens.errors import WeightsError

if TYPE_CHECKING:
    from promptlens.encoder.windows import FloatArray

# Encoded bases kept for the next question about the same prompt: one of bigG takes 38 MB.
KEPT_BASES = 8


class TextEncoder(ByIds):
    """Loaded weights of one text encoder, for use by one thread at a time.

    `name` as in `ENCODERS`. `layers` are those the weights hold, `missing_layers` those they lack at the end (1 in the diffusers
    folders of Stable Diffusion 2, which end at what others call the penultimate).
    """

    def __init__(
        self,
        name: str,
        transformer: Transformer,
        *,
        missing_layers: int = 0,
        precision: str = "float32",
        thread_count: int | None = None,
        checksum: Callable[[], str] | None = None,
    ) -> None:
        self.name = name
        self.missing_layers = missing_layers
        self.precision = precision
        self.thread_count = thread_count
        self._transformer = transformer
        self._read_checksum = checksum
        self._bases: OrderedDict[Window, Base] = OrderedDict()

    @property
    def width(self) -> int:
        return self._transformer.width

    @property
    def positions(self) -> int:
        """Slots of a whole window: 77 for CLIP."""
        return int(self._transformer.places.shape[0])

    @property
    def layers(self) -> int:
        return len(self._transformer.blocks)

    @property
    def checksum(self) -> str:
        """Names these weights as they are computed with: equal for equal weights in any layout. Read from disk when asked."""
        return self._read_checksum() if self._read_checksum is not None else ""

    def encode_windows(
        self,
        windows: Sequence[Window],
        *,
        layer: str | int = "last",
        final_norm: bool = True,
        base: Window | None = None,
        progress: Progress | None = None,
    ) -> Encoded:
        """Hidden states of windows of one length after a layer, and their pooled vectors, as `encode` describes them.

        With `base`, the positions from the start that a window has in common with it are computed once for all.
        """
        depth = layer_depth(layer, self.layers, self.missing_layers, self.name)
        with self._at_work():
            rows = self._rows(windows, base, {depth}, progress, whole=True)
            hidden = rows.states[depth]
            return Encoded(_array(self._transformer.norm(hidden) if final_norm else hidden), *self._pooled(rows))

    def encode_layers(self, windows: Sequence[Window], *, base: Window | None = None, progress: Progress | None = None) -> AllLayers:
        """Every hidden state of windows of one length, from one pass."""
        with self._at_work():
            rows = self._rows(windows, base, range(self.layers + 1), progress, whole=True)
            states = np.stack([_array(rows.states[depth]) for depth in range(self.layers + 1)])
            return AllLayers(states, _array(self._transformer.norm(rows.states[self.layers])), *self._pooled(rows))

    def pool_windows(self, windows: Sequence[Window], *, base: Window | None = None, progress: Progress | None = None) -> Pooled:
        """The pooled vectors of windows of any lengths, sharing their start with `base`; nothing after EOS is computed."""
        with self._at_work():
            return Pooled(*self._pooled(self._rows(windows, base, (), progress, whole=False)))

    def embed(self, ids: Any) -> FloatArray:
        """Token embeddings (windows, positions, width) of rows of ids, before positions are added."""
        windows = as_windows(ids)
        check_windows(windows, width=self.width, positions=self.positions, one_length=True)
        with self._at_work():
            return _array(self._transformer.embed(torch.tensor([w.ids for w in windows], device=self._transformer.device)))

    def norm(self, hidden: Any) -> FloatArray:
        """The final layer norm of hidden states (..., width)."""
        with self._at_work():
            return _array(self._transformer.norm(torch.as_tensor(np.asarray(hidden, dtype=np.float32), device=self._transformer.device)))

    def _at_work(self) -> Any:
        return using_threads(self.thread_count)

    def _rows(
        self, windows: Sequence[Window], base: Window | None, depths: Collection[int], progress: Progress | None, *, whole: bool
    ) -> Rows:
        if not windows:
            raise WeightsError("There is no window to encode.")
        check_windows(windows, width=self.width, positions=self.positions, one_length=whole)
        if base is None:
            return encode_rows(self._transformer, windows, None, whole=whole, depths=depths, progress=progress)[0]
        start = Start(base, len(base.ids) if whole else base.eos + 1)
        known = self._bases.get(base)
        if known is None or not known.serves(start, depths):
            check_windows([base], width=self.width, positions=self.positions)
            known = None
        rows, made = encode_rows(self._transformer, windows, known or start, whole=whole, depths=depths, progress=progress)
        assert made is not None  # there is a start
        self._bases[base] = made
        self._bases.move_to_end(base)
        while len(self._bases) > KEPT_BASES:
            self._bases.popitem(last=False)
        return rows

    def _pooled(self, rows: Rows) -> tuple[FloatArray, FloatArray | None]:
        pooled = self._transformer.norm(rows.ends)
        if not bool(torch.isfinite(pooled).all()):
            raise WeightsError(
                f"These {self.name} weights, or the embeddings in the prompt, hold numbers that are none (NaN) or infinite, so nothing can "
                "be computed with them: a damaged file, or a merge that went wrong. Take other weights."
            )
        projected = self._transformer.project(pooled)
        return _array(pooled), None if projected is None else _array(projected)


def _array(tensor: Tensor) -> FloatArray:
    array: FloatArray = tensor.float().cpu().numpy()
    return array
