"""Facts of real CLIP ViT-L/14 in the package clip_similarwords: which one-token words are alike, and which word of two is the weightier.

The package lists cosines of 0.85 and more between prompts of one token under Stable Diffusion 1.4's text encoder, over all 77 x 768 hidden
states, and between such prompts and the lemmas of WordNet. A third list, of picture-board tags, is left alone: whose text it is is unclear.
"""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass

from training.preview.packages import unpickle

# A word with more kin than this is among the tokens that say nothing (emoji, fragments, foreign letters): hundreds of cosines near 1.
MOST_KIN = 40
TEST_SHARE = 15


@dataclass(frozen=True, slots=True)
class WordPair:
    """Two words whose cosine is at least 0.85."""

    one: str
    other: str
    cosine: float

    @property
    def held_out(self) -> bool:
        """Whether it is kept for judging: where either word's sha256 says so."""
        return any(is_held_out(w) for w in (self.one, self.other))


def is_held_out(word: str) -> bool:
    """>>> is_held_out("cat"), is_held_out("kitten")
    (False, False)
    """
    return int(hashlib.sha256(word.encode()).hexdigest()[:8], 16) % 100 < TEST_SHARE // 2


@dataclass(frozen=True, slots=True)
class Dominance:
    """A lemma of two words that is alike (0.85 or more) to its `strong` word alone, and not to the other one alone."""

    lemma: str
    strong: str
    weak: str


@dataclass(frozen=True, slots=True)
class Facts:
    pairs: tuple[WordPair, ...]
    dominances: tuple[Dominance, ...]
    lemmas: tuple[str, ...]


def read_facts(wheel: zipfile.ZipFile) -> Facts:
    """The facts of the package's wheel. `lemmas` are WordNet's, with underscores."""
    pieces, kin = unpickle(wheel, "clip_similarwords/clip_similarwords_all.pt")
    _, lemmas, kin_of_lemma = unpickle(wheel, "clip_similarwords/clip_synsets_similarwords_all.pt")
    words = {number: piece[:-4] for number, piece in pieces.items() if piece.endswith("</w>") and _clean(piece[:-4])}
    pairs = set()
    for number, others in kin.items():
        if number in words and len(others) <= MOST_KIN:
            for other, cosine in others:
                if other in words and other != number and len(kin.get(other, ())) <= MOST_KIN:
                    one, two = sorted((words[number], words[other]))
                    pairs.add(WordPair(one, two, round(float(cosine), 3)))
    known = set(words.values())
    dominances = []
    for row, others in kin_of_lemma.items():
        parts = lemmas[row].split("_") if row < len(lemmas) else []
        alike = {words[n] for n, _ in others if n in words}
        if len(parts) == 2 and set(parts) <= known and len(alike & set(parts)) == 1:
            strong = parts[0] if parts[0] in alike else parts[1]
            dominances.append(Dominance(lemmas[row], strong, parts[1] if strong == parts[0] else parts[0]))
    return Facts(
        tuple(sorted(pairs, key=lambda p: (p.one, p.other))),
        tuple(sorted(dominances, key=lambda d: d.lemma)),
        tuple(sorted({text for text in lemmas if text})),
    )


def _clean(word: str) -> bool:
    return len(word) >= 3 and word.isascii() and word.isalpha()
