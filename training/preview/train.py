"""Training the student: real CLIP vectors of names, the teacher's of other texts, distances inside groups of deletions, facts on words."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
import torch.nn.functional as F

from training.preview.corpus import Corpus, Group
from training.preview.facts import Dominance, Facts, WordPair
from training.preview.halves import halved
from training.preview.names import Deletion, Names
from training.preview.student import Student, Tokens

T = TypeVar("T")

# How much of a deletion's target comes from the rank of the token's id (rarer words, higher ids, matter more); the rest is the teacher's.
# By cross-validation of the teacher a quarter gained .04 of rank correlation on phrases with underscores and lost nothing on the others.
RANK_SHARE = 0.25

# How much of a name's target is the teacher's vector; the rest is real CLIP's: vectors known by heart are a
# poor measure for phrases that are new. In cross-validation over the names learnt the rank of deletions gained .03 by it, within its noise.
SMOOTH_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps and what is in each."""

    steps: int = 3000
    rate: float = 2e-3
    warm_up: int = 60
    decay: float = 0.02
    names: int = 96
    real_deletions: int = 24
    words: int = 64
    named: int = 256
    texts: int = 64
    groups: int = 24
    pairs: int = 48
    dominances: int = 16
    seed: int = 7


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """All that is learnt from. `vectors` are the teacher's, by text; names are those of training alone."""

    names: Names
    rows: np.ndarray
    deletions: tuple[Deletion, ...]
    corpus: Corpus
    vectors: dict[str, np.ndarray]
    facts: Facts
    mean: np.ndarray


class Trainer:
    """A student on its way; `save` and `resume` make a stop no loss."""

    def __init__(self, student: Student, lesson: Lesson, plan: Plan) -> None:
        self.student, self.lesson, self.plan = student, lesson, plan
        self.step = 0
        self.tokens = Tokens()
        self.device = student.basis.device
        self.mean = torch.tensor(lesson.mean).to(self.device) @ student.basis
        self._optimiser = torch.optim.AdamW(student.parameters(), lr=plan.rate, weight_decay=plan.decay, betas=(0.9, 0.98), fused=True)
        self._names = self._name_targets()
        self._pairs = [p for p in lesson.facts.pairs if not p.held_out]
        self._loss = 0.0

    def run(self, *, checkpoint: Path | None = None, tell: Callable[[str], None] = print, until: int | None = None) -> None:
        """Train to the end of the plan (or to step `until`)."""
        began, first = time.monotonic(), self.step
        while self.step < (until or self.plan.steps):
            self._one_step()
            if self.step % 50 == 0:
                pace = (time.monotonic() - began) / (self.step - first)
                tell(f"step {self.step}/{self.plan.steps} loss {self._loss:.4f}, {pace:.2f} s a step")
            if checkpoint is not None and self.step % 200 == 0:
                self.save(checkpoint)
        if checkpoint is not None:
            self.save(checkpoint)

    def save(self, path: Path) -> None:
        state = {"step": self.step, "student": self.student.state_dict(), "optimiser": self._optimiser.state_dict()}
        torch.save(state, path.with_suffix(".new"))
        path.with_suffix(".new").replace(path)

    def resume(self, path: Path) -> None:
        state: dict[str, Any] = torch.load(path, weights_only=True, map_location=self.device)
        self.step = state["step"]
        self.student.load_state_dict(state["student"])
        self._optimiser.load_state_dict(state["optimiser"])

    def _one_step(self) -> None:
        plan = self.plan
        chance = random.Random(plan.seed * 1_000_003 + self.step)  # each step's own, so that a resumed run is the same run
        torch.manual_seed(plan.seed * 1_000_003 + self.step)
        for group in self._optimiser.param_groups:
            group["lr"] = plan.rate * _rate_share(self.step, plan)
        loss = self._lesson(chance)
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.student.parameters(), 1.0)
        self._optimiser.step()
        self.step += 1
        self._loss = loss.item() if self.step == 1 else 0.95 * self._loss + 0.05 * loss.item()

    def _lesson(self, chance: random.Random) -> torch.Tensor:
        """One batch of everything, encoded together, and its loss."""
        lesson, plan = self.lesson, self.plan
        rows = _some(lesson.rows.tolist(), plan.names, chance)
        real = _some(lesson.deletions, plan.real_deletions, chance)
        corpus = lesson.corpus
        taught = [
            *_some(corpus.words, plan.words, chance), *_some(corpus.named, plan.named, chance), *_some(corpus.texts, plan.texts, chance)
        ]  # fmt: skip
        groups = _some(corpus.groups, plan.groups, chance)
        pairs, firsts = _some(self._pairs, plan.pairs, chance), _some(lesson.facts.dominances, plan.dominances, chance)
        parts = [
            [lesson.names.texts[n] for n in rows],
            [lesson.names.texts[n] for d in real for n in (d.whole, d.rest)],
            taught,
            [t for g in groups for t in (g.text, *g.rests)],
            [w for p in pairs for w in (p.one, p.other)],
            [t for d in firsts for t in (d.lemma.replace("_", " "), d.strong, d.weak)],
        ]
        distinct = {t: n for n, t in enumerate(dict.fromkeys(chain(*parts)))}
        with halved(self.device):
            found = self.student.encode([self.tokens(t) for t in distinct])
        at = torch.tensor([distinct[t] for part in parts for t in part], device=self.device)
        of_names, of_real, of_taught, of_groups, of_pairs, of_firsts = found[at].split([len(part) for part in parts])
        loss = 1.5 * self._alike(of_names, self._real(rows), relations=True) + self._alike(of_taught, self._taught(taught), relations=False)
        if real:
            loss = loss + 10 * self._real_deletions(of_real, real)
        if groups:
            loss = loss + self._groups(of_groups, groups)
        if pairs:
            loss = loss + 0.5 * self._pair_loss(of_pairs, pairs)
        if firsts:
            loss = loss + 0.3 * self._dominance_loss(of_firsts, firsts)
        return loss

    def _name_targets(self) -> torch.Tensor:
        """(phrases, 512) by row of `names`; those that are not learnt from are not numbers, so that no use of them stays unseen."""
        names, rows = self.lesson.names, self.lesson.rows
        taught = np.stack([self.lesson.vectors[names.texts[n]] for n in rows]).astype(np.float32)
        targets = torch.full(names.embeddings.shape, float("nan"))
        mixed = torch.from_numpy(SMOOTH_SHARE * taught + (1 - SMOOTH_SHARE) * names.embeddings[rows])
        targets[torch.from_numpy(rows)] = F.normalize(mixed, dim=-1)
        return targets.to(self.device)

    def _real(self, rows: Sequence[int]) -> torch.Tensor:
        return self._names[torch.tensor(rows, device=self.device)] @ self.student.basis

    def _taught(self, texts: Sequence[str]) -> torch.Tensor:
        return torch.from_numpy(np.stack([self.lesson.vectors[t] for t in texts]).astype(np.float32)).to(self.device) @ self.student.basis

    def _centred(self, rows: torch.Tensor) -> torch.Tensor:
        return F.normalize(rows - self.mean, dim=-1)

    def _alike(self, given: torch.Tensor, target: torch.Tensor, *, relations: bool) -> torch.Tensor:
        """4 (1 - cos) + (1 - centred cos); with `relations` also how the texts of the batch lie to each other."""
        a, b = self._centred(given), self._centred(target)
        loss = 4 * (1 - (given * F.normalize(target, dim=-1)).sum(-1).mean()) + (1 - (a * b).sum(-1).mean())
        return loss + 2 * (a @ a.T - b @ b.T).square().mean() if relations else loss

    def _real_deletions(self, given: torch.Tensor, real: Sequence[Deletion]) -> torch.Tensor:
        target = self._real([n for d in real for n in (d.whole, d.rest)])
        return (
            (_distance(given[::2], given[1::2]) - _distance(*(F.normalize(t, dim=-1) for t in (target[::2], target[1::2])))).square().mean()
        )

    def _groups(self, given: torch.Tensor, groups: Sequence[Group]) -> torch.Tensor:
        """Texts as the teacher has them, and 20 x the squared error of sqrt(1 - cos) to what is left without each word."""
        target = F.normalize(self._taught([t for g in groups for t in (g.text, *g.rests)]), dim=-1)
        target = F.normalize(self._taught([t for g in groups for t in (g.text, *g.rests)]), dim=-1)
        counts = [len(g.rests) for g in groups]
        starts = [0, *accumulate(1 + count for count in counts)]
        whole = torch.tensor([start for start, count in zip(starts, counts, strict=False) for _ in range(count)], device=self.device)
        rest = torch.tensor([start + 1 + n for start, count in zip(starts, counts, strict=False) for n in range(count)], device=self.device)
        apart = _distance(target[whole], target[rest]).split(counts)
        wanted = torch.cat([self._blended(distances, group) for distances, group in zip(apart, groups, strict=True)])
        error = (_distance(given[whole], given[rest]) - wanted).square().mean()
        return 20 * error + 0.5 * self._alike(given, target, relations=False)

    def _blended(self, distances: torch.Tensor, group: Group) -> torch.Tensor:
        """The teacher's distances, moved towards the order of the removed words' token ids; mean and spread stay."""
        if len(group.words) < 2:
            return distances
        # logarithms: ids are about the order of frequency
        rarity = torch.tensor([math.log(10 + max(self.tokens(w)[1:-1], default=0)) for w in group.words], device=self.device)
        spread = distances.std()
        moved = distances.mean() + spread * (rarity - rarity.mean()) / (rarity.std() + 1e-3)
        return ((1 - RANK_SHARE) * distances + RANK_SHARE * moved).clamp_min(0.0)

    def _pair_loss(self, given: torch.Tensor, pairs: Sequence[WordPair]) -> torch.Tensor:
        """Words that real CLIP finds alike are; words put together by chance are not."""
        a, b = self._centred(given[::2]), self._centred(given[1::2])
        cosines = a @ b.T
        alike = F.relu(0.75 - cosines.diagonal()).square().mean()
        chance = F.relu(cosines - 0.35).square()
        return alike + (chance.sum() - chance.diagonal().sum()) / max(1, len(pairs) * (len(pairs) - 1)) * 4

    def _dominance_loss(self, given: torch.Tensor, facts: Sequence[Dominance]) -> torch.Tensor:
        """The whole is nearer to its strong word."""
        whole, strong, weak = (self._centred(given[n::3]) for n in range(3))
        return F.relu(0.15 - (whole * strong).sum(-1) + (whole * weak).sum(-1)).mean()


def _distance(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return (1 - (a * b).sum(-1)).clamp_min(1e-6).sqrt()


def _some(pool: Sequence[T], count: int, chance: random.Random) -> list[T]:
    return chance.sample(pool, min(count, len(pool)))


def _rate_share(step: int, plan: Plan) -> float:
    """Up in a line, down as a cosine."""
    if step < plan.warm_up:
        return (step + 1) / plan.warm_up
    done = (step - plan.warm_up) / max(1, plan.steps - plan.warm_up)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, done))) * 0.98 + 0.02
