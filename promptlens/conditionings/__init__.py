"""What the diffusion model receives of a prompt: the host's own arithmetic on what the text encoders give.

Each host is one file of this folder with a module-level `CONDITIONER`; `CONDITIONERS` is made by walking the folder. A host's part is a
recipe in two halves: the windows it wants encoded (`asks`), and what it makes of the answers (`finish`). So many prompts can be encoded
in one go: make their recipes, `encode_asks` for all of them at once, finish each. Ids, weights and chunks are those of `analyze`; nothing
here reads a prompt. Everything is numpy; the encoders are given. Left out: LoRA, T5 encoders, half precision.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from promptlens.analysis import DEFAULT_HOST, DEFAULT_MODEL, analyze
from promptlens.encoder.windows import Encoded, Window
from promptlens.errors import ConditioningError, OptionError, UnknownNameError, WeightsError
from promptlens.hosts import HOSTS
from promptlens.models import MODELS, Model, get_model
from promptlens.report import Usage

FloatArray = NDArray[np.float32]


class EncodesWindows(Protocol):
    """What is used of a text encoder: `layers` are those its weights hold, `missing_layers` those they lack at the end."""

    @property
    def width(self) -> int: ...
    @property
    def layers(self) -> int: ...
    @property
    def missing_layers(self) -> int: ...

    def encode_windows(self, windows: Sequence[Window], *, layer: str | int = "last", final_norm: bool = True) -> Encoded: ...


Encoders = Mapping[str, EncodesWindows]


@dataclass(frozen=True, slots=True, eq=False)
class Conditioning:
    """`hidden` (positions, width) float32, SDXL's encoders side by side; `pooled` (width,), or None where the host makes none."""

    hidden: FloatArray
    pooled: FloatArray | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """A window to encode: with which encoder, up to which layer counted from the end (1 is the last), with the final norm or not."""

    encoder: str
    window: Window
    layer: int
    final_norm: bool


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """`hidden` (positions, width) of the layer; `pooled` (width,): the EOS row of the last layer, normed; `projected`: the same after the
    projection, None where the weights have none."""

    hidden: FloatArray
    pooled: FloatArray
    projected: FloatArray | None


Answers = Mapping[Ask, Answer]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a host makes the tensor of one prompt: what it wants encoded, and what it makes of that."""

    asks: tuple[Ask, ...]
    finish: Callable[[Answers], Conditioning]


@dataclass(frozen=True, slots=True)
class Job:
    """A prompt to condition on, analysed. `embeddings` are as the caller gave them, `options` the conditioner's own."""

    usage: Usage
    encoders: Encoders
    clip_skip: int | None
    until_step: int | None
    part: int
    embeddings: Any
    options: Any


@dataclass(frozen=True, slots=True)
class NoOptions:
    """For hosts whose arithmetic has no settings beside those of their windows."""


@dataclass(frozen=True, slots=True)
class Conditioner:
    """A host's arithmetic. `options` is a frozen dataclass of settings that shape the tensor and not the windows.

    `one_long_window`: of several windows the tensor has the first slot of the first, all between, and the last slot of the last.
    """

    recipe: Callable[[Job], Recipe]
    reference: str
    one_long_window: bool = False
    options: type[Any] = NoOptions


class Conditioners(Mapping[str, Conditioner]):
    """The table of hosts whose arithmetic is known. A row is imported when it is first looked up."""

    def __init__(self) -> None:
        self._names = sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))

    def __getitem__(self, name: str) -> Conditioner:
        if name not in self._names:
            if name in HOSTS:
                known = ", ".join(self._names)
                raise ConditioningError(f"How {HOSTS[name].title} makes its conditioning tensor is not known. Known: {known}.")
            raise UnknownNameError("host", name, self._names, where="conditioning")
        row: Conditioner = importlib.import_module(f"{__name__}.{name}").CONDITIONER
        return row

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


CONDITIONERS = Conditioners()

# Models whose tensors are known: those of CLIP that were recorded.
FAMILIES = frozenset({"sd15", "sd21", "sdxl"})


def check_model(model: Model) -> None:
    """Raise `ConditioningError` for a model whose tensor is not made here: T5 and Llama are counted at most, and never run."""
    if model.family not in FAMILIES:
        others = [e.title for e in model.encoders if e.vocabulary != "clip"]
        why = f"{' and '.join(others)} is not run here" if others else "how hosts make its tensor is not known here"
        clip = any(e.vocabulary == "clip" for e in model.encoders)
        raise ConditioningError(
            f"The conditioning tensor of {model.title} cannot be made: {why}. Models whose tensor can: "
            f"{', '.join(m.name for m in MODELS.values() if m.family in FAMILIES)}."
            + (" The pooled lens of influence looks at its CLIP encoders alone." if clip else "")
        )


def conditioning(
    text: str,
    host: str = DEFAULT_HOST,
    model: str = DEFAULT_MODEL,
    *,
    encoders: Encoders,
    clip_skip: int | None = None,
    until_step: int | None = None,
    part: int = 0,
    **options: Any,
) -> Conditioning:
    """What the diffusion model of `model` receives from `host` for a prompt.

    `encoders` by name, as the model needs them. `clip_skip` takes the n-th hidden layer from the end (1 is the last) whatever the host
    calls it; None is the host's default. `until_step` picks the text of prompt editing that is used at this sampling step (None: the
    first), `part` the part between ANDs. `options` are the host's settings, with `embeddings={name: array (vectors, width)}` or
    `{name: {encoder: array}}`. Raises a child of `PromptLensError` with the way out.
    """
    recipe = make_recipe(text, host, model, encoders=encoders, clip_skip=clip_skip, until_step=until_step, part=part, **options)
    return recipe.finish(encode_asks(recipe.asks, encoders))


def make_recipe(
    text: str,
    host: str = DEFAULT_HOST,
    model: str = DEFAULT_MODEL,
    *,
    encoders: Encoders,
    clip_skip: int | None = None,
    until_step: int | None = None,
    part: int = 0,
    **options: Any,
) -> Recipe:
    """`conditioning` before anything is encoded."""
    check_model(get_model(model))
    row = CONDITIONERS[host]
    own = {name: options.pop(name) for name in row.options.__dataclass_fields__ if name in options}
    usage = analyze(text, host, model, **options).usage
    if usage.failure:
        raise ConditioningError(f"{usage.host.title} fails on this prompt ({usage.failure.name}): {usage.failure.message}")
    _check_encoders(usage.model, encoders)
    if clip_skip is not None:
        _check_whole_number("clip_skip", clip_skip, 1, "the n-th hidden layer from the end, 1 is the last")
    if until_step is not None:
        _check_whole_number("until_step", until_step, 1, "a sampling step")
    return row.recipe(Job(usage, encoders, clip_skip, until_step, part, options.get("embeddings"), row.options(**own)))


def encode_asks(asks: Iterable[Ask], encoders: Encoders) -> dict[Ask, Answer]:
    """Answers to all of them; equal ones are encoded once, windows that go together in one call."""
    groups: dict[tuple[str, int, bool, int], dict[Ask, None]] = {}
    for ask in asks:
        groups.setdefault((ask.encoder, ask.layer, ask.final_norm, len(ask.window.ids)), {})[ask] = None
    answers: dict[Ask, Answer] = {}
    for (name, layer, final_norm, _), group in groups.items():
        encoded = encoders[name].encode_windows([ask.window for ask in group], layer=layer, final_norm=final_norm)
        for n, ask in enumerate(group):
            projected = None if encoded.projected is None else encoded.projected[n]
            answers[ask] = Answer(encoded.hidden[n], encoded.pooled[n], projected)
    return answers


def _check_encoders(model: Model, encoders: Encoders) -> None:
    names = [e.name for e in model.encoders]
    missing = [name for name in names if name not in encoders]
    others = [e.name for e in model.encoders if e.vocabulary != "clip"]
    if others:
        raise ConditioningError(
            f"{model.title} also receives what {' and '.join(others)} makes of the prompt, and only CLIP text encoders are run here; its "
            "conditioning tensor cannot be made. The pooled lens of influence looks at the CLIP encoders alone."
        )
    if missing:
        raise WeightsError(
            f"{model.name} needs {' and '.join(names)}; missing: {', '.join(missing)}. Give encoders={{{missing[0]!r}: load_encoder(...)}}."
        )


def _check_whole_number(name: str, value: Any, low: int, meaning: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < low:
        raise OptionError(f"{name} must be a whole number from {low} ({meaning}), not {value!r}.")
