"""The far side of the panes that need a text encoder: `python -m promptlens.tui.measurer`, started and asked by encoding.py.

It finds weights, loads them, measures and fetches, and answers with plain data, so that the screen's process imports neither torch nor
numpy. Encoders stay loaded, and windows that were encoded are remembered, until others are asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan
from typing import TYPE_CHECKING, Any

from promptlens.encoder import worker
from promptlens.encoder.frames import Message
from promptlens.encoder.interface import Progress
from promptlens.weights import Choice, Weights, choose_or_preview

if TYPE_CHECKING:
    from promptlens.encoder.cached import CachedEncoder
    from promptlens.encoder.files import FoundWeights

# Cosines are sent with so many decimals: more than a cell shows.
DECIMALS = 4


class Measurer:
    """What was chosen and loaded last."""

    def __init__(self) -> None:
        self._chosen: dict[str, Choice] = {}
        self._encoders: dict[tuple[str, str], CachedEncoder] = {}

    def influence(self, message: Message, progress: Progress) -> Message:
        """The influence of each unit of a prompt, the first one first."""
        choice = self._choose(message)
        from promptlens.influences import influence
        from promptlens.influences._notes import floor_words
        from promptlens.influences._steps import level

        asked = {name: message[name] for name in ("unit", "lens", "method")}
        found = influence(
            message["text"],
            message["host"],
            message["model"],
            encoders=self._open(choice, message),
            progress=progress,
            clip_skip=message.get("clip_skip"),
            **asked,
            **message["options"],
        )
        units = [
            {
                "span": [found.spans[n].start, found.spans[n].end],
                "label": found.labels[n],
                "score": None if isnan(found.scores[n]) else found.scores[n],
                "step": level(found, n),
                "band": found.band(n),
                "moved": found.moved[n],
                "lost": found.lost[n],
                "tokens": found.tokens[n],
            }
            for n in found.ranking
        ]
        said = [] if found.approximate else [floor_words(found)]
        return _facts(choice) | asked | {"units": units, "floor": said, "left_out": list(found.left_out)}

    def similarity(self, message: Message, progress: Progress) -> Message:
        """Cosines between all units of a prompt, and of each with the whole."""
        choice = self._choose(message)
        from promptlens.influences import similarity

        found = similarity(
            message["text"],
            message["host"],
            message["model"],
            encoders=self._open(choice, message),
            unit=message["unit"],
            progress=progress,
            **message["options"],
        )
        return _facts(choice) | {
            "unit": found.unit,
            "encoder": found.encoder,
            "projected": found.projected,
            "labels": list(found.labels),
            "spans": [[s.start, s.end] for s in found.spans],
            "whole": [round(float(v), DECIMALS) for v in found.whole],
            "values": [[round(float(v), DECIMALS) for v in row] for row in found.values],
        }

    def weights(self, message: Message, progress: Progress) -> Message:
        """All weights on this machine."""
        from promptlens.encoder.finding import find_encoders

        problems: list[str] = []
        self._chosen.clear()
        found = find_encoders(roots=message["roots"], problem=problems.append)
        return {"weights": [w.to_dict() for w in found], "problems": problems}

    def pull(self, message: Message, progress: Progress) -> Message:
        """Fetch the weights of one encoder; goes on where it stopped the last time."""
        from promptlens.encoder.pulling import pull

        notes: list[str] = []
        found = pull(message["name"], progress=progress, note=notes.append)
        return {"weights": found.to_dict(), "notes": notes}

    def _choose(self, message: Message) -> Choice:
        """The weights for a model; looked for once as long as nothing says that the machine may have others."""
        key = repr([message[name] for name in ("model", "paths", "own", "roots", "look")])
        if key not in self._chosen:
            self._chosen.clear()
            weights = Weights(tuple(message["paths"]), tuple(message["roots"]), message["allow_pickle"], message["own"], message["origin"])
            self._chosen[key] = choose_or_preview(message["model"], weights)
        return self._chosen[key]

    def _open(self, choice: Choice, message: Message) -> dict[str, CachedEncoder]:
        """Encoders for weights; those that are not among them give back their memory."""
        from promptlens.encoder.cached import cached_encoder

        wanted = {name: (w.encoder, str(w.path)) for name, w in choice.weights.items()}
        self._encoders = {key: encoder for key, encoder in self._encoders.items() if key in wanted.values()}
        for name, key in wanted.items():
            if key not in self._encoders:
                self._encoders[key] = cached_encoder(choice.weights[name], allow_pickle=message["allow_pickle"])
        return {name: self._encoders[key] for name, key in wanted.items()}


def _facts(choice: Choice) -> Message:
    """With which weights something was measured."""
    used = [weights.to_dict() | {"encoder": name} for name, weights in choice.weights.items()]
    return {"weights": used, "problems": list(choice.problems), "approximate": _approximate(choice.weights)}


def _approximate(weights: Mapping[str, FoundWeights]) -> bool:
    from promptlens.encoder.preview import NAME

    return any(w.encoder == NAME for w in weights.values())


def handlers() -> dict[str, worker.Handler]:
    """The kinds of request it answers."""
    measurer = Measurer()
    kinds: Sequence[Any] = (measurer.influence, measurer.similarity, measurer.weights, measurer.pull)
    return {kind.__name__: kind for kind in kinds}


if __name__ == "__main__":
    worker.main(handlers())
