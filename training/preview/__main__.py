"""`python -m training.preview`: from the packages to the file, its card and its figures, in one command. README.md says what it needs."""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

# Read when torch is loaded: threads that wait for one another sleep. Where other programs want the cores too,
# threads that spin used four times the processor time of the work itself.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch

from training.preview.card import CARD, WORDS, card
from training.preview.corpus import Sizes
from training.preview.export import write
from training.preview.lesson import Places, prepare, vocabulary_words
from training.preview.report import report
from training.preview.student import Shape, Student, token_vectors
from training.preview.train import Lesson, Plan, Trainer

SEED = 7
REPOSITORY = Path(__file__).parents[2]


def new_student(lesson: Lesson, shape: Shape) -> Student:
    """A student whose token table begins with what the teacher makes of one-token words."""
    torch.manual_seed(SEED)
    words = {w: n for w, n in vocabulary_words().items() if w in lesson.vectors}
    named = np.stack([lesson.vectors[t] for t in lesson.corpus.named]).astype(np.float32)
    given = np.stack([lesson.vectors[w] for w in words]).astype(np.float32)
    seen = np.concatenate([lesson.names.embeddings[lesson.rows], named[:8000], given[:8000]])
    # the basis holds the mean, so that raw vectors are in it too
    basis = torch.tensor(np.linalg.svd(seen.T @ seen)[0][:, : shape.width].copy(), dtype=torch.float32)
    student = Student(shape, basis, torch.tensor(lesson.mean))
    table, own = token_vectors(given, list(words.values()), lesson.mean, shape.table)
    with torch.no_grad():
        student.table.weight.copy_(table * 1.5)
        student.widen.weight.copy_((own.T @ basis).T)
    return student


def main() -> None:
    ask = argparse.ArgumentParser(prog="python -m training.preview", description=__doc__)
    ask.add_argument("--shared", type=Path, default=REPOSITORY.parent / "shared", help="the data beside the project")
    ask.add_argument("--work", type=Path, default=REPOSITORY / "build" / "preview", help="where packages and checkpoints go")
    ask.add_argument("--steps", type=int, default=Plan().steps)
    ask.add_argument("--threads", type=int, default=torch.get_num_threads())
    ask.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu", help="where torch computes")
    asked = ask.parse_args()
    torch.set_num_threads(asked.threads)
    places = Places(asked.shared, asked.work)
    places.work.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()

    def tell(line: str) -> None:
        print(f"[{(time.monotonic() - began) / 60:5.1f} min, {time.process_time() / 60:5.1f} of processor time] {line}", flush=True)

    lesson = prepare(places, Sizes(), SEED, tell, asked.device)
    trainer = Trainer(new_student(lesson, Shape()).to(asked.device), lesson, Plan(steps=asked.steps))
    checkpoint = places.work / f"student-{asked.steps}.pt"
    if checkpoint.exists():
        trainer.resume(checkpoint)
    trainer.run(checkpoint=checkpoint, tell=tell)
    student = trainer.student.eval().cpu()
    file = places.work / "preview.safetensors"
    digest = write(student, file)
    tell(f"{file.stat().st_size / 1e6:.2f} MB, sha256 {digest}")
    untrained = Student(student.shape, student.basis, torch.tensor(lesson.mean))
    figures = list(report(file, untrained, lesson, places))
    printed = "\n".join([f"sha256 {digest}", *figures]) + "\n"
    (places.work / "figures.txt").write_text(printed, encoding="utf-8")
    (places.work / CARD.name).write_text(card(WORDS.read_text(encoding="utf-8"), printed), encoding="utf-8")
    for line in figures:
        tell(line)


if __name__ == "__main__":
    main()
