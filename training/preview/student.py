"""The student: CLIP's text transformer, small. Its pooled vector is projected by a fixed matrix with orthonormal columns: pooled and
projected vectors have the same cosines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from promptlens.tokens import Reading, tokenizer
from promptlens.vocab import END_ID, SIZE, START_ID

WINDOW = 77

Spans = Sequence[tuple[int, int]]  # how many texts in a row, of how many tokens each


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
    """One layer. Texts lie end to end, so that nothing is padded: `spans` says how many there are in a row of each length."""

    def __init__(self, shape: Shape, dropout: float) -> None:
        super().__init__()
        self.heads = shape.heads
        self.dropout = dropout
        self.norm1, self.norm2 = nn.LayerNorm(shape.width), nn.LayerNorm(shape.width)
        self.qkv, self.out = nn.Linear(shape.width, 3 * shape.width), nn.Linear(shape.width, shape.width)
        self.fc1, self.fc2 = nn.Linear(shape.width, shape.hidden), nn.Linear(shape.hidden, shape.width)

    def forward(self, x: torch.Tensor, spans: Spans, ends: torch.Tensor | None = None) -> torch.Tensor:
        """(tokens, width); with `ends` (texts, width), what becomes of those tokens alone: after the last layer no other is asked for."""
        normed, width = self.norm1(x), x.shape[1]
        if ends is None:
            q, k, v = self._parted(self.qkv(normed))
        else:
            (q,) = self._parted(F.linear(normed[ends], self.qkv.weight[:width], self.qkv.bias[:width]))
            k, v = self._parted(F.linear(normed, self.qkv.weight[width:], self.qkv.bias[width:]))
            x = x[ends]
        with torch.autocast(x.device.type, enabled=False):  # torch's kernel for processors is slower in half of it
            attended = _attended(q, k, v, spans)
        x = x + dropped(self.out(attended), self.dropout if self.training else 0)
        h = self.fc1(self.norm2(x))
        return x + dropped(self.fc2(h * torch.sigmoid(1.702 * h)), self.dropout if self.training else 0)

    def _parted(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """(tokens, heads, width of a head) of each of the parts that a row is made of."""
        width = self.out.in_features
        return x.float().view(len(x), -1, self.heads, width // self.heads).unbind(1)


def _attended(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, spans: Spans) -> torch.Tensor:
    """Causal attention inside each text, in full precision; `q` is of every token, or of the last of each text."""
    whole = len(q) == len(k)
    known = [texts * length for texts, length in spans]
    asked = known if whole else [texts for texts, _ in spans]
    found = []
    for (texts, _), *parts in zip(spans, q.split(asked), k.split(known), v.split(known), strict=True):
        queries, keys, values = (t.unflatten(0, (texts, -1)).transpose(1, 2) for t in parts)
        found.append(F.scaled_dot_product_attention(queries, keys, values, is_causal=whole).transpose(1, 2).flatten(0, 1))
    return torch.cat(found).flatten(1)


def dropped(x: torch.Tensor, share: float) -> torch.Tensor:
    """Dropout, to the nearest 256th. Torch's own draws a number for each value: on a processor a tenth of a step. Here it is a byte."""
    out = round(share * 256)
    if not out:
        return x
    drawn = torch.empty(-(-x.numel() // 8), dtype=torch.int64, device=x.device).random_(-(2**63), None).view(torch.uint8)
    return x * (drawn[: x.numel()].view(x.shape) >= out).to(x.dtype).mul_(256 / (256 - out))


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

    def encode(self, rows: Sequence[Sequence[int]]) -> torch.Tensor:
        """Unit vectors (rows, width), in the coordinates of `basis`, of rows of ids, each pooled at its last."""
        order = sorted(range(len(rows)), key=lambda n: len(rows[n]))
        lengths = [len(rows[n]) for n in order]
        spans = [(len(list(same)), length) for length, same in groupby(lengths)]
        device = self.basis.device
        ids = torch.tensor([i for n in order for i in rows[n]], device=device)
        places = torch.tensor([p for length in lengths for p in range(length)], device=device)
        ends = torch.tensor(list(accumulate(lengths)), device=device) - 1
        x = self.widen(dropped(self.table(ids), self.dropout if self.training else 0)).float() + self.places[places]
        for block in self.blocks[:-1]:
            x = block(x, spans)
        found = F.normalize(self.norm(self.blocks[-1](x, spans, ends)), dim=-1)
        back = torch.empty(len(order), dtype=torch.long)
        back[torch.tensor(order)] = torch.arange(len(order))
        return found[back.to(device)]


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
