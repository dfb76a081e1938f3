"""The teacher for texts that no real CLIP embedding is known of: MiniLM's features mapped into the space of the known ones.

The map is a kernel ridge regression on the training phrases with four kernels: a linear one over all layers of MiniLM (and two marks that
say how a phrase is spelt: with underscores, with brackets), a Gaussian one over the last, and two of what texts are spelt of: letters and
CLIP's tokens. Their sizes were chosen by five-fold cross-validation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from training.preview.spelling import Bags, bags, letters
from training.preview.student import Tokens

LINEAR_SHARE = 0.3  # of the linear kernel beside the Gaussian one
SHARPNESS = 0.5  # of the Gaussian kernel, where texts are about 1.4 apart
RIDGE = 0.3
MARK = 0.3  # height of the marks, where a text's features have length 1
# Of the kernels of spelling. Without them learnt names left out were .49 near real CLIP (centred cosine) and 31 % came first; with them .52
# and 35 %.
LETTERS_SHARE, TOKENS_SHARE = 0.4, 0.3
BLOCK = 2048


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-12)


@dataclass(frozen=True, slots=True, eq=False)
class Teacher:
    """`mean` of the training phrases' embeddings; the rest is the fitted map."""

    mean: np.ndarray
    centre: np.ndarray
    scale: np.ndarray
    linear: np.ndarray
    last: np.ndarray
    spelt: tuple[Bags, Bags]
    weights: np.ndarray

    def __call__(self, texts: Sequence[str], features: np.ndarray) -> np.ndarray:
        """Embeddings (texts, 512) of unit length."""
        found = np.zeros((len(texts), len(self.mean)), dtype=np.float32)
        for start in range(0, len(texts), BLOCK):
            part = slice(start, start + BLOCK)
            linear, last = _inputs(texts[part], features[part], self.centre, self.scale)
            kernel = _kernel(linear, last, self.linear, self.last) + _likeness(texts[part], self.spelt)
            found[part] = kernel @ self.weights + self.mean
        return unit(found)


def fit(texts: Sequence[str], features: np.ndarray, embeddings: np.ndarray) -> Teacher:
    """The map from features (texts, layers, width) to embeddings."""
    centre = features.mean(0)
    scale = np.sqrt(((features - centre) ** 2).sum(-1).mean(0))[:, None]
    linear, last = _inputs(texts, features, centre, scale)
    mean = embeddings.mean(0)
    tokens = Tokens()
    spelt = (bags(texts, letters), bags(texts, lambda text: tokens(text)[1:-1]))
    kernel = _kernel(linear, last, linear, last) + _likeness(texts, spelt) + RIDGE * np.eye(len(texts))
    return Teacher(mean, centre, scale, linear, last, spelt, np.linalg.solve(kernel, embeddings - mean).astype(np.float32))


def _inputs(texts: Sequence[str], features: np.ndarray, centre: np.ndarray, scale: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    scaled = (features - centre) / scale
    marks = np.array([["_" in t, "(" in t] for t in texts], dtype=np.float32) * MARK
    flat = scaled.reshape(len(texts), -1) / np.sqrt(scaled.shape[1])
    return np.concatenate([flat, marks], axis=1), scaled[:, -1]


def _likeness(texts: Sequence[str], spelt: tuple[Bags, Bags]) -> np.ndarray:
    found: np.ndarray = LETTERS_SHARE * spelt[0].likeness(texts) + TOKENS_SHARE * spelt[1].likeness(texts)
    return found


def _kernel(linear: np.ndarray, last: np.ndarray, known_linear: np.ndarray, known_last: np.ndarray) -> np.ndarray:
    apart = (last**2).sum(1)[:, None] + (known_last**2).sum(1)[None] - 2 * last @ known_last.T
    kernel: np.ndarray = LINEAR_SHARE * linear @ known_linear.T + np.exp(-SHARPNESS * np.maximum(apart, 0))
    return kernel
