"""The CLIP text transformer: pre-norm, causal, one layer at a time over packed positions.

Each layer is `x += out(attention(norm1(x)))`, then `x += fc2(act(fc1(norm2(x))))`; after the last come a norm and, in some
weights, a projection without bias. Written here rather than taken from transformers because asking what each word does needs
what that does not offer: keys and values of a shared beginning, windows of different lengths in one pass, and a last layer
computed for EOS alone.

The rows that run through the layers are float32 whatever the weights are, so bf16 weights cost accuracy in the products only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F

from promptlens.encoder.packing import Packing
from promptlens.encoder.products import Adding, Product, Tensor

EPSILON = 1e-5  # layer_norm_eps of every CLIP text encoder


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """One layer: norms as (weight, bias), products ready to call; `kv` gives keys and values side by side (2 x width)."""

    norm1: tuple[Tensor, Tensor]
    q: Product
    kv: Product
    out: Adding
    norm2: tuple[Tensor, Tensor]
    feed_forward: Adding


@dataclass(frozen=True, slots=True, eq=False)
class Transformer:
    """The weights, ready to run. `tokens` stays as it is stored (fp16 or so): only the rows a prompt needs are widened."""

    tokens: Tensor
    places: Tensor
    blocks: tuple[Block, ...]
    final_norm: tuple[Tensor, Tensor]
    projection: Product | None
    heads: int

    @property
    def width(self) -> int:
        return int(self.places.shape[1])

    @property
    def device(self) -> Any:
        return self.places.device

    def embed(self, ids: Tensor) -> Tensor:
        """Token embeddings of ids, before positions are added; float32."""
        return F.embedding(ids, self.tokens).float()

    def norm(self, x: Tensor) -> Tensor:
        """The final layer norm."""
        return F.layer_norm(x, (self.width,), *self.final_norm, EPSILON)

    def project(self, pooled: Tensor) -> Tensor | None:
        """Pooled rows in the space shared with pictures, where the weights have a projection."""
        return None if self.projection is None else self.projection(pooled)

    def layer(self, number: int, x: Tensor, packing: Packing, base: Tensor | None, *, ends_only: bool = False) -> tuple[Tensor, Tensor]:
        """The rows `x` of a packing after layer `number` (from 0), and their keys and values (rows, 2 x width).

        `base`: the keys and values of the base, where it is none of the pieces. With `ends_only`, of each piece only the row where its
        pooled vector is read: (pieces, width). `x` may be overwritten.
        """
        block = self.blocks[number]
        h = F.layer_norm(x, (self.width,), *block.norm1, EPSILON)
        kv = block.kv(h)
        if ends_only:
            x, h = x[packing.ends], h[packing.ends]
        x = block.out(self._attended(block.q(h), kv, packing, base, ends_only=ends_only), x)
        return block.feed_forward(F.layer_norm(x, (self.width,), *block.norm2, EPSILON), x), kv

    def _attended(self, q: Tensor, kv: Tensor, packing: Packing, base: Tensor | None, *, ends_only: bool) -> Tensor:
        """What each row of `q` gets from the values it may attend to."""
        pieces, seen = packing.seen.shape
        known = kv if base is None or not packing.shared else torch.cat([base[: packing.shared], kv])
        keys, values = known[packing.seen].view(pieces, seen, 2, self.heads, -1).permute(2, 0, 3, 1, 4)
        heads = (q if ends_only else q[packing.gather]).view(pieces, -1, self.heads, self.width // self.heads).transpose(1, 2)
        mask = packing.ends_mask if ends_only else packing.mask
        got = F.scaled_dot_product_attention(heads, keys, values, attn_mask=mask, is_causal=mask is None)
        got = got.transpose(1, 2).reshape(-1, self.width)
        return got if ends_only else got[packing.scatter]
