"""What can be set about rules, and the defaults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Literal

from promptlens.errors import OptionError

# What the prompt is for: the two boxes of a host, or a description of a training image.
Role = Literal["positive", "negative", "caption"]


@dataclass(frozen=True, slots=True)
class RuleSettings:
    """Limits of the rules. Tokens and slots are those of one encoder; the encoder that takes the most counts.

    max_tokens       TB103, TB106: tokens a prompt may take (None: as many as the host keeps)
    max_chunks       TB103, TB106: chunks a prompt may take (None: any number)
    near_limit       TB102: share of the tokens the host keeps that counts as near the limit, 0 to 1
    template         TB105: the prompt is a style or template, to which the user's own words are added
    template_share   TB105: share of one chunk that a style may take, 0 to 1
    tail_tokens      TB203: a last chunk of at most so many tokens is a tail
    break_waste      TB204, TB201, TB202: empty slots that a BREAK may leave in its chunk
    max_weight       TB303: the largest weight that is not remarked on
    costly_tokens    TB402: tokens of a piece from which on its cost is remarked on
    subject_by       TB404: tokens by which the main subject should have begun
    role             what the prompt is for: TB404 looks at positive prompts only
    embeddings       TB305: names of the installed embeddings, as they are written in prompts (None: not known, nothing is said)
    loras            TB305: names of the installed LoRAs (None: not known)
    wildcards        TB305, TB106: {name: its texts} of the wildcard files (None: not known)
    """

    max_tokens: int | None = None
    max_chunks: int | None = None
    near_limit: float = 0.10
    template: bool = False
    template_share: float = 0.5
    tail_tokens: int = 5
    break_waste: int = 37
    max_weight: float = 2.0
    costly_tokens: int = 4
    subject_by: int = 20
    role: Role = "positive"
    embeddings: frozenset[str] | None = None
    loras: frozenset[str] | None = None
    wildcards: Mapping[str, Sequence[str]] | None = None

    def __post_init__(self) -> None:
        """Raises `OptionError` for a value out of range."""
        for name in ("max_tokens", "max_chunks"):
            value = getattr(self, name)
            if value is not None:
                _check(name, value, isinstance(value, int) and not isinstance(value, bool) and value >= 1, "a whole number from 1")
        for name in ("near_limit", "template_share"):
            value = getattr(self, name)
            _check(name, value, _is_number(value) and 0 <= value <= 1, "a share from 0 to 1")
        for name in ("tail_tokens", "break_waste", "costly_tokens", "subject_by"):
            value = getattr(self, name)
            _check(name, value, isinstance(value, int) and not isinstance(value, bool) and value >= 0, "a whole number from 0")
        _check("max_weight", self.max_weight, _is_number(self.max_weight) and self.max_weight > 0, "a number above 0")
        _check("role", self.role, self.role in ("positive", "negative", "caption"), "positive, negative or caption")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)


def _check(name: str, value: object, right: bool, what: str) -> None:
    if not right:
        raise OptionError(f"{name} must be {what}, not {value!r}.")


DEFAULT_SETTINGS = RuleSettings()
