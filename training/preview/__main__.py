"""`python -m training.preview`: from the packages to the file, its card and its figures, in one command. README.md says what it needs.

Two files are trained by one recipe: the judged twin, which has not seen the phrases that are kept out, and then the one that is shipped,
which learns those too.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterable

# Read when torch is loaded: threads that wait for one another sleep. Where other programs want the cores too,
# threads that spin used four times the processor time of the work itself.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch

from training.preview.card import CARD, WORDS, card
from training.preview.corpus import Sizes, read_prompts
from training.preview.export import write
from training.preview.lesson import Places, ask_for_places, prepare, vocabulary_words
from training.preview.names import JUDGED, SHIPPED, Twin
from training.preview.report import prompts_aside, report, report_shipped
from training.preview.student import Shape, Student, token_vectors
from training.preview.train import Lesson, Plan, Trainer

SEED = 7

Tell = Callable[[str], None]


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


def trained(twin: Twin, lesson: Lesson, places: Places, plan: Plan, device: str, tell: Tell) -> str:
    """Train a twin, or go on where an earlier run stopped; the sha256 of its file."""
    trainer = Trainer(new_student(lesson, Shape()).to(device), lesson, plan)
    checkpoint = places.of(twin) / f"student-{plan.steps}.pt"
    if checkpoint.exists():
        trainer.resume(checkpoint)
    trainer.run(checkpoint=checkpoint, tell=tell)
    file = places.file(twin)
    digest = write(trainer.student.eval().cpu(), file)
    tell(f"{twin.name}: {file.stat().st_size / 1e6:.2f} MB, sha256 {digest}")
    return digest


def untrained(lesson: Lesson) -> Student:
    """A student that has learnt nothing, not even the teacher's words."""
    return Student(Shape(), new_student(lesson, Shape()).basis, torch.tensor(lesson.mean))


def main() -> None:
    ask = argparse.ArgumentParser(prog="python -m training.preview", description=__doc__)
    ask_for_places(ask)
    ask.add_argument("--steps", type=int, default=Plan().steps)
    ask.add_argument("--threads", type=int, default=torch.get_num_threads())
    ask.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu", help="where torch computes")
    ask.add_argument("--only-judged", action="store_true", help="train and judge the judged twin alone: to try a recipe; writes no card")
    asked = ask.parse_args()
    torch.set_num_threads(asked.threads)
    places, plan = Places(asked.shared, asked.work), Plan(steps=asked.steps)
    for twin in (JUDGED, SHIPPED):
        places.of(twin).mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    figures: list[str] = []

    def tell(line: str) -> None:
        print(f"[{(time.monotonic() - began) / 60:5.1f} min, {time.process_time() / 60:5.1f} of processor time] {line}", flush=True)

    def keep(lines: Iterable[str]) -> None:
        for line in lines:
            tell(line)
            figures.append(line)

    lesson = prepare(places, JUDGED, Sizes(), SEED, tell, asked.device)
    judged = trained(JUDGED, lesson, places, plan, asked.device, tell)
    keep(report(places.file(JUDGED), untrained(lesson), lesson, places))
    if asked.only_judged:
        return
    taught = set(lesson.corpus.all_texts())
    del lesson  # its vectors are 180 MB
    lesson = prepare(places, SHIPPED, Sizes(), SEED, tell, asked.device)
    shipped = trained(SHIPPED, lesson, places, plan, asked.device, tell)
    prompts = prompts_aside(read_prompts(places.prompts), taught.union(lesson.corpus.all_texts()))
    keep(report_shipped(places.file(SHIPPED), lesson, places.file(JUDGED), prompts))
    printed = "\n".join([f"shipped sha256 {shipped}", f"judged sha256 {judged}", *figures]) + "\n"
    (places.work / "figures.txt").write_text(printed, encoding="utf-8")
    (places.work / CARD.name).write_text(card(WORDS.read_text(encoding="utf-8"), printed), encoding="utf-8")


if __name__ == "__main__":
    main()
