"""What each word of a prompt does to what the model gets: leave-one-out influence, and similarity, which is another thing.

    from promptlens import influence, load_encoder
    found = influence("a (red:1.2) cat, oil painting", model="sd15", encoders={"clip-l": load_encoder("clip_l.safetensors", "clip-l")})
    [(found.labels[n], found.scores[n]) for n in found.ranking]

A word is taken out of the text, the host reads what is left, and the text encoders' output is compared. That is influence on the text
embedding, not on the picture. Windows come from `analyze`, tensors from `conditionings`, encoders from the caller; nothing imports torch.
"""

from __future__ import annotations

from promptlens.influences._measure import check_lens, influence
from promptlens.influences._reading import run_encoders
from promptlens.influences._result import Influence, Similarity
from promptlens.influences._similarity import similarity
from promptlens.influences._split import Split

__all__ = ["Influence", "Similarity", "Split", "check_lens", "influence", "run_encoders", "similarity"]
