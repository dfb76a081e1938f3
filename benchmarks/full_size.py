"""CLIP-L and OpenCLIP bigG at full size with seeded random weights: transformers' own, and a file of the same for promptlens; and prompts.

Nothing is downloaded: how long a product takes does not depend on the numbers in it. Weights are drawn as transformers initialises a model
for training and rounded to fp16, as files hold them, so that both sides compute with equal ones.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from promptlens import vocab

SEED = 11
CAPACITY, POSITIONS, START, END = 75, 77, 49406, 49407


@dataclass(frozen=True)
class Size:
    """How an encoder is built, the id its host pads with, and the hidden layer that its model takes, counted from the end."""

    width: int
    layers: int
    activation: str
    pad: int
    layer: int
    normed: bool


# config.json of openai/clip-vit-large-patch14 (as SD 1.x uses it) and of SDXL's text_encoder_2
SIZES = {"clip-l": Size(768, 12, "quick_gelu", END, 1, True), "clip-g": Size(1280, 32, "gelu", 0, 2, False)}


def reference(name: str, file: Path) -> Any:
    """transformers' encoder in float32, its weights also written to `file` in fp16."""
    import torch
    from safetensors.torch import save_file
    from transformers import CLIPTextConfig, CLIPTextModelWithProjection

    size = SIZES[name]
    torch.manual_seed(SEED)
    model = CLIPTextModelWithProjection(
        CLIPTextConfig(
            vocab_size=vocab.SIZE,
            hidden_size=size.width,
            intermediate_size=4 * size.width,
            num_hidden_layers=size.layers,
            num_attention_heads=size.width // 64,
            projection_dim=size.width,
            hidden_act=size.activation,
            max_position_embeddings=POSITIONS,
            bos_token_id=START,
            eos_token_id=END,
        )
    ).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.copy_(weight.half())
    state = {k if k.startswith("text_") else f"text_model.{k}": v for k, v in model.state_dict().items() if not k.endswith("position_ids")}
    save_file({k: v.half().contiguous() for k, v in state.items()}, file)
    return model


@lru_cache(maxsize=1)
def one_token_words() -> tuple[str, ...]:
    """Words of four to eight letters that are one token each, most frequent first."""
    pieces = (vocab.load().piece(token).removesuffix(vocab.END_OF_WORD) for token in range(vocab.FIRST_MERGE, 20_000))
    words = (p for p in pieces if p.isascii() and p.isalpha() and 4 <= len(p) <= 8)
    return tuple(word for word in dict.fromkeys(words) if len(vocab.load().encode_word(word)) == 1)


def prompt(tokens: int, seed: int = SEED) -> str:
    """So many different words of one token each, with blanks between them."""
    return " ".join(random.Random(f"{seed} {tokens}").sample(one_token_words(), tokens))


def ids_of(text: str) -> list[int]:
    return [token for word in text.split() for token in vocab.load().encode_word(word)]


def windows(ids: list[int], pad: int) -> list[tuple[int, ...]]:
    """Windows of 77 as AUTOMATIC1111 makes them of a prompt without commas."""
    chunks = [ids[n : n + CAPACITY] for n in range(0, len(ids), CAPACITY)]
    return [(START, *chunk, END, *[pad] * (CAPACITY - len(chunk))) for chunk in chunks]


def without(ids: list[int], number: int) -> list[int]:
    return ids[:number] + ids[number + 1 :]


def spread(count: int, of: int) -> list[int]:
    """At most `count` of the first `of` numbers, evenly spread, the first and the last among them.

    >>> spread(4, 10)
    [0, 3, 6, 9]
    """
    return list(range(of)) if count >= of else [round(k * (of - 1) / (count - 1)) for k in range(count)]
