"""All figures of the card: of the judged twin, of its teacher and of baselines on what was kept out, and of the file that is shipped."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from promptlens.encoder import load_encoder
from promptlens.influences._agreement import agreement
from promptlens.vocab import END_ID, load
from training.preview import judge, teacher
from training.preview.curve import curve
from training.preview.lesson import Places
from training.preview.minilm import MiniLM
from training.preview.names import Deletion, Names, deletions, judged_deletions
from training.preview.packages import MINILM, fetch
from training.preview.student import WINDOW, Student, Tokens
from training.preview.train import Lesson

BATCH = 256
PROMPTS, LONGEST_WORDS = 200, 60

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
    """Lines with figures: of the judged twin's file, of a student that learnt nothing, and of baselines."""
    names = lesson.names
    rows, sets = names.rows("test"), judged_deletions(names)
    pairs = [p for p in lesson.facts.pairs if p.held_out]
    untrained.eval()
    ways = {"random": encode_with(untrained), "bag": bag_of_tokens(lesson), "twin": encode_with_file(file)}
    ways["teacher"] = mapped_minilm(lesson, places)
    for name, encode in ways.items():
        for title, figure in judge.closeness(names, rows, lesson.mean, encode([names.texts[n] for n in rows])).items():
            yield _line(name, title, figure)
        yield _line(name, "word pairs", judge.pair_figure(pairs, encode, lesson.mean))
        for title, cases in sets.items():
            yield _line(name, title, judge.deletion_figure(names, cases, _influence(encode, names, cases)))
    for title, cases in sets.items():
        rank, own = token_rank(cases), judge.ranks(_influence(ways["twin"], names, cases))
        yield _line("token rank", title, judge.deletion_figure(names, cases, rank))
        for share in (0.25, 0.5, 1.0):
            yield _line(f"twin + {share} token rank", title, judge.deletion_figure(names, cases, own + share * rank))
        yield _line("gain by 0.5 token rank", title, judge.gain(names, cases, own + 0.5 * rank, own))
    yield _line("token rank", "all deletions", judge.deletion_figure(names, deletions(names), token_rank(deletions(names))))
    yield from _learnt("twin", lesson, ways["twin"])
    model = MiniLM(fetch(MINILM, places.wheels))
    for name, title, figure in curve(names, model.features(names.texts)):
        yield _line(name, title, figure)


def report_shipped(file: Path, lesson: Lesson, judged: Path, prompts: Sequence[str]) -> Iterator[str]:
    """What can be measured on the shipped file itself: pairs of words that neither twin learnt, and how near it is to the judged twin.

    `prompts` are in no text of either.
    """
    encode = encode_with_file(file)
    yield _line("file", "word pairs", judge.pair_figure([p for p in lesson.facts.pairs if p.held_out], encode, lesson.mean))
    yield from _learnt("file", lesson, encode)
    one, other = (load_encoder(path, "preview", device="cpu") for path in (file, judged))
    found = agreement(prompts, ("shipped", one), ("judged", other))
    for title, estimate in {"order of words": found.spearman, "same first word": found.top_1, "shared of first three": found.top_3}.items():
        yield _line("file and twin", title, judge.Figure(estimate.mean, estimate.low, estimate.high, estimate.count))


def prompts_aside(prompts: Sequence[str], texts: Container[str]) -> list[str]:
    """At most 200 prompts of at most 60 words that are not among `texts`, evenly out of all that there are."""
    unused = [p for p in dict.fromkeys(prompts) if 4 <= len(p.split()) <= LONGEST_WORDS and p not in texts]
    return unused[:: -(-len(unused) // PROMPTS) or 1]


def _learnt(name: str, lesson: Lesson, encode: Encode) -> Iterator[str]:
    """How well it knows what it has learnt by heart: nothing is judged by that."""
    names, rows = lesson.names, lesson.rows
    near = judge.closeness(names, rows, lesson.mean, encode([names.texts[n] for n in rows]))
    yield _line(name, "centred cosine of what it learnt", near["centred cosine"])
    known = judge.deletion_figure(names, lesson.deletions, _influence(encode, names, lesson.deletions))
    yield _line(name, "deletions of what it learnt", known)


def token_rank(cases: Sequence[Deletion]) -> np.ndarray:
    """Ranks of the removed words' token ids: rarer words have higher ones."""
    tokens = Tokens()
    return judge.ranks(np.array([max(tokens(d.word)[1:-1]) for d in cases]))


def _influence(encode: Encode, names: Names, cases: Sequence[Deletion]) -> np.ndarray:
    return judge.influence(encode([names.texts[d.whole] for d in cases]), encode([names.texts[d.rest] for d in cases]))


def _line(name: str, title: str, figure: judge.Figure) -> str:
    return f"{name}: {title} {figure} of {figure.count}"
