"""TB305: an embedding, LoRA or wildcard that is not there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import NamedTuple

from promptlens.errors import nearest
from promptlens.report import Edit, Usage
from promptlens.rules import Example, Hit, RuleSettings, rule
from promptlens.rules._needs import Needs
from promptlens.rules._words import shown
from promptlens.spans import Span

_NETWORK = re.compile(r"<(?:lora|lyco):([^:<>]+)")
_WILDCARD = re.compile(r"__([\w*/ .-]+?)__")
_EMBEDDING = re.compile(r"(?<!\w)embedding:([^\s,:()]+)")
_EXTENSIONS = (".safetensors", ".pt", ".bin", ".ckpt", ".txt", ".yaml", ".json")


class _Named(NamedTuple):
    """A name in the prompt, and what it should be the name of."""

    kind: str
    name: str
    span: Span


@rule(
    "TB305",
    "unknown-name",
    "warning",
    summary="a named embedding, LoRA or wildcard is not installed",
    why="A name with a typing error is no error to the host: a LoRA that is not there is left out, an embedding is dropped or "
    "read as words, and a wildcard stays in the prompt as it is. The rule knows what is installed from the folders you name "
    "in the settings (embeddings, loras, wildcards); without them it is silent.",
    wrong=Example("a girl <lora:add-detial:0.8>", settings=RuleSettings(loras=frozenset({"add-detail", "film"}))),
    right=Example("a girl <lora:add-detail:0.8>", settings=RuleSettings(loras=frozenset({"add-detail", "film"}))),
    needs=lambda settings, room: Needs("<|__|embedding:"),
)
def unknown_name(usage: Usage, settings: RuleSettings) -> Iterator[Hit]:
    prompt = usage.prompt
    if "<" in prompt and settings.loras is not None and "network" in usage.host.syntax:
        yield from _missing(_found("LoRA", _NETWORK, prompt), settings.loras)
    if "__" in prompt and settings.wildcards is not None:
        yield from _missing(_found("wildcard", _WILDCARD, prompt), settings.wildcards)
    if "embedding:" in prompt:
        own = getattr(usage.options, "embeddings", None)
        known = settings.embeddings if settings.embeddings is not None else own or None
        if known is not None and "embedding-prefix" in usage.host.syntax:
            yield from _missing(_found("embedding", _EMBEDDING, prompt), {*known, *(own or ())})


def _found(kind: str, pattern: re.Pattern[str], prompt: str) -> Iterator[_Named]:
    for match in pattern.finditer(prompt):
        yield _Named(kind, match.group(1), Span(*match.span(1)))


def _missing(found: Iterable[_Named], known: Iterable[str]) -> Iterator[Hit]:
    names = {key for name in known for key in _keys(name)}
    for kind, name, span in found:
        if _bare(name) in names or (kind == "wildcard" and "*" in name and any(fnmatchcase(k, _bare(name)) for k in names)):
            continue
        guess = nearest(name, sorted(known))
        hint = f"Did you mean {shown(guess)}?" if guess else f"Nothing of a like name is among the {len(names)} that are."
        edit = Edit(span, guess, safe=False) if guess else None
        yield Hit(span, f"the {kind} {shown(name)} is not installed", hint, edit)


def _keys(name: str) -> tuple[str, ...]:
    """How a name may be written: with its folders or without."""
    bare = _bare(name)
    return bare, bare.rpartition("/")[2]


def _bare(name: str) -> str:
    """A name without its extension, in small letters, with "/" between folders."""
    bare = name.strip().replace("\\", "/").casefold()
    for extension in _EXTENSIONS:
        bare = bare.removesuffix(extension)
    return bare
