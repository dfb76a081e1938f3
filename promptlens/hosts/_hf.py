"""Which Hugging Face tokenizer a Python pipeline reads an encoder's text with: what diffusers and the libraries around it share."""

from __future__ import annotations

from typing import Literal

from promptlens.models import Encoder
from promptlens.tokens import Reading

Build = Literal["fast", "slow"]


def hf_reading(encoder: Encoder, build: Build, ftfy: bool) -> Reading:
    """The reading of an encoder with transformers 5 ("fast") or 4 ("slow").

    The tokenizer folder of an encoder that pads with id 0 names "!" as its pad token, which makes it special in the text too.
    """
    bang = encoder.pad == 0
    if build == "fast":
        # With transformers 5.23 the tokenizers that pad with "!" also find special tokens in any case.
        return Reading("fast", bang=bang, fold=bang)
    return Reading("slow-ftfy" if ftfy else "slow", bang=bang)
