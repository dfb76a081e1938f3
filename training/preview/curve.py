"""Whether more phrases with real CLIP vectors help: the teacher, fitted on parts of the learnt names, judged on the kept-out ones.

The parts are drawn by chance, seeds fixed; of one seed the smaller part is in the larger. Figures are means over the draws, with the lowest
and the highest of them. The student is left out: its training takes half an hour, the teacher's seconds, and it follows the teacher.

python -m training.preview.curve     print all figures; needs what `python -m training.preview` needs
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from training.preview import judge, teacher
from training.preview.lesson import Places, ask_for_places
from training.preview.minilm import MiniLM
from training.preview.names import JUDGED, Names, judged_deletions, read_names
from training.preview.packages import MINILM, fetch

SHARES = (0.5, 0.75, 1.0)
DRAWS = 10


def curve(names: Names, features: np.ndarray) -> Iterator[tuple[str, str, judge.Figure]]:
    """Who, what and the figure; its interval is from the lowest to the highest draw. `features` are MiniLM's of every phrase."""
    learnt = names.rows(*JUDGED.parts)
    for share in SHARES:
        found = defaultdict(list)
        for seed in range(DRAWS if share < 1 else 1):
            part = np.random.default_rng(seed).permutation(learnt)[: round(share * len(learnt))]
            for title, value in _judged(names, features, np.sort(part), names.embeddings[learnt].mean(0)).items():
                found[title].append(value)
        for title, values in found.items():
            yield f"teacher on {share:.0%}", title, judge.Figure(float(np.mean(values)), min(values), max(values), len(values))


def _judged(names: Names, features: np.ndarray, part: np.ndarray, mean: np.ndarray) -> dict[str, float]:
    """What the teacher reaches that has learnt the rows `part`; vectors are centred on `mean`, whatever the part."""
    mapped = teacher.fit([names.texts[n] for n in part], features[part], names.embeddings[part])
    vectors, rows = mapped(names.texts, features), names.rows("test")
    found = {title: figure.value for title, figure in judge.closeness(names, rows, mean, vectors[rows]).items()}
    for title, cases in judged_deletions(names).items():
        scores = judge.influence(vectors[[d.whole for d in cases]], vectors[[d.rest for d in cases]])
        found[title] = judge.deletion_figure(names, cases, scores).value
    return found


def main() -> None:
    ask = argparse.ArgumentParser(prog="python -m training.preview.curve", description="Print what the teacher reaches on fewer phrases.")
    ask_for_places(ask)
    asked = ask.parse_args()
    places = Places(asked.shared, asked.work)
    names = read_names(places.names)
    model = MiniLM(fetch(MINILM, places.wheels))
    for who, title, figure in curve(names, model.features(names.texts)):
        print(f"{who}: {title} {figure} of {figure.count}")


if __name__ == "__main__":
    main()
