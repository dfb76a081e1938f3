"""Encoding many windows that begin alike: what they share is computed once, what nobody reads not at all.

    base        one window, encoded with the keys and values of every layer kept
    variants    windows that begin like it: computed from the first position that differs
    whole       up to the end of the window, for hidden states; otherwise up to EOS, for the pooled vector alone

A position computed here equals, but for the order of float additions, the same position of the window encoded on its own.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import torch

from promptlens.encoder.interface import Progress
from promptlens.encoder.packing import Packing, Piece, pack, passes
from promptlens.encoder.products import Tensor
from promptlens.encoder.transformer import KeptKeys, Transformer
from promptlens.encoder.windows import Window


@dataclass(frozen=True, slots=True, eq=False)
class Base:
    """An encoded window, or its start: `states[n]` (length, width) are its first rows after n layers."""

    window: Window
    length: int
    keys: KeptKeys
    states: tuple[Tensor, ...]

    def shared(self, window: Window) -> int:
        """How many positions of `window` need not be computed."""
        return min(window.shared(self.window), self.length)


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """`states` by depth, (windows, positions, width) each; `ends` (windows, width): the EOS rows after the last layer."""

    states: dict[int, Tensor]
    ends: Tensor


def encode_base(transformer: Transformer, window: Window, length: int) -> Base:
    """Encode the first `length` positions of a window and keep everything that others could share."""
    packing = pack((Piece(0, 0, length, window.eos, window.hide),), transformer.device)
    x = _embedded(transformer, [window], packing)
    states, keys = [x], []
    for number in range(len(transformer.blocks)):
        x, (k, v) = transformer.layer(number, x, packing, None)
        states.append(x)
        keys.append((k[0], v[0]))
    return Base(window, length, KeptKeys(tuple(keys)), tuple(states))


def encode_rows(
    transformer: Transformer,
    windows: Sequence[Window],
    base: Base | None,
    *,
    whole: bool,
    depths: Collection[int],
    progress: Progress | None = None,
) -> Rows:
    """The rows of `windows` after each of `depths` layers, and their EOS rows after the last.

    With `whole`, all windows must have one length. Equal windows are computed once.
    """
    distinct = list(dict.fromkeys(windows))
    result = _empty(transformer, distinct, base, depths)
    pieces = [p for n, w in enumerate(distinct) if (p := _piece(n, w, base, whole=whole)).length > 0]
    groups = [pack(group, transformer.device) for group in passes(pieces)]
    layers = len(transformer.blocks)
    for n, packing in enumerate(groups):
        x = _embedded(transformer, distinct, packing)
        _keep(result, 0, x, packing)
        for number in range(layers):
            ends_only = number == layers - 1 and layers not in depths
            x, _ = transformer.layer(number, x, packing, base.keys if base else None, ends_only=ends_only)
            if number + 1 in depths:
                _keep(result, number + 1, x, packing)
            if progress is not None:
                progress(n * layers + number + 1, len(groups) * layers)
        _keep_ends(result, x if layers not in depths else x[packing.ends], packing)
    places = {w: n for n, w in enumerate(distinct)}
    if len(distinct) == len(windows):
        return result
    order = torch.tensor([places[w] for w in windows], device=transformer.device)
    return Rows({d: rows[order] for d, rows in result.states.items()}, result.ends[order])


def _piece(index: int, window: Window, base: Base | None, *, whole: bool) -> Piece:
    """What of a window has to be computed."""
    end = len(window.ids) if whole else window.eos + 1
    start = min(base.shared(window), end) if base else 0
    return Piece(index, start, end, window.eos, window.hide)


def _empty(transformer: Transformer, windows: Sequence[Window], base: Base | None, depths: Collection[int]) -> Rows:
    """Results with all that the base already knows filled in."""
    length = len(windows[0].ids) if windows else 0
    device, width = transformer.device, transformer.width
    states = {d: torch.zeros(len(windows), length, width, device=device) for d in depths}
    ends = torch.zeros(len(windows), width, device=device)
    if base is not None:
        for n, window in enumerate(windows):
            shared = base.shared(window)
            for depth, rows in states.items():
                rows[n, :shared] = base.states[depth][:shared]
            if window.eos < shared:
                ends[n] = base.states[-1][window.eos]
    return Rows(states, ends)


def _keep(result: Rows, depth: int, x: Tensor, packing: Packing) -> None:
    if depth in result.states:
        row = 0
        for piece in packing.pieces:
            result.states[depth][piece.index, piece.start : piece.end] = x[row : row + piece.length]
            row += piece.length


def _keep_ends(result: Rows, ends: Tensor, packing: Packing) -> None:
    for n, piece in enumerate(packing.pieces):
        if piece.eos >= piece.start:
            result.ends[piece.index] = ends[n]


def _embedded(transformer: Transformer, windows: Sequence[Window], packing: Packing) -> Tensor:
    """Input rows of a pass, with the vectors that stand in place of token embeddings."""
    ids: list[int] = []
    rows: list[int] = []
    vectors: list[Tensor] = []
    for piece in packing.pieces:
        window = windows[piece.index]
        replaced = {v.position: v.values for v in window.vectors if piece.start <= v.position < piece.end}
        for position in range(piece.start, piece.end):
            if position in replaced:
                rows.append(len(ids))
                vectors.append(torch.frombuffer(bytearray(replaced[position]), dtype=torch.float32))
                ids.append(0)
            else:
                ids.append(window.ids[position])
    device = transformer.device
    x = transformer.embed(torch.tensor(ids, device=device))
    if rows:
        x[torch.tensor(rows, device=device)] = torch.stack(vectors).to(device)
    return x + transformer.places[packing.positions]
