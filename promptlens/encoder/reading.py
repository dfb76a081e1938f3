"""Tensors of one text encoder, read one by one: a 7 GB checkpoint costs the memory of its text encoder and no more.

Whatever the layout, they come out under the same plain names, in the order in which they are computed with:

    tokens, places, 0.norm1.weight, 0.norm1.bias, 0.q.weight, 0.k.weight, 0.v.weight, 0.q.bias ... final_norm.bias, projection

Matrices are as `torch.nn.functional.linear` wants them (rows are outputs), in the precision they are stored in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from promptlens.encoder.header import Entries
from promptlens.encoder.layouts import Holding
from promptlens.errors import WeightsError

Tensor = Any
Get = Callable[[str], Tensor]

# What can be computed with as it is. fp8 files keep scales beside their tensors in ways that differ from tool to tool.
READABLE = ("F64", "F32", "F16", "BF16")


@contextmanager
def open_tensors(entries: Entries) -> Iterator[Get]:
    """A function that reads a tensor by name from the safetensors files of `entries`, mapped into memory, not loaded."""
    from safetensors import SafetensorError, safe_open

    with ExitStack() as files:
        opened: dict[Path, Any] = {}

        def get(name: str) -> Tensor:
            path = entries[name].file
            try:
                if path not in opened:
                    opened[path] = files.enter_context(safe_open(path, framework="pt", device="cpu"))
                return opened[path].get_tensor(name)
            except (OSError, SafetensorError) as e:
                raise WeightsError(f"{path} cannot be read: {e}.") from e

        yield get


def check_tensors(entries: Entries, holding: Holding, source: Path) -> None:
    """Raise `WeightsError` where a tensor is missing or is of a type that cannot be computed with."""
    for name in holding.names:
        entry = entries.get(name)
        if entry is None:
            raise WeightsError(f"{source} holds a text encoder, but not its tensor {name}: the file is incomplete. Get it again.")
        if entry.dtype not in READABLE:
            raise WeightsError(f"{source} stores its text encoder as {entry.dtype.lower()}; fp32, fp16 and bf16 can be read.")


def plain_tensors(holding: Holding, get: Get) -> Iterator[tuple[str, Tensor]]:
    """(plain name, tensor) of everything the encoder is made of, each read when it is its turn."""
    family, prefix = holding.family, holding.prefix
    yield "tokens", get(prefix + family.tokens)
    yield "places", get(prefix + family.places)
    for number in range(holding.layers):
        for name, tensor in _layer(holding, number, get):
            yield f"{number}.{name}", tensor
    for kind in ("weight", "bias"):
        yield f"final_norm.{kind}", get(f"{prefix}{family.final_norm}.{kind}")
    if holding.projection is not None:
        matrix = get(holding.projection)
        yield "projection", matrix.T.contiguous() if holding.projection_turned else matrix


def _layer(holding: Holding, number: int, get: Get) -> Iterator[tuple[str, Tensor]]:
    family = holding.family
    start = holding.prefix + family.layer.format(number)
    for kind in ("weight", "bias"):
        yield f"norm1.{kind}", get(f"{start}{family.norm1}.{kind}")
    for kind in ("weight", "bias"):
        if family.joined:
            parts = get(f"{start}{family.joined}_{kind}").chunk(3)
        else:
            parts = tuple(get(f"{start}{name}.{kind}") for name in family.separate or ())
        yield from zip((f"q.{kind}", f"k.{kind}", f"v.{kind}"), parts, strict=True)
    for plain, stored in (("out", family.out), ("norm2", family.norm2), ("fc1", family.fc1), ("fc2", family.fc2)):
        for kind in ("weight", "bias"):
            yield f"{plain}.{kind}", get(f"{start}{stored}.{kind}")


def checksum(tensors: Iterator[tuple[str, Tensor]]) -> str:
    """sha256 over plain names, types, shapes and bytes: the same for the same encoder in any layout.

    The projection counts, so weights with and without it differ. 0.2 s for CLIP-L in fp16, 1 s for bigG.
    """
    import torch

    total = hashlib.sha256()
    for name, tensor in tensors:
        total.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        total.update(tensor.contiguous().view(-1).view(torch.uint8).numpy())
    return total.hexdigest()
