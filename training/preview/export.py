"""The student as a file: every matrix in bytes with a scale per row, the rest in fp16, under the names that text encoders have in files.

The token table stays narrow in the file, beside the matrix that widens it; promptlens/encoder/preview.py is the other side of this.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import torch

from training.preview.student import Student

PREFIX = "text_model."


def tensors(student: Student) -> dict[str, torch.Tensor]:
    """Tensors by name."""
    found: dict[str, torch.Tensor] = {}
    _bytes(found, f"{PREFIX}embeddings.token_embedding.table", student.table.weight)
    _bytes(found, f"{PREFIX}embeddings.token_embedding.widen", student.widen.weight)
    found[f"{PREFIX}embeddings.position_embedding.weight"] = student.places
    for number, block in enumerate(student.blocks):
        start = f"{PREFIX}encoder.layers.{number}."
        for name, part in (("layer_norm1", block.norm1), ("layer_norm2", block.norm2)):
            found[f"{start}{name}.weight"], found[f"{start}{name}.bias"] = part.weight, part.bias
        for n, name in enumerate("qkv"):
            rows = slice(n * student.shape.width, (n + 1) * student.shape.width)
            _bytes(found, f"{start}self_attn.{name}_proj.weight", block.qkv.weight[rows])
            found[f"{start}self_attn.{name}_proj.bias"] = block.qkv.bias[rows]
        for name, part in (("self_attn.out_proj", block.out), ("mlp.fc1", block.fc1), ("mlp.fc2", block.fc2)):
            _bytes(found, f"{start}{name}.weight", part.weight)
            found[f"{start}{name}.bias"] = part.bias
    found[f"{PREFIX}final_layer_norm.weight"], found[f"{PREFIX}final_layer_norm.bias"] = student.norm.weight, student.norm.bias
    found["text_projection.weight"] = student.basis
    return {n: (t if t.dtype == torch.int8 else t.detach().half()).contiguous().clone() for n, t in found.items()}


def _bytes(found: dict[str, torch.Tensor], name: str, matrix: torch.Tensor) -> None:
    """A matrix as bytes and the fp16 scales of its rows; the scale is rounded first, so that the bytes are those of what is stored."""
    scale = (matrix.detach().abs().amax(1) / 127).clamp_min(6e-5).half()
    found[name] = (matrix.detach() / scale.float()[:, None]).round().clamp(-127, 127).to(torch.int8)
    found[f"{name}.scale"] = scale


def write(student: Student, path: Path) -> str:
    """Write the file; its sha256. The same student is the same file."""
    from safetensors.torch import save

    path.write_bytes(_in_order(save(tensors(student), metadata={"format": "pt", "encoder": "preview", "licence": "MIT"})))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _in_order(file: bytes) -> bytes:
    """The file with its header in order: safetensors writes the metadata in an order that changes from one time to the next."""
    end = 8 + int.from_bytes(file[:8], "little")
    header = json.dumps(json.loads(file[8:end]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + file[end:]
