"""The card out of its words, card.md beside this file, and the figures that the training command printed: no figure is typed by hand.

`{{twin: deletions}}` is a figure with its interval; after it `| value`, `| interval` or `| count` gives that part alone.
`{{judged sha256}}` and `{{shipped sha256}}` are the files that they are of.

python -m training.preview.card     write promptlens/data/preview-card.md from figures.txt beside this file
"""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parent
WORDS, FIGURES = FOLDER / "card.md", FOLDER / "figures.txt"
CARD = FOLDER.parents[1] / "promptlens" / "data" / "preview-card.md"

_LINE = re.compile(r"(?P<name>.+) (?P<value>-?\d\.\d\d) (?P<interval>\[-?\d\.\d\d, -?\d\.\d\d\]) of (?P<count>\d+)")
_DIGEST = re.compile(r"(?P<name>\w+ sha256) (?P<digest>[0-9a-f]{64})")
_PLACE = re.compile(r"\{\{([^|}]+?)(?: \| (value|interval|count))?\}\}")


def card(words: str, figures: str) -> str:
    """The words with their figures. Raises `KeyError` for a figure that was not printed.

    >>> card("It is {{cat: size}}, {{cat: size | count}} times.", "cat: size 0.50 [-0.10, 1.00] of 9")
    'It is .50 [-.10, 1.00], 9 times.'
    """
    lines = figures.splitlines()
    found = {match["name"]: match for line in lines if (match := _LINE.fullmatch(line))}
    digests = {match["name"]: match["digest"] for line in lines if (match := _DIGEST.fullmatch(line))}

    def figure(place: re.Match[str]) -> str:
        if place[1] in digests:
            return digests[place[1]]
        line, part = found[place[1]], place[2]
        return re.sub(r"\b0\.", ".", line[part] if part else f"{line['value']} {line['interval']}")

    return _PLACE.sub(figure, words)


if __name__ == "__main__":
    CARD.write_text(card(WORDS.read_text(encoding="utf-8"), FIGURES.read_text(encoding="utf-8")), encoding="utf-8")
