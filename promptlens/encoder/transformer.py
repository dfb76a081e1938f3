"""The CLIP text transformer: pre-norm, causal, one layer at a time over packed positions.

Each layer is `x += out(attention(norm1(x)))`, then `x += fc2(act(fc1(norm2(x))))`; after the last come a norm and, in some
weights, a projection without bias. Written here rather than taken from transformers because asking what each word does needs
what that does not offer: keys and values of a shared beginning, windows of different lengths in one pass, and a last layer
computed for EOS alone.

The rows that run through the layers are float32 whatever the weights are, so bf16 weights cost accuracy in the products only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
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


Keys = tuple[Tensor, Tensor]
"""Keys and values of one window in one layer: (heads, positions, head width) each."""


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

    def layer(self, number: int, x: Tensor, parts: Sequence[Packing], kept: Keys | None, *, ends_only: bool = False) -> tuple[Tensor, Keys]:
        """Rows of `parts`, which lie in `x` one after another, after layer `number` (from 0).

        Pieces share the keys and values `kept`; without them those of the first part, which is then one piece alone. They are
        returned too. With `ends_only`, of each piece the row where its pooled vector is read: (pieces, width).
        """
        block = self.blocks[number]
        h = F.layer_norm(x, (self.width,), *block.norm1, EPSILON)
        kv = block.kv(h)
        if ends_only:
            ends = all_ends(parts)
            x, h = x[ends], h[ends]
        attended, kept = self._attended(block.q(h), kv, parts, kept, ends_only=ends_only)
        x = x + block.out(attended)
        h = F.layer_norm(x, (self.width,), *block.norm2, EPSILON)
        return x.add_(block.fc2(self.activation(block.fc1(h)))), kept

    def _attended(self, q: Tensor, kv: Tensor, parts: Sequence[Packing], kept: Keys | None, *, ends_only: bool) -> tuple[Tensor, Keys]:
        """What each row of `q` gets from the values it may attend to, part after part, and the keys that are shared."""
        found = []
        for part in parts:
            pieces, longest = part.gather.shape
            own, kv = kv[: part.rows], kv[part.rows :]
            new = own[part.gather].view(pieces, longest, 2, self.heads, -1).permute(2, 0, 3, 1, 4)
            keys, values = _joined(kept, new, part.shared) if kept and part.shared else new
            kept = kept or (new[0, 0], new[1, 0])
            asking = pieces if ends_only else part.rows
            own, q = q[:asking], q[asking:]
            heads = (own if ends_only else own[part.gather]).view(pieces, -1, self.heads, self.width // self.heads).transpose(1, 2)
            mask = part.ends_mask if ends_only else part.mask
            got = F.scaled_dot_product_attention(heads, keys, values, attn_mask=mask, is_causal=mask is None)
            got = got.transpose(1, 2).reshape(-1, self.width)
            found.append(got if ends_only else got[part.scatter])
        assert kept is not None  # there is at least one part
        return found[0] if len(found) == 1 else torch.cat(found), kept


def all_ends(parts: Sequence[Packing]) -> Tensor:
    """The rows where pooled vectors are read, of parts that lie one after another."""
    starts = accumulate((part.rows for part in parts[:-1]), initial=0)
    return torch.cat([start + part.ends for start, part in zip(starts, parts, strict=True)])


def _joined(base: Keys, new: Tensor, shared: int) -> tuple[Tensor, ...]:
    """Keys and values of the base's first positions, then those of each piece."""
    pieces = new.shape[1]
    return tuple(torch.cat([kept[:, :shared].expand(pieces, -1, -1, -1), own], dim=2) for kept, own in zip(base, new, strict=True))
