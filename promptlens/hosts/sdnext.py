"""SD.Next with its native prompt parser.

Weights as in AUTOMATIC1111, rounded; BREAK and newlines part the prompt into sections that are encoded apart and joined. compel's library
cuts a long section after the last sentence that fits, or else the last phrase or word. Read in its code, not observed. Left out: styles,
its other parsers, textual inversions, `TE2:` prompts for the second encoder, and its counter, which is a rough indicator.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from promptlens.hosts import EncoderUse, Fragment, Host, HostFailure, Parsed, ParsedLine
from promptlens.hosts._compel_pack import pack_compel
from promptlens.hosts._hf import hf_reading
from promptlens.hosts._join import pack_sections
from promptlens.hosts._options import check_choice, check_range
from promptlens.hosts._rewrite import Derived, Piece
from promptlens.hosts._schedule import schedules
from promptlens.hosts._sdnext import parse_native
from promptlens.hosts._webui import NETWORK, without
from promptlens.models import Encoder, Model
from promptlens.spans import Span
from promptlens.tokens import tokenizer


@dataclass(frozen=True, slots=True)
class Options:
    """Settings of SD.Next that shape the windows, and the tokenizer under it.

    line_break  a newline parts the prompt as BREAK does (its setting "Use line break as prompt segment marker")
    steps       sampling steps, for prompt editing
    negative    the text goes into the negative prompt box, where BREAK is a word
    tokenizer   "slow" with transformers 4, "fast" with 5
    ftfy        whether ftfy is installed, which changes how the slow tokenizer cleans text
    """

    line_break: bool = True
    steps: int = 20
    negative: bool = False
    tokenizer: Literal["slow", "fast"] = "slow"
    ftfy: bool = False

    def __post_init__(self) -> None:
        check_range(self, "steps", 1, 1000)
        check_choice(self, "tokenizer")


def parse(text: str, options: Options) -> Parsed:
    removed: list[Fragment] = []
    prompt = without(Derived(text), NETWORK, "network", "", removed)
    return Parsed(tuple(_lines(prompt, options)), tuple(removed))


def _lines(prompt: Derived, options: Options) -> Iterator[ParsedLine]:
    """One line for each different text of the schedule."""
    texts: dict[str, Derived] = {}
    ranges: dict[str, list[tuple[int, int]]] = {}
    first = 1
    for schedule in schedules(prompt.text, options.steps, share_below_one=True):
        text = prompt.pick(schedule.slices)
        texts.setdefault(text.text, text)
        ranges.setdefault(text.text, []).append((first, schedule.until_step))
        first = schedule.until_step + 1
    for key, text in texts.items():
        yield ParsedLine(key, tuple(_fragments(text, options)), steps=tuple(ranges[key]) if len(texts) > 1 else ())


def _fragments(text: Derived, options: Options) -> Iterator[Fragment]:
    """What is encoded, breaks only between sections that hold something."""
    started = waiting = None
    for fragment in parse_native(_newlines(_trimmed(text), " BREAK " if options.line_break else " ")):
        if fragment.kind != "break" or options.negative:
            if started and waiting:
                yield waiting
            started, waiting = fragment, None
            yield replace(fragment, kind="text")
        else:
            waiting = fragment


def _trimmed(text: Derived) -> Derived:
    kept = text.text.strip()
    start = text.text.index(kept)
    return text.cut(start, start + len(kept))


def _newlines(text: Derived, instead: str) -> Derived:
    pieces: list[Piece] = []
    done = 0
    for line in text.text.split("\n")[:-1]:
        end = done + len(line)
        pieces += [(done, end), (end, end + 1, instead)]
        done += len(line) + 1
    return text.rebuild([*pieces, (done, len(text.text))]) if pieces else text


def pack(line: ParsedLine, encoder: Encoder, model: Model, options: Options) -> EncoderUse:
    if not line.fragments:
        raise HostFailure("RuntimeError", "Nothing stands beside BREAK; the host stops with an error on an empty list.", Span(0, 0))
    tokens = tokenizer(hf_reading(encoder, options.tokenizer, options.ftfy))
    use = pack_sections(line, lambda section: pack_compel(section, encoder, tokens))
    return replace(use, shown_count=None)


HOST = Host(
    name="sdnext",
    title="SD.Next",
    parse=parse,
    pack=pack,
    options=Options,
    reference="SD.Next 0e99be5d and 3ec0d35d: modules/prompt_parser.py, modules/prompt_parser_diffusers.py; read, not observed",
    summary="Chunks of at most 75, cut after the last full stop, or else comma or word. BREAK and newlines start one. Read, not observed.",
    syntax=frozenset({"round", "square", "weight", "break", "newline-break", "schedule", "network"}),
    observed=False,
)
