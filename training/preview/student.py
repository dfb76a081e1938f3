"""The student: CLIP's text transformer, small. Its pooled vector is projected by a fixed matrix with orthonormal columns: pooled and
projected vectors have the same cosines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from promptlens.tokens import Reading, tokenizer
from promptlens.vocab import END_ID, SIZE, START_ID

WINDOW = 77


@dataclass(frozen=True, slots=True)
class Shape:
    """`table` is the width of the stored token table, which one matrix widens to `width`."""

    table: int = 112
    width: int = 256
    layers: int = 3
    heads: int = 4
    hidden: int = 768
    space: int = 512


class Layer(nn.Module):
    def __init__(self, shape: Shape, dropout: float) -> None:
        super().__init__()
        self.heads = shape.heads
        self.dropout = dropout
        self.norm1, self.norm2 = nn.LayerNorm(shape.width), nn.LayerNorm(shape.width)
        self.qkv, self.out = nn.Linear(shape.width, 3 * shape.width), nn.Linear(shape.width, shape.width)
        self.fc1, self.fc2 = nn.Linear(shape.width, shape.hidden), nn.Linear(shape.hidden, shape.width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        rows, length, width = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(rows, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(rows, length, width)
        x = x + F.dropout(self.out(attended), self.dropout, self.training)
        h = self.fc1(self.norm2(x))
        return x + F.dropout(self.fc2(h * torch.sigmoid(1.702 * h)), self.dropout, self.training)


class Student(nn.Module):
    """`basis` (512, width) is the fixed projection, `mean` (512) where its vectors start from."""

    def __init__(self, shape: Shape, basis: torch.Tensor, mean: torch.Tensor, *, dropout: float = 0.1) -> None:
        super().__init__()
        self.shape = shape
        self.dropout = dropout
        self.basis: torch.Tensor
        self.table = nn.Embedding(SIZE, shape.table)
        self.widen = nn.Linear(shape.table, shape.width, bias=False)
        self.places = nn.Parameter(torch.randn(WINDOW, shape.width) * 0.02)
        self.blocks = nn.ModuleList(Layer(shape, dropout) for _ in range(shape.layers))
        self.norm = nn.LayerNorm(shape.width)
        self.register_buffer("basis", basis)
        nn.init.normal_(self.table.weight, std=0.05)
        with torch.no_grad():
            self.norm.bias.copy_(mean @ basis)
            self.norm.weight.fill_(0.5 / shape.width**0.5)  # so that a text's own part is about half as long as the mean, as in CLIP
            for block in self.blocks:
                block.out.weight.mul_(0.5)
                block.fc2.weight.mul_(0.5)

    def forward(self, ids: torch.Tensor, ends: torch.Tensor) -> torch.Tensor:
        """Unit vectors (rows, width), in the coordinates of `basis`, of padded rows of ids that end at `ends`."""
        x = self.widen(F.dropout(self.table(ids), self.dropout, self.training)) + self.places[: ids.shape[1]]
        for block in self.blocks:
            x = block(x)
        return F.normalize(self.norm(x[torch.arange(len(ids), device=ids.device), ends]), dim=-1)

    def encode(self, rows: Sequence[Sequence[int]], chunks: int = 6) -> torch.Tensor:
        """The same of rows of any lengths, which are parted by length so that little is padded."""
        order = sorted(range(len(rows)), key=lambda n: len(rows[n]))
        size = -(-len(order) // chunks)
        device = self.basis.device
        parts = [self(*(t.to(device) for t in padded([rows[n] for n in order[s : s + size]]))) for s in range(0, len(order), size)]
        back = torch.empty(len(order), dtype=torch.long)
        back[torch.tensor(order)] = torch.arange(len(order))
        return torch.cat(parts)[back.to(device)]


def padded(rows: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids filled up with EOS, and the place of each row's own EOS."""
    longest = max(len(r) for r in rows)
    return torch.tensor([[*r, *(END_ID,) * (longest - len(r))] for r in rows]), torch.tensor([len(r) - 1 for r in rows])


class Tokens:
    """Windows of texts, as short as they are: BOS, at most 75 tokens, EOS."""

    def __init__(self) -> None:
        self._tokenizer = tokenizer(Reading("fast"))
        self._known: dict[str, tuple[int, ...]] = {}

    def __call__(self, text: str) -> tuple[int, ...]:
        found = self._known.get(text)
        if found is None:
            found = self._known[text] = (START_ID, *self._tokenizer.encode(text)[: WINDOW - 2], END_ID)
        return found


def token_vectors(vectors: np.ndarray, rows: Sequence[int], mean: np.ndarray, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A first token table out of the teacher's vectors of one-token words: (vocabulary, width), and the basis (512, width) it is in."""
    centred = vectors - mean
    basis = np.linalg.svd(centred.T @ centred)[0][:, :width]
    table = np.random.default_rng(0).normal(0, 0.02, (SIZE, width))
    table[np.asarray(rows)] = centred @ basis
    return torch.tensor(table, dtype=torch.float32), torch.tensor(basis, dtype=torch.float32)
