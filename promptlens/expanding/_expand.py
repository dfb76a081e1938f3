"""The largest and the smallest prompt that a template stands for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from promptlens.errors import InputError
from promptlens.expanding._nodes import Choice, Cost, Node, all_texts, choices, count, largest, smallest

# Of up to so many variants each is read; of more the largest of every choice is put together, which may differ by a token or two where
# choices stand side by side without a blank.
EXACT_UP_TO = 1_000


class Pick(NamedTuple):
    """What one choice became: `source` names it (`__place__`, or the first of its options), `text` is what was picked."""

    source: str
    text: str
    cost: int


@dataclass(frozen=True, slots=True)
class Expansion:
    """What a template stands for.

    `variants` counts its prompts (1: it is no template), `largest` and `smallest` are those of most and least cost, `picks` what the
    outermost choices became in the largest. `exact`: every variant was read; otherwise the largest of each choice. `unknown` names
    wildcards without values, which stay in the prompt as they are. `problem` says why Dynamic Prompts cannot read the template; it is
    then taken as it stands, as the extension does.
    """

    template: str
    largest: str
    smallest: str
    variants: int = 1
    exact: bool = True
    picks: tuple[Pick, ...] = ()
    unknown: tuple[str, ...] = ()
    problem: str = ""


def expand(template: str, cost: Cost, wildcards: Path | None = None) -> Expansion:
    """What `template` stands for; `cost` says how many tokens a text takes, `wildcards` is the folder of the wildcard files.

    Raises `InputError` where the extra `templates` is not installed or the folder does not exist. A template that cannot be read is no
    error: see `problem`.
    """
    try:
        from promptlens.expanding._tree import Reader, Unreadable, manager_of  # 0.2 s: only for templates
    except ImportError as error:
        way_out = "Install it with: pip install 'promptlens[templates]'"
        raise InputError(f"Templates are read with the package dynamicprompts, which is not there ({error.name}). {way_out}") from None
    if wildcards is not None and not wildcards.is_dir():
        raise InputError(f"{wildcards}: is not a folder; name the one that holds your wildcard files.")
    cost = lru_cache(maxsize=65_536)(cost)
    reader = Reader(manager_of(wildcards))
    try:
        tree = reader.read(template)
    except Unreadable as error:
        return Expansion(template, template, template, problem=str(error))
    variants = count(tree)
    exact = variants <= EXACT_UP_TO
    texts = list(dict.fromkeys(all_texts(tree))) if exact else [largest(tree, cost), smallest(tree, cost)]
    picks = _picks(tree, cost)
    return Expansion(template, max(texts, key=cost), min(texts, key=cost), variants, exact, picks, tuple(reader.unknown))


def _picks(tree: Node, cost: Cost) -> tuple[Pick, ...]:
    """What the outermost choices become in the largest prompt."""
    texts = [(choice, largest(choice, cost)) for choice in choices(tree)]
    return tuple(Pick(_source(choice), text, cost(text)) for choice, text in texts)


def _source(choice: Choice) -> str:
    """`__place__`, or `{red|…}` with the first option."""
    if choice.name:
        return f"__{choice.name}__"
    return f"{{{next(iter(all_texts(choice.options[0])), '').strip()}|…}}"
