"""Tiny text encoders with random weights, in the layouts users have, for tests: 128 wide, 3 layers, 2 heads, the whole vocabulary."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

WIDTH, LAYERS, VOCABULARY, POSITIONS = 128, 3, 49408, 77
START, END = 49406, 49407


def window(*tokens: int, pad: int = END, length: int = POSITIONS) -> tuple[int, ...]:
    """Start, tokens, end, padding."""
    return (START, *tokens, END, *(pad,) * (length - 2 - len(tokens)))


@lru_cache(maxsize=2)
def reference(activation: str = "quick_gelu") -> Any:
    """transformers' own encoder with a projection, random weights rounded to fp16, computing in float32."""
    import torch
    from transformers import CLIPTextConfig, CLIPTextModelWithProjection

    torch.set_num_threads(1)  # tiny products; and other programs may be at work
    torch.manual_seed(11)
    config = CLIPTextConfig(
        vocab_size=VOCABULARY,
        hidden_size=WIDTH,
        intermediate_size=4 * WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=WIDTH // 64,
        projection_dim=96,
        hidden_act=activation,
        max_position_embeddings=POSITIONS,
        bos_token_id=START,
        eos_token_id=END,
        pad_token_id=1,
    )
    model = CLIPTextModelWithProjection(config).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            spread = 0.3 if "token_embedding" in name else 0.12
            fresh = torch.randn(weight.shape) * spread + (1 if "norm" in name and name.endswith("weight") else 0)
            weight.copy_(fresh.half().float())
    return model


def tensors(activation: str = "quick_gelu") -> dict[str, Any]:
    """Its tensors by the names files have, in fp16."""
    state = reference(activation).state_dict()
    return {
        name if name.startswith(("text_model.", "text_projection")) else f"text_model.{name}": value.half().contiguous()
        for name, value in state.items()
        if not name.endswith("position_ids")
    }


def write(path: Path, named: dict[str, Any]) -> Path:
    from safetensors.torch import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: value.clone() for name, value in named.items()}, path, metadata={"format": "pt"})
    return path
