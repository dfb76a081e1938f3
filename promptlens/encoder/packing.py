"""Several windows in one pass: their new positions in one row of memory, and who may attend to whom.

A window that shares its first positions with one already encoded (the base) brings only what comes after. So windows have
different starts and lengths. The matrix products, which are nearly all of the work, run over the packed positions without
any padding; attention alone is padded, to the longest window of the pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from promptlens.encoder.products import Tensor

# Positions in one pass. On a processor products run at full speed from some 100 rows on, and what a layer works on should stay in its
# caches: CLIP-L took 4 % less at 256 than at 512 (and 9 % less than at 128), bigG the same. On a GPU every pass costs the same few
# hundred starts of kernels, however little it does.
CPU_POSITIONS = 256
GPU_POSITIONS = 8192


@dataclass(frozen=True, slots=True)
class Piece:
    """The part of window `index` that has to be computed: positions `start` to `end`; `eos` may lie before it."""

    index: int
    start: int
    end: int
    eos: int
    hide: frozenset[int]

    @property
    def length(self) -> int:
        return self.end - self.start

    @property
    def read_off(self) -> int:
        """Where in the piece the pooled vector is read; the last position if EOS lies before the piece (then nobody reads it)."""
        return self.eos - self.start if self.start <= self.eos < self.end else self.length - 1


@dataclass(frozen=True, slots=True, eq=False)
class Packing:
    """The layout of one pass.

    `positions` (rows): place of each row in its window. `gather` (pieces, longest): row of each place, 0 where there is none;
    `scatter` (rows): its way back. `seen` (pieces, shared + longest): of each piece the rows whose keys it may see, those of the base
    first; where the base is no piece of this pass, its positions count as the rows before the first. `ends` (pieces): the rows where
    pooled vectors are read. `mask` (pieces, 1, longest, shared + longest) is 0 where a position may attend to, else -inf; None for whole
    windows of one length with nothing hidden, which are plainly causal. `ends_mask` (pieces, 1, 1, shared + longest): its rows of
    `ends`. `shared`: base positions that are keys.
    """

    pieces: tuple[Piece, ...]
    positions: Tensor
    gather: Tensor
    scatter: Tensor
    seen: Tensor
    ends: Tensor
    mask: Tensor | None
    ends_mask: Tensor
    shared: int

    @property
    def rows(self) -> int:
        return len(self.positions)


def pass_positions(device: Any) -> int:
    """Positions in one pass on this device."""
    return CPU_POSITIONS if device.type == "cpu" else GPU_POSITIONS


def passes(pieces: Sequence[Piece], limit: int = CPU_POSITIONS) -> Iterator[tuple[Piece, ...]]:
    """Pieces in groups of about `limit` positions each, all about equal (every group fetches all weights), long pieces together (what
    is padded in attention stays small)."""
    total = sum(p.length for p in pieces)
    each = total / max(1, round(total / limit))
    group: list[Piece] = []
    filled, due = 0.0, each
    for piece in sorted(pieces, key=lambda p: -p.length):
        if group and filled + piece.length / 2 > due:
            yield tuple(group)
            group, due = [], due + each
        group.append(piece)
        filled += piece.length
    if group:
        yield tuple(group)


def pack(pieces: tuple[Piece, ...], device: Any, *, base_first: bool = False, least: int = 0) -> Packing:
    """Lay out one pass; with `base_first` the first piece is the base that the others share their start with.

    Attention is padded to `least` positions or more: as many with the base as without it, for the last digit of a sum depends on that.
    """
    longest = max(least, *(p.length for p in pieces))
    shared = max(p.start for p in pieces)
    gather = torch.zeros(len(pieces), longest, dtype=torch.long)
    first_rows = []
    row = 0
    for n, piece in enumerate(pieces):
        gather[n, : piece.length] = torch.arange(row, row + piece.length)
        first_rows.append(row)
        row += piece.length
    base = torch.arange(shared).expand(len(pieces), shared)
    mask = _mask(pieces, shared, longest)
    plain = shared == 0 and all(p.length == longest and not p.hide for p in pieces)
    return Packing(
        pieces=pieces,
        positions=torch.cat([torch.arange(p.start, p.end) for p in pieces]).to(device),
        gather=gather.to(device),
        scatter=torch.cat([torch.arange(n * longest, n * longest + p.length) for n, p in enumerate(pieces)]).to(device),
        seen=torch.cat([base, gather if base_first else gather + shared], dim=1).to(device),
        ends=torch.tensor([first + p.read_off for first, p in zip(first_rows, pieces, strict=True)]).to(device),
        mask=None if plain else mask.to(device),
        ends_mask=torch.stack([mask[n, :, p.read_off : p.read_off + 1] for n, p in enumerate(pieces)]).to(device),
        shared=shared,
    )


def _mask(pieces: Sequence[Piece], shared: int, longest: int) -> Tensor:
    """Who may attend to whom: to the base before the piece's start and to the piece up to oneself, but to nothing hidden.

    Places without a row may attend to something too, as every row of a mask must; what comes of it is thrown away.
    """
    mask = torch.zeros(len(pieces), 1, longest, shared + longest, dtype=torch.bool)
    causal = torch.ones(longest, longest, dtype=torch.bool).tril()
    for n, piece in enumerate(pieces):
        mask[n, 0, :, : piece.start] = True
        mask[n, 0, :, shared:] = causal
        for position in piece.hide:
            if position < piece.start:
                mask[n, 0, :, position] = False
            elif position < piece.end:
                mask[n, 0, :, shared + position - piece.start] = False
    return torch.zeros(mask.shape).masked_fill_(~mask, float("-inf"))  # as numbers: attention would convert it in every layer
