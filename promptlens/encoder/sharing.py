"""Encoding many windows that begin alike: what they share is computed once, what nobody reads not at all.

    base        one window, encoded with the keys and values of every layer kept
    variants    windows that begin like it: computed from the first position that differs
    whole       up to the end of the window, for hidden states; otherwise up to EOS, for the pooled vector alone

A base is computed in one pass with the first variants: in each layer they need its keys of that layer and of no other, and so the
weights, which take a good part of the time that ten words do, are fetched once. A position computed here equals, but for the
order of float additions, the same position of the window encoded on its own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import torch

from promptlens.encoder.interface import Progress
from promptlens.encoder.packing import Packing, Piece, pack, pass_positions, passes
from promptlens.encoder.products import Tensor
from promptlens.encoder.transformer import Transformer
from promptlens.encoder.windows import Window


@dataclass(frozen=True, slots=True)
class Start:
    """The first `length` positions of a window that others begin like."""

    window: Window
    length: int

    def shared(self, window: Window) -> int:
        """How many positions of `window` need not be computed."""
        return min(window.shared(self.window), self.length)


@dataclass(frozen=True, slots=True, eq=False)
class Base:
    """A start, encoded: `keys` (length, 2 x width), with the values, by layer, `states` by depth (length, width), `end` (width) its EOS
    row after the last layer."""

    start: Start
    keys: tuple[Tensor, ...]
    states: dict[int, Tensor]
    end: Tensor

    def serves(self, start: Start, depths: Collection[int]) -> bool:
        """Whether it is that start, or more of the same window, with all the states that are asked for."""
        return self.start.window == start.window and self.start.length >= start.length and all(d in self.states for d in depths)


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """`states` by depth, (windows, positions, width) each; `ends` (windows, width): the EOS rows after the last layer."""

    states: dict[int, Tensor]
    ends: Tensor


def encode_rows(
    transformer: Transformer,
    windows: Sequence[Window],
    base: Base | Start | None,
    *,
    whole: bool,
    depths: Collection[int],
    progress: Progress | None = None,
) -> tuple[Rows, Base | None]:
    """The rows of `windows` after each of `depths` layers, their EOS rows after the last, and the base, encoded on the way if it was not.

    With `whole`, all windows must have one length. Equal windows are computed once.
    """
    distinct = list(dict.fromkeys(windows))
    start = base.start if isinstance(base, Base) else base
    pieces = [p for n, w in enumerate(distinct) if (p := _piece(n, w, start, whole=whole)).length > 0]
    known = base if isinstance(base, Base) else None
    leads = start is not None and known is None  # the base is one window more, the first piece of the first pass
    found = [*distinct, start.window] if start is not None and leads else distinct
    runs = list(passes(pieces, pass_positions(transformer.device)))
    if start is not None and leads:
        runs[:1] = [(Piece(len(distinct), 0, start.length, start.window.eos, start.window.hide), *(runs[0] if runs else ()))]
    rows = _empty(transformer, found, depths)
    for n, group in enumerate(runs):
        least = start.length if start is not None and n == 0 else 0
        packing = pack(group, transformer.device, base_first=leads and n == 0, least=least)
        keys = _pass(transformer, found, packing, known, rows, _part_of(progress, n, len(runs), len(transformer.blocks)))
        if start is not None and known is None:
            known = _base(start, rows, keys)
    if known is not None:
        _fill(rows, distinct, known)
    return _in_order(rows, windows, distinct, transformer.device), known


def _pass(
    transformer: Transformer,
    windows: Sequence[Window],
    packing: Packing,
    base: Base | None,
    rows: Rows,
    tell: Callable[[int], None],
) -> list[Tensor]:
    """Compute a packing into `rows`; gives the keys and values of the first piece, by layer, where there is no base yet."""
    layers = len(transformer.blocks)
    keys: list[Tensor] = []
    x = _embedded(transformer, windows, packing)
    _keep(rows, 0, x, packing)
    for depth in range(1, layers + 1):
        ends_only = depth == layers and layers not in rows.states
        x, kv = transformer.layer(depth - 1, x, packing, base.keys[depth - 1] if base else None, ends_only=ends_only)
        if base is None:
            keys.append(kv[: packing.pieces[0].length].clone())  # a copy: it is kept longer than the pass it is part of
        _keep(rows, depth, x, packing)
        tell(depth)
    _keep_ends(rows, x if layers not in rows.states else x[packing.ends], packing)
    return keys


def _part_of(progress: Progress | None, n: int, passes: int, layers: int) -> Callable[[int], None]:
    """What a pass reports its layers to."""
    return lambda depth: None if progress is None else progress(n * layers + depth, passes * layers)


def _piece(index: int, window: Window, base: Start | None, *, whole: bool) -> Piece:
    """What of a window has to be computed."""
    end = len(window.ids) if whole else window.eos + 1
    start = min(base.shared(window), end) if base else 0
    if base and window.eos < start and window.eos != base.window.eos:
        start = window.eos  # a window without EOS is read off at its first position, and of that the base keeps no last row
    return Piece(index, start, end, window.eos, window.hide)


def _empty(transformer: Transformer, windows: Sequence[Window], depths: Collection[int]) -> Rows:
    """Room for the results."""
    length = max((len(w.ids) for w in windows), default=0)
    device, width = transformer.device, transformer.width
    states = {d: torch.zeros(len(windows), length, width, device=device) for d in depths}
    return Rows(states, torch.zeros(len(windows), width, device=device))


def _base(start: Start, rows: Rows, keys: Sequence[Tensor]) -> Base:
    """The base out of the last row of the results; copies, for it is kept longer than they are."""
    states = {depth: found[-1, : start.length].clone() for depth, found in rows.states.items()}
    return Base(start, tuple(keys), states, rows.ends[-1].clone())


def _fill(rows: Rows, windows: Sequence[Window], base: Base) -> None:
    """Put in what the base knew of each window."""
    for n, window in enumerate(windows):
        shared = base.start.shared(window)
        for depth, found in rows.states.items():
            found[n, :shared] = base.states[depth][:shared]
        if window.eos < shared and window.eos == base.start.window.eos:
            rows.ends[n] = base.end


def _in_order(rows: Rows, windows: Sequence[Window], distinct: Sequence[Window], device: object) -> Rows:
    """The results of `windows`, which may hold one several times, out of those of the distinct ones."""
    length = len(windows[0].ids)
    states, ends = {d: found[: len(distinct), :length] for d, found in rows.states.items()}, rows.ends[: len(distinct)]
    if len(distinct) == len(windows):
        return Rows(states, ends)
    places = {w: n for n, w in enumerate(distinct)}
    order = torch.tensor([places[w] for w in windows], device=device)
    return Rows({d: found[order] for d, found in states.items()}, ends[order])


def _keep(rows: Rows, depth: int, x: Tensor, packing: Packing) -> None:
    if depth in rows.states:
        row = 0
        for piece in packing.pieces:
            rows.states[depth][piece.index, piece.start : piece.end] = x[row : row + piece.length]
            row += piece.length


def _keep_ends(rows: Rows, ends: Tensor, packing: Packing) -> None:
    for n, piece in enumerate(packing.pieces):
        if piece.start <= piece.eos:
            rows.ends[piece.index] = ends[n]


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
