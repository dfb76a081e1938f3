"""A running encoder out of tensors: widened, moved to their device, and laid out for their products, one layer at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch

from promptlens.encoder.products import ACTIVATIONS, Affine, Tensor, added_product, feed_forward, product
from promptlens.encoder.reading import plain_tensors
from promptlens.encoder.text_encoder import TextEncoder
from promptlens.encoder.threads import choose_threads
from promptlens.encoder.transformer import Block, Transformer
from promptlens.errors import WeightsError

if TYPE_CHECKING:
    from promptlens.encoder.loading import Source

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def assemble(
    source: Source, name: str, *, heads: int, activation: str, missing_layers: int, device: str, precision: str, threads: int | None
) -> TextEncoder:
    """The encoder of a source, on a device, with products in a precision."""
    from promptlens.encoder.loading import source_checksum

    if activation not in ACTIVATIONS:
        raise WeightsError(f"{source.path}: its config.json asks for the activation {activation!r}. Known: {', '.join(ACTIVATIONS)}.")
    if precision not in PRECISIONS:
        raise WeightsError(f"Unknown precision {precision!r}. Known: {', '.join(PRECISIONS)}.")
    if source.holding.width % heads:
        raise WeightsError(f"{source.path}: {heads} attention heads do not divide its width, {source.holding.width}.")
    place = torch.device(pick_device(device))
    with source.tensors() as get, torch.inference_mode():
        transformer = _transformer(
            plain_tensors(source.holding, get), source.holding.layers, place, PRECISIONS[precision], heads, activation
        )
    count = threads or (choose_threads() if place.type == "cpu" else None)
    return TextEncoder(
        name,
        transformer,
        missing_layers=missing_layers,
        precision=precision,
        thread_count=count,
        checksum=lambda: f"{source_checksum(source)}-{precision}",
    )


def pick_device(asked: str) -> str:
    """The device to compute on: the one asked for, or with "auto" the fastest there is."""
    if asked == "auto":
        return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        torch.empty(0, device=asked)
    except (RuntimeError, AssertionError) as e:  # torch built without CUDA asserts
        raise WeightsError(f"The device {asked!r} cannot be used: {str(e).splitlines()[0]} Use 'auto' or 'cpu'.") from e
    return asked


def _transformer(
    tensors: Iterator[tuple[str, Tensor]], layers: int, device: Any, precision: Any, heads: int, activation: str
) -> Transformer:
    """Read in the order that `plain_tensors` promises, so that at no time more than one layer lies in memory twice."""

    def take() -> Tensor:
        return next(tensors)[1]

    def wide() -> Tensor:
        return take().to(device, torch.float32, copy=True)

    def affine() -> Affine:
        weight = take().to(device, precision)
        return Affine(weight, take().to(device, precision))

    tokens, places = take().to(device, copy=True), wide()
    blocks = []
    for _ in range(layers):
        norm1 = (wide(), wide())
        q, k, v = (take().to(device, precision) for _ in "qkv")
        q_bias, k_bias, v_bias = (take().to(device, precision) for _ in "qkv")
        query, key_value = product(Affine(q, q_bias)), product(Affine(torch.cat([k, v]), torch.cat([k_bias, v_bias])))
        out = added_product(affine())
        norm2 = (wide(), wide())
        blocks.append(Block(norm1, query, key_value, out, norm2, feed_forward(affine(), affine(), activation)))
    final_norm = (wide(), wide())
    last = next(tensors, None)
    projection = None if last is None else product(Affine(last[1].to(device, torch.float32), None))
    return Transformer(tokens, places, tuple(blocks), final_norm, projection, heads)
