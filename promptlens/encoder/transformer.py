"""The CLIP text transformer: pre-norm, causal, one layer at a time over packed positions.

Each layer is `x += out(attention(norm1(x)))`, then `x += fc2(act(fc1(norm2(x))))`; after the last come a norm and, in some
weights, a projection without bias. Written here rather than taken from transformers because asking what each word does needs
what that does not offer: keys and values of a shared beginning, windows of different lengths in one pass, and a last layer
computed for EOS alone.

The rows that run through the layers are float32 whatever the weights are, so bf16 weights cost accuracy in the products only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F

from promptlens.encoder.packing import Packing
from promptlens.encoder.products import Product, Tensor

EPSILON = 1e-5  # layer_norm_eps of every CLIP text encoder


def quick_gelu(x: Tensor) -> Tensor:
    """x * sigmoid(1.702 x), in place: what OpenAI's CLIP was trained with."""
    return x.mul_(torch.sigmoid(1.702 * x))


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"quick_gelu": quick_gelu, "gelu": F.gelu}


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """One layer: norms as (weight, bias), products ready to call; `kv` gives keys and values side by side (2 x width)."""

    norm1: tuple[Tensor, Tensor]
    q: Product
    kv: Product
    out: Product
    norm2: tuple[Tensor, Tensor]
    fc1: Product
    fc2: Product


@dataclass(frozen=True, slots=True, eq=False)
class KeptKeys:
    """Keys and values of an encoded window, per layer: (heads, positions, head width) each."""

    layers: tuple[tuple[Tensor, Tensor], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Transformer:
    """The weights, ready to run. `tokens` stays as it is stored (fp16 or so): only the rows a prompt needs are widened."""

    tokens: Tensor
    places: Tensor
    blocks: tuple[Block, ...]
    final_norm: tuple[Tensor, Tensor]
    projection: Product | None
    heads: int
    activation: Callable[[Tensor], Tensor]

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

    def layer(
        self, number: int, x: Tensor, packing: Packing, base: KeptKeys | None, *, ends_only: bool = False
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Rows after layer `number` (from 0), and the keys and values (pieces, heads, longest, head width) it made.

        With `ends_only`, of each piece the row where its pooled vector is read: (pieces, width).
        """
        block = self.blocks[number]
        h = F.layer_norm(x, (self.width,), *block.norm1, EPSILON)
        pieces, longest = packing.gather.shape
        new = block.kv(h)[packing.gather].view(pieces, longest, 2, self.heads, -1).permute(2, 0, 3, 1, 4)
        keys, values = _joined(base.layers[number], new, packing.shared) if base and packing.shared else new
        mask = packing.mask
        if ends_only:
            x, h, mask = x[packing.ends], h[packing.ends], packing.ends_mask
        q = block.q(h) if ends_only else block.q(h)[packing.gather]
        q = q.view(pieces, -1, self.heads, self.width // self.heads).transpose(1, 2)
        attended = F.scaled_dot_product_attention(q, keys, values, attn_mask=mask, is_causal=mask is None)
        attended = attended.transpose(1, 2).reshape(-1, self.width)
        x = x + block.out(attended if ends_only else attended[packing.scatter])
        h = F.layer_norm(x, (self.width,), *block.norm2, EPSILON)
        return x.add_(block.fc2(self.activation(block.fc1(h)))), (new[0], new[1])


def _joined(base: tuple[Tensor, Tensor], new: Tensor, shared: int) -> tuple[Tensor, ...]:
    """Keys and values of the base's first positions, then those of each piece."""
    pieces = new.shape[1]
    return tuple(torch.cat([kept[:, :shared].expand(pieces, -1, -1, -1), own], dim=2) for kept, own in zip(base, new, strict=True))
