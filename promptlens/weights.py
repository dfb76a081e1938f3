"""Which weights a model's prompts are measured with: those that are named, those found on this machine, or else the preview encoder.

The order of all places is that of encoder/finding.py. Nothing is loaded here.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from promptlens.errors import WeightsError
from promptlens.home import with_home
from promptlens.models import ENCODERS

if TYPE_CHECKING:
    from promptlens.encoder.cached import CachedEncoder
    from promptlens.encoder.files import FoundWeights


# As users write it, and as `load_encoder` does.
PRECISIONS = {"fp32": "float32", "bf16": "bfloat16"}


@dataclass(frozen=True, slots=True)
class Weights:
    """Where to look: `paths` in the form "PATH" or "NAME=PATH", and folders of installs. `origin`: the settings file of the paths from
    the `own`-th on. `precision` is what to compute with, "fp32" or "bf16"."""

    paths: tuple[str, ...] = ()
    roots: tuple[str, ...] = ()
    allow_pickle: bool = False
    own: int = 0
    origin: str = ""
    precision: str = "fp32"

    def plain_paths(self, name: str | None = None) -> list[str]:
        """The paths for one encoder, the command line's first, of each those named for it first; without a name, all."""
        found = []
        for group in (self.paths[: self.own], self.paths[self.own :]):
            split = [_named(text) for text in group]
            found += [path for n, path in split if n and name in (None, n)] + [path for n, path in split if not n]
        return found

    def choose(self, name: str) -> FoundWeights:
        """The weights of one encoder. Raises `WeightsError`; what is wrong with a path out of a settings file names that."""
        from promptlens.encoder.finding import choose_encoder

        try:
            named = any(_named(text)[0] == name for text in self.paths)
            return choose_encoder(name, paths=self.plain_paths(name), roots=self.roots, only_given=named)
        except WeightsError as error:
            path = next((p for p in map(_path, self.paths[self.own :]) if str(error).startswith(p)), None)
            if path is None or path in map(_path, self.paths[: self.own]):
                raise
            raise WeightsError(f"{self.origin}: encoder-paths: {error}") from None

    def real_encoders(self, model: str) -> dict[str, CachedEncoder]:
        """The text encoders of a model that are run, not loaded yet. Raises `WeightsError` with the way out where there are none."""
        needs_numpy_and_torch()
        from promptlens.influences import run_encoders  # numpy

        chosen = {name: self.choose(name) for name in run_encoders(model)}
        from promptlens.encoder.cached import cached_encoder

        return {name: cached_encoder(found, name, **self.loading()) for name, found in chosen.items()}

    def loading(self) -> dict[str, Any]:
        """The arguments of `load_encoder` that say how weights are loaded."""
        return {"allow_pickle": self.allow_pickle, "precision": PRECISIONS[self.precision]}


@dataclass(frozen=True, slots=True)
class Choice:
    """Weights by the name of the encoder that they are taken for; `problems`: a line for each file that cannot be read."""

    weights: Mapping[str, FoundWeights]
    problems: tuple[str, ...] = ()


def choose_or_preview(model: str, weights: Weights, *, named_root: bool = False) -> Choice:
    """The weights of every encoder of a model that is run; the preview in place of each where it is named or none of any is found.

    Raises `WeightsError` with the way out: one that lacks while another is there is an error, as a measure half real and half not would be
    neither. So it is where the user named a path or a root (`named_root`) that has none.
    """
    needs_numpy_and_torch()
    from promptlens.encoder.finding import iter_encoders
    from promptlens.encoder.preview import NAME, preview_weights
    from promptlens.influences import run_encoders  # numpy

    names = run_encoders(model)
    problems: list[str] = []
    named = bool(weights.paths) or named_root
    if NAME in weights.paths or not (named or any(f.encoder in names for f in iter_encoders(roots=weights.roots, problem=problems.append))):
        return Choice(dict.fromkeys(names, preview_weights()), tuple(problems))
    return Choice({name: weights.choose(name) for name in names}, tuple(problems))


def needs_numpy_and_torch() -> None:
    """Raise `WeightsError` with the way out where the extra is missing; nothing is imported."""
    if any(importlib.util.find_spec(name) is None for name in ("numpy", "torch", "safetensors")):
        raise WeightsError("Influence needs numpy, torch and safetensors. Install them with: pip install 'promptlens[encoder]'")


def _named(text: str) -> tuple[str, str]:
    """An encoder's name ("" for any) and a path."""
    name, equals, path = text.partition("=")
    named = bool(equals) and name in ENCODERS
    return (name if named else "", str(with_home(path if named else text)))


def _path(text: str) -> str:
    return _named(text)[1]
