"""Phrases with their real CLIP ViT-B/32 embeddings, and the fixed rule that keeps some of them out of the training of the judged twin.

A phrase is known by its words ("a Golf_ball" and "a golf ball" are one phrase), so nothing kept out is learnt under another spelling.
The part is read off the sha256 of the words: nobody chose it, and it is the same in every run.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

Part = Literal["train", "validation", "test"]


@dataclass(frozen=True, slots=True)
class Twin:
    """One of the two files that a run trains by one recipe: which parts of the phrases it learns."""

    name: str
    parts: tuple[Part, ...]


# Validation phrases are learnt from too: what they were kept for is decided, and written down in this recipe.
JUDGED = Twin("judged", ("train", "validation"))
SHIPPED = Twin("shipped", ("train", "validation", "test"))

# Of phrases of one word 15 % are for the test and 5 % for validation; of longer ones, which deletions are judged on, 30 % and 10 %.
TEST_SHARE, VALIDATION_SHARE = 15, 5
LONG_TEST_SHARE, LONG_VALIDATION_SHARE = 30, 10


def words(text: str) -> list[str]:
    """The words of a phrase without case, underscores and strokes.

    >>> words("a monitor_(computer_equipment) Screen")
    ['a', 'monitor', '(computer', 'equipment)', 'screen']
    """
    return [w for w in re.split(r"[\s_/]+", text.lower()) if w]


def key(text: str) -> str:
    return " ".join(words(text))


def part_of(text: str) -> Part:
    """Which part a phrase belongs to."""
    number = int(hashlib.sha256(key(text).encode()).hexdigest()[:8], 16) % 100
    long = len(words(text)) > 2
    test = LONG_TEST_SHARE if long else TEST_SHARE
    validation = test + (LONG_VALIDATION_SHARE if long else VALIDATION_SHARE)
    return "test" if number < test else "validation" if number < validation else "train"


@dataclass(frozen=True, slots=True, eq=False)
class Names:
    """`embeddings` (phrases, 512) of unit length."""

    texts: tuple[str, ...]
    embeddings: np.ndarray
    parts: tuple[Part, ...]

    def rows(self, *parts: Part) -> np.ndarray:
        return np.array([n for n, p in enumerate(self.parts) if p in parts])


def read_names(path: Path) -> Names:
    """The phrases of clip_b32_names.npz (from the metadata of facebookresearch/Detic, Apache-2.0)."""
    with np.load(path) as stored:
        texts = tuple(str(t) for t in stored["text"])
        embeddings = stored["embedding"].astype(np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    return Names(texts, embeddings, tuple(part_of(t) for t in texts))


@dataclass(frozen=True, slots=True)
class Deletion:
    """Row `whole` without `word` is row `rest`."""

    whole: int
    rest: int
    word: str


def deletions(names: Names) -> list[Deletion]:
    """Every phrase of several words of which one can be taken out so that the rest is a phrase of the set too.

    Of several spellings of the rest, the one from nearest in the set is taken: data sets spell in their own ways.
    """
    rows: dict[str, list[int]] = {}
    for row, text in enumerate(names.texts):
        rows.setdefault(key(text), []).append(row)
    found = []
    for whole, text in enumerate(names.texts):
        spelt = words(text)
        for n in range(1, len(spelt)) if len(spelt) > 2 else ():
            candidates = rows.get(" ".join(spelt[:n] + spelt[n + 1 :]), [])
            if candidates:
                found.append(Deletion(whole, min(candidates, key=lambda row: abs(row - whole)), spelt[n]))
    return found


def judged_deletions(names: Names) -> dict[str, list[Deletion]]:
    """Deletions to judge the judged twin on: of phrases that were kept out, and of those too whose rest alone was."""
    hidden = set(names.rows("test").tolist())
    every = deletions(names)
    return {
        "deletions": [d for d in every if d.whole in hidden],
        "deletions of either": [d for d in every if d.whole in hidden or d.rest in hidden],
    }
