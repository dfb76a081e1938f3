"""Safetensors files made of zeros, without torch or numpy: what is looked for is in their headers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

SIZES = {"F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1, "I64": 8}
Shapes = dict[str, tuple[int, ...]]


def transformers_shapes(
    prefix: str = "text_model.", *, width: int = 64, layers: int = 1, positions: int = 77, words: int = 49408
) -> Shapes:
    """Names and shapes of a text encoder as transformers names them."""
    shapes: Shapes = {
        "embeddings.token_embedding.weight": (49408, width),
        "embeddings.position_embedding.weight": (positions, width),
        "final_layer_norm.weight": (width,),
        "final_layer_norm.bias": (width,),
    }
    for n in range(layers):
        for part in ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.out_proj"):
            shapes |= {f"encoder.layers.{n}.{part}.weight": (width, width), f"encoder.layers.{n}.{part}.bias": (width,)}
        for part in ("layer_norm1", "layer_norm2"):
            shapes |= {f"encoder.layers.{n}.{part}.weight": (width,), f"encoder.layers.{n}.{part}.bias": (width,)}
        shapes |= {f"encoder.layers.{n}.mlp.fc1.weight": (4 * width, width), f"encoder.layers.{n}.mlp.fc1.bias": (4 * width,)}
        shapes |= {f"encoder.layers.{n}.mlp.fc2.weight": (width, 4 * width), f"encoder.layers.{n}.mlp.fc2.bias": (width,)}
    return {prefix + name: shape for name, shape in shapes.items()}


def open_clip_shapes(prefix: str, *, width: int = 64, layers: int = 1) -> Shapes:
    """The same as open_clip names them."""
    shapes: Shapes = {
        "token_embedding.weight": (49408, width),
        "positional_embedding": (77, width),
        "ln_final.weight": (width,),
        "ln_final.bias": (width,),
        "text_projection": (width, width),
    }
    for n in range(layers):
        start = f"transformer.resblocks.{n}."
        shapes |= {f"{start}attn.in_proj_weight": (3 * width, width), f"{start}attn.in_proj_bias": (3 * width,)}
        for part, rows, columns in (("attn.out_proj", width, width), ("mlp.c_fc", 4 * width, width), ("mlp.c_proj", width, 4 * width)):
            shapes |= {f"{start}{part}.weight": (rows, columns), f"{start}{part}.bias": (rows,)}
        for part in ("ln_1", "ln_2"):
            shapes |= {f"{start}{part}.weight": (width,), f"{start}{part}.bias": (width,)}
    return {prefix + name: shape for name, shape in shapes.items()}


def header_and_size(shapes: Shapes, dtype: str = "F16") -> tuple[bytes, int]:
    """The first bytes of a safetensors file, and how many follow."""
    header, offset = {}, 0
    for name, shape in shapes.items():
        size = SIZES[dtype]
        for n in shape:
            size *= n
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text, offset


def write_zeros(path: Path, shapes: Shapes, dtype: str = "F16") -> Path:
    """A safetensors file of zeros that takes no room on disk."""
    head, size = header_and_size(shapes, dtype)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(head)
        file.truncate(len(head) + size)
    return path


def filled(shapes: Shapes, dtype: str = "F16") -> bytes:
    """A safetensors file whose bytes differ from place to place, so that a byte out of place shows."""
    head, size = header_and_size(shapes, dtype)
    block = bytes(range(251))
    return head + (block * (size // len(block) + 1))[:size]


def tensor_bytes(content: bytes, names: Iterable[str]) -> dict[str, bytes]:
    """What a safetensors file holds, by name."""
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    return {name: content[start + header[name]["data_offsets"][0] : start + header[name]["data_offsets"][1]] for name in names}
