"""The texts the student learns from. Each source has a licence: WordNet's lemmas (WordNet licence), clip_interrogator's phrases (MIT) and
the prompts of corpora that have one. Phrases kept out for judging, in whatever spelling, are in none of them.
"""

from __future__ import annotations

import gzip
import json
import random
import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from training.preview.names import key

# Prompts of this source have no licence in force.
UNLICENSED = frozenset({"open-prompts"})
LISTS = ("flavors", "mediums", "movements", "artists")
ARTICLE = "a "


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many of each; the whole recipe in one place, so that a test can run a toy of it."""

    words: int = 30_000
    lemmas: int = 85_000
    phrases: int = 24_000
    short_groups: int = 9_000
    prompt_groups: int = 2_500
    made_groups: int = 2_500
    deletions: int = 4


@dataclass(frozen=True, slots=True)
class Group:
    """A text and what is left of it without one word; `words` are those taken out."""

    text: str
    rests: tuple[str, ...]
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Corpus:
    """`words` one token each, `named` of the kind "a NAME", `texts` all others, `groups` with deletions."""

    words: tuple[str, ...]
    named: tuple[str, ...]
    texts: tuple[str, ...]
    groups: tuple[Group, ...]

    def all_texts(self) -> list[str]:
        """Every text once."""
        grouped = (t for g in self.groups for t in (g.text, *g.rests))
        return list(dict.fromkeys([*self.words, *self.named, *self.texts, *grouped]))


def build(
    words: Sequence[str],
    lemmas: Sequence[str],
    phrases: Sequence[str],
    prompts: Sequence[str],
    names: Sequence[str],
    kept_out: Iterable[str],
    sizes: Sizes,
    seed: int,
) -> Corpus:
    """The corpus out of its sources. `names` are the training phrases, `kept_out` those for judging."""
    chance = random.Random(seed)
    hidden = {key(t) for t in kept_out} | {key(t).removeprefix(ARTICLE) for t in kept_out if len(key(t).split()) > 2}
    allowed = [ln for ln in lemmas if key(ARTICLE + ln) not in hidden]
    picked = chance.sample(allowed, min(sizes.lemmas, len(allowed)))
    # data sets write both "a alarm_clock" and "a alarm clock"
    named = [ARTICLE + (ln if chance.random() < 0.5 else ln.replace("_", " ")) for ln in picked]
    short = [p for p in phrases if key(p) not in hidden]
    texts = chance.sample(short, min(sizes.phrases, len(short)))
    several = [n for n in named if len(key(n).split()) > 2] + [t for t in texts if 2 <= len(t.split()) <= 6]
    groups = [_group(t, sizes.deletions, chance) for t in chance.sample(several, min(sizes.short_groups, len(several)))]
    usable = [p for p in prompts if 4 <= len(p.split()) <= 60]
    groups += [_group(t, sizes.deletions, chance) for t in chance.sample(usable, min(sizes.prompt_groups, len(usable)))]
    groups += [_group(_made(names, short, chance), sizes.deletions, chance) for _ in range(sizes.made_groups)]
    kept = [g for g in groups if g.rests and not any(key(t) in hidden for t in (g.text, *g.rests))]
    return Corpus(tuple(words[: sizes.words]), tuple(named), tuple(texts), tuple(kept))


def _made(names: Sequence[str], phrases: Sequence[str], chance: random.Random) -> str:
    """A prompt as people write them: a thing, then tags."""
    return ", ".join([chance.choice(names).replace("_", " "), *chance.sample(phrases, min(len(phrases), chance.randint(1, 4)))])


def _group(text: str, count: int, chance: random.Random) -> Group:
    """A word goes with what parts it from the word before, a space or an underscore, or from the next where it is the first.

    The article of "a NAME" stays: of names without it nothing is known.
    """
    spelt = re.findall(r"[^\s_]+|[\s_]+", text.strip())
    places = [n for n in range(0, len(spelt), 2) if any(c.isalnum() for c in spelt[n]) and (n or spelt[n] != ARTICLE.strip())]
    if len(places) < 2:
        return Group(text, (), ())
    out = sorted(chance.sample(places, min(count, len(places))))
    rests = ("".join(spelt[: max(n - 1, 0)] + spelt[n + (1 if n else 2) :]) for n in out)
    return Group(text, tuple(rests), tuple(spelt[n] for n in out))


def read_phrases(wheel: zipfile.ZipFile) -> list[str]:
    """Phrases of clip_interrogator: styles, media, movements, artists."""
    lines = (ln for name in LISTS for ln in wheel.read(f"clip_interrogator/data/{name}.txt").decode().splitlines())
    return list(dict.fromkeys(ln.strip() for ln in lines if ln.strip()))


def read_prompts(path: Path) -> list[str]:
    """Prompts of the sources that have a licence."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        records = (json.loads(ln) for ln in lines)
        return [r["text"] for r in records if r["source"] not in UNLICENSED]
