"""All figures of the card: of the student, of its teacher and of baselines, on what was kept out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from promptlens.encoder import load_encoder
from promptlens.vocab import END_ID, load
from training.preview import judge, teacher
from training.preview.lesson import Places
from training.preview.minilm import MiniLM
from training.preview.names import Deletion, Names, deletions, judged_deletions
from training.preview.packages import MINILM, fetch
from training.preview.student import WINDOW, Student, Tokens
from training.preview.train import Lesson

BATCH = 256

Encode = Callable[[Sequence[str]], np.ndarray]


def encode_with(student: Student) -> Encode:
    tokens = Tokens()

    @torch.no_grad()
    def encode(texts: Sequence[str]) -> np.ndarray:
        vectors: np.ndarray = (student.encode([tokens(t) for t in texts]) @ student.basis.T).numpy()
        return vectors

    return encode


def encode_with_file(path: Path) -> Encode:
    """What is shipped: the file, its matrices rounded to bytes, loaded as promptlens loads it."""
    encoder, tokens = load_encoder(path, "preview", device="cpu"), Tokens()

    def encode(texts: Sequence[str]) -> np.ndarray:
        windows = [[*(ids := tokens(t)), *(END_ID,) * (WINDOW - len(ids))] for t in texts]
        found = [encoder.encode(windows[start : start + BATCH]).projected for start in range(0, len(windows), BATCH)]
        return teacher.unit(np.concatenate([part for part in found if part is not None]))

    return encode


def bag_of_tokens(lesson: Lesson) -> Encode:
    """The mean of what the teacher makes of each token alone."""
    tokens, vocabulary = Tokens(), load("clip")

    def one(text: str) -> np.ndarray:
        pieces = [vocabulary.piece(n).removesuffix("</w>") for n in tokens(text)[1:-1]]
        rows = [lesson.vectors[p].astype(np.float32) - lesson.mean for p in pieces if p in lesson.vectors]
        return lesson.mean + (np.mean(rows, axis=0) if rows else np.zeros_like(lesson.mean))

    return lambda texts: np.stack([one(t) for t in texts])


def mapped_minilm(lesson: Lesson, places: Places) -> Encode:
    """The teacher itself."""
    model = MiniLM(fetch(MINILM, places.wheels))
    learnt = [lesson.names.texts[n] for n in lesson.rows]
    mapped = teacher.fit(learnt, model.features(learnt), lesson.names.embeddings[lesson.rows])
    return lambda texts: mapped(texts, model.features(texts))


def report(file: Path, untrained: Student, lesson: Lesson, places: Places) -> Iterator[str]:
    """Lines with figures: of the written file, of a student that learnt nothing, and of baselines."""
    names = lesson.names
    rows = names.rows("test")
    sets = judged_deletions(names)
    pairs = [p for p in lesson.facts.pairs if p.held_out]
    untrained.eval()
    ways = {"random": encode_with(untrained), "bag": bag_of_tokens(lesson), "preview": encode_with_file(file)}
    ways["teacher"] = mapped_minilm(lesson, places)
    for name, encode in ways.items():
        for title, figure in judge.closeness(names, rows, lesson.mean, encode([names.texts[n] for n in rows])).items():
            yield _line(name, title, figure)
        yield _line(name, "word pairs", judge.pair_figure(pairs, encode, lesson.mean))
        for title, cases in sets.items():
            yield _line(name, title, judge.deletion_figure(names, cases, _influence(encode, names, cases)))
    for title, cases in sets.items():
        rank, own = token_rank(cases), judge.ranks(_influence(ways["preview"], names, cases))
        yield _line("token rank", title, judge.deletion_figure(names, cases, rank))
        for share in (0.25, 0.5, 1.0):
            yield _line(f"preview + {share} token rank", title, judge.deletion_figure(names, cases, own + share * rank))
        yield _line("gain by 0.5 token rank", title, judge.gain(names, cases, own + 0.5 * rank, own))
    yield _line("token rank", "all deletions", judge.deletion_figure(names, deletions(names), token_rank(deletions(names))))
    own_rows = judge.closeness(names, lesson.rows, lesson.mean, ways["preview"]([names.texts[n] for n in lesson.rows]))
    yield _line("preview", "centred cosine of what it learnt", own_rows["centred cosine"])
    learnt = judge.deletion_figure(names, lesson.deletions, _influence(ways["preview"], names, lesson.deletions))
    yield _line("preview", "deletions of what it learnt", learnt)


def token_rank(cases: Sequence[Deletion]) -> np.ndarray:
    """Ranks of the removed words' token ids: rarer words have higher ones."""
    tokens = Tokens()
    return judge.ranks(np.array([max(tokens(d.word)[1:-1]) for d in cases]))


def _influence(encode: Encode, names: Names, cases: Sequence[Deletion]) -> np.ndarray:
    return judge.influence(encode([names.texts[d.whole] for d in cases]), encode([names.texts[d.rest] for d in cases]))


def _line(name: str, title: str, figure: judge.Figure) -> str:
    return f"{name}: {title} {figure} of {figure.count}"
