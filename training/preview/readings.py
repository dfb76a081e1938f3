"""Other ways to read the influence of a deleted word off vectors, beside 1 - cos(phrase, phrase without it). None is in use.

They were written down before the first was computed, and each is measured twice: by the teacher on learnt names, each phrase mapped by a
teacher that has not learnt it (five folds), where a way had to gain .02 to be a candidate; and by the judged twin's file on what was kept
out, which confirms it or does not.

python -m training.preview.readings     print all figures; needs what `python -m training.preview` needs, and the judged twin it has made
"""

from __future__ import annotations

import argparse
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from training.preview import judge, teacher
from training.preview.lesson import Places, ask_for_places, training_deletions
from training.preview.minilm import MiniLM
from training.preview.names import JUDGED, Deletion, Names, judged_deletions, key, read_names, words
from training.preview.packages import MINILM, fetch
from training.preview.report import Encode, encode_with_file
from training.preview.teacher import unit

FOLDS = 5
STAND_IN = "thing"
AS_IS = "as it is"

Vectors = Mapping[str, np.ndarray]
Reading = Callable[[Vectors, np.ndarray, np.ndarray], np.ndarray]


def _centred(found: Vectors, mean: np.ndarray, _: np.ndarray) -> np.ndarray:
    return judge.influence(found["whole"] - mean, found["rest"] - mean)


def _by_length(power: float) -> Reading:
    return lambda found, _, lengths: judge.influence(found["whole"], found["rest"]) * lengths**power


def _with_word_alone(share: float) -> Reading:
    def read(found: Vectors, mean: np.ndarray, _: np.ndarray) -> np.ndarray:
        likeness = 1 - judge.influence(found["whole"] - mean, found["alone"] - mean)
        return judge.influence(found["whole"], found["rest"]) + share * likeness

    return read


def _with_stand_in(found: Vectors, _: np.ndarray, __: np.ndarray) -> np.ndarray:
    return judge.ranks(judge.influence(found["whole"], found["rest"])) + judge.ranks(judge.influence(found["whole"], found["stand-in"]))


def _over_spellings(found: Vectors, _: np.ndarray, __: np.ndarray) -> np.ndarray:
    spellings = ("", " spaced", " joined")
    return np.mean([judge.influence(found[f"whole{s}"], found[f"rest{s}"]) for s in spellings], axis=0)


# (vectors by the kind of text, the mean of learnt phrases, words of each phrase) to scores.
READINGS: dict[str, Reading] = {
    AS_IS: lambda found, _, __: judge.influence(found["whole"], found["rest"]),
    "less the mean": _centred,
    **{f"by length to the power {power}": _by_length(power) for power in (-1, -0.5, 0.5, 1)},
    **{f"with {share} of the word alone": _with_word_alone(share) for share in (0.1, 0.3)},
    f"with '{STAND_IN}' in its place": _with_stand_in,
    "over three spellings": _over_spellings,
}


def texts_of(whole: str, rest: str, word: str) -> dict[str, str]:
    """Every text that a reading of one deletion asks for.

    >>> texts_of("a Golf_ball", "a Ball", "golf")["stand-in"]
    'a thing_ball'
    """
    parts = re.findall(r"[^\s_/]+|[\s_/]+", whole)
    place = max(n for n, part in enumerate(parts) if part.lower() == word)
    found = {"whole": whole, "rest": rest, "alone": f"a {word}", "stand-in": "".join([*parts[:place], STAND_IN, *parts[place + 1 :]])}
    for name, text in (("whole", whole), ("rest", rest)):
        first, *others = words(text)
        found |= {f"{name} spaced": key(text), f"{name} joined": f"{first} {'_'.join(others)}"}
    return found


def measured(names: Names, cases: Sequence[Deletion], encode: Encode, mean: np.ndarray) -> Iterator[str]:
    """A line for each reading: its rank correlation with real CLIP, and its gain over the one in use."""
    texts = [texts_of(names.texts[d.whole], names.texts[d.rest], d.word) for d in cases]
    found = {kind: unit(encode([t[kind] for t in texts])) for kind in texts[0]}
    lengths = np.array([len(words(names.texts[d.whole])) - 1.0 for d in cases])
    own = READINGS[AS_IS](found, mean, lengths)
    for name, read in READINGS.items():
        scores = read(found, mean, lengths)
        yield f"{name}: {judge.deletion_figure(names, cases, scores)}, gain {judge.gain(names, cases, scores, own)}"


def fold(text: str) -> int:
    """All spellings of a phrase are in one."""
    return int(hashlib.sha256(f"x{key(text)}".encode()).hexdigest(), 16) % FOLDS


def crossed_teacher(names: Names, rows: np.ndarray, model: MiniLM) -> Encode:
    """Each text by a teacher that has learnt nothing of its fold."""
    made = []
    for number in range(FOLDS):
        kept = [n for n in rows if fold(names.texts[n]) != number]
        texts = [names.texts[n] for n in kept]
        made.append(teacher.fit(texts, model.features(texts), names.embeddings[kept]))

    def encode(texts: Sequence[str]) -> np.ndarray:
        features = model.features(texts)
        return np.concatenate([made[fold(t)]([t], features[n : n + 1]) for n, t in enumerate(texts)])

    return encode


def main() -> None:
    ask = argparse.ArgumentParser(prog="python -m training.preview.readings", description="Print what other readings of influence reach.")
    ask_for_places(ask)
    asked = ask.parse_args()
    places = Places(asked.shared, asked.work)
    names = read_names(places.names)
    rows, kept_out = names.rows(*JUDGED.parts), judged_deletions(names)
    mean = names.embeddings[rows].mean(0)
    model = MiniLM(fetch(MINILM, places.wheels))
    judged = encode_with_file(places.file(JUDGED))
    for title, cases, encode in (
        ("learnt, the teacher by cross-validation", training_deletions(names, JUDGED), crossed_teacher(names, rows, model)),
        ("kept out, the twin", kept_out["deletions"], judged),
        ("either kept out, the twin", kept_out["deletions of either"], judged),
    ):
        print(f"{title}, {len(cases)} deletions")
        for line in measured(names, cases, encode, mean):
            print(f"  {line}")


if __name__ == "__main__":
    main()
