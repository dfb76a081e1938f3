"""Fooocus.

Each line of the prompt is encoded on its own and the results are joined. The first line loses its `<lora:name:weight>` tags and is tidied
around its commas; `__name__` and `[[a,b]]` are worked out; then each line is read as ComfyUI read prompts in 2023, where a group is a
blank-separated word. Left out: styles and the prompt expansion, which add texts of their own, and wildcard files: a name stands for
itself, as where its file is missing.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from promptlens.hosts import EncoderUse, Fragment, Host, Parsed, ParsedLine
from promptlens.hosts._comfy import pack_groups
from promptlens.hosts._comfy_derived import derived_groups
from promptlens.hosts._options import check_embeddings, check_range
from promptlens.hosts._rewrite import Derived, Piece, join, narrow
from promptlens.models import Encoder, Model
from promptlens.tokens import Reading, tokenizer


@dataclass(frozen=True, slots=True)
class Options:
    """What shapes the windows in Fooocus.

    embeddings  files in the embeddings folder: {name: vectors}, name relative to it; or the folder
    image       which image of a batch, counted from 0: arrays `[[a,b]]` take another word for each
    """

    embeddings: Mapping[str, int] = field(default_factory=dict)
    image: int = 0

    def __post_init__(self) -> None:
        check_range(self, "image", 0, 9999)
        check_embeddings(self)


_READING = Reading("slow")
_TRIMMED = ",. \r\n"
_BLANKS = re.compile("  +")
# Sixteen times two blanks become one, which leaves one blank of up to this many.
_BLANKS_TO_ONE = 2**16
_LORA = re.compile(r"<lora:[^:]+:[+-]?(?:\d+(?:\.\d*)?|\.\d+)>")
_WILDCARD = re.compile(r"__([\w-]+)__")
WILDCARD_ROUNDS = 64
_ARRAY = re.compile(r"\[\[(.*?)\]\]")


def parse(text: str, options: Options) -> Parsed:
    lines = [tidy for line in _lines(text) if (tidy := _stripped(_collapsed(line, _BLANKS_TO_ONE), _TRIMMED)).text] or [Derived("")]
    removed: list[Fragment] = []
    first = _with_wildcards(_without_loras(lines[0], removed))
    lines = [_with_arrays(first, options.image), *map(_with_wildcards, lines[1:])]
    found: list[ParsedLine] = []
    for line in [line for line in lines if line.text] or lines[:1]:
        groups, missing = derived_groups(line, embeddings=options.embeddings, by_word=True)
        found.append(ParsedLine(line.text, groups, part=len(found), label=f"line {len(found) + 1}"))
        removed += missing
    return Parsed(tuple(found), tuple(sorted(removed, key=lambda f: f.span)), joined=True)


def _lines(text: str) -> Iterator[Derived]:
    start = 0
    for line, whole in zip(text.splitlines(), text.splitlines(keepends=True), strict=True):
        yield Derived(text).cut(start, start + len(line))
        start += len(whole)


def _without_loras(line: Derived, removed: list[Fragment]) -> Derived:
    """LoRA tags taken out, and what is between commas trimmed and joined again by a comma and a blank."""
    items: list[Derived] = []
    start = 0
    for text in line.text.split(","):
        item = line.cut(start, start + len(text))
        start += len(text) + 1
        tags = [match.span() for match in _LORA.finditer(text)]
        removed += [Fragment(text[a:b], kind="network", origin=item.cut(a, b).origin) for a, b in tags]
        tidy = _stripped(_collapsed(narrow(item, [(a, b, a, a) for a, b in tags])), None)
        if tidy.text:
            items.append(tidy)
    return join(items, ", ")


def _collapsed(text: Derived, blanks_to_one: int = sys.maxsize) -> Derived:
    """Runs of blanks as one blank for each `blanks_to_one` of them."""
    pieces: list[Piece] = []
    done = 0
    for match in _BLANKS.finditer(text.text):
        pieces.append((done, match.start() - -len(match.group()) // blanks_to_one))
        done = match.end()
    return text.rebuild([*pieces, (done, len(text.text))]) if pieces else text


def _stripped(text: Derived, chars: str | None) -> Derived:
    kept = text.text.strip(chars)
    start = text.text.index(kept)
    return text if kept == text.text else text.cut(start, start + len(kept))


def _with_wildcards(line: Derived) -> Derived:
    """Each `__name__` as the name, as long as there are any; the host tries so often."""
    for _ in range(WILDCARD_ROUNDS):
        found = [(*match.span(), *match.span(1)) for match in _WILDCARD.finditer(line.text)]
        if not found:
            break
        line = narrow(line, found)
    return line


def _with_arrays(line: Derived, image: int) -> Derived:
    """Each `[[a,b]]` as one of its items: the first array changes with every image, the next one when that has been through."""
    arrays = list(_arrays(line.text))
    image %= math.prod(len(items) for _, _, items in arrays)
    found: list[tuple[int, int, int, int]] = []
    for start, end, items in arrays:
        image, chosen = divmod(image, len(items))
        found.append((start, end, *items[chosen]))
    return narrow(line, found, once=True)


def _arrays(text: str) -> Iterator[tuple[int, int, list[tuple[int, int]]]]:
    """Where arrays are, brackets included, and where their items are."""
    start = text.find("[[")
    while start >= 0 and (close := text.find("]]", start + 2)) >= 0:
        commas = [at for at in range(start + 2, close) if text[at] == ","]
        yield start, close + 2, list(zip([start + 2, *(at + 1 for at in commas)], [*commas, close], strict=True))
        start = text.find("[[", close + 2)


def pack(line: ParsedLine, encoder: Encoder, model: Model, options: Options) -> EncoderUse:
    # Every encoder is read with the tokenizer files of SD1: "!" is never special here.
    return pack_groups(line, encoder, tokenizer(_READING))


HOST = Host(
    name="fooocus",
    title="Fooocus",
    parse=parse,
    pack=pack,
    options=Options,
    reference="Fooocus 2.5.5 (59f183ab): modules/async_worker.py, modules/util.py, ldm_patched/modules/sd1_clip.py; observed",
    summary="Each line is encoded apart. Chunks of 75; a word that does not fit moves on whole, with the comma glued to it.",
    syntax=frozenset({"round", "weight", "network", "wildcard", "array", "embedding-prefix"}),
)
