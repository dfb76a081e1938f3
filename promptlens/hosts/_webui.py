"""What the AUTOMATIC1111 family shares: prompt to lines, and a line's tokens to chunks.

A chunk holds 75 tokens. When the next token does not fit and a comma is not far back, what follows the comma moves to the next chunk.
BREAK closes a chunk. The counter shows 75 for every closed chunk, however full. Observed in stable-diffusion-webui 1.10.0:
modules/sd_hijack_clip.py (chunks), modules/prompt_parser.py (AND), modules/extra_networks.py and
modules/processing_scripts/comments.py (what is removed).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from promptlens.hosts import (
    Chunk,
    Cut,
    EncoderUse,
    Fix,
    Fragment,
    Parsed,
    ParsedLine,
    Stream,
    make_chunk,
    new_fragment,
    new_line,
    new_parsed,
    new_use,
)
from promptlens.hosts._emphasis import parse_emphasis
from promptlens.hosts._rewrite import Derived
from promptlens.hosts._schedule import schedules
from promptlens.models import Encoder
from promptlens.spans import Origin, Run
from promptlens.tokens import Reading, Tokenizer
from promptlens.tokens import tokenizer as load_tokenizer

COMMA = 267  # ",</w>"

_SYNTAX = re.compile(r"[()\[\]\\<#:]").search
# What keeps a text from being plain (see `Host.plain`).
MARKS = r"[()\[\]\\<#:]|AND|BREAK"
_COMMENT_LINE = re.compile(r"(?:^|\n)#[^\n]*(?:\n|$)")
_COMMENT = re.compile(r"#[^\n]*(?:\n|$)")
NETWORK = re.compile(r"<\w+:[^>]+>")
_AND = re.compile(r"\bAND\b")
_PART_WEIGHT = re.compile(r"\s*[-+]?(?:\d+\.?|\d*\.\d+)")


def parse_webui(text: str, *, steps: int, emphasis: bool, negative: bool, strip: bool = False) -> Parsed:
    """Lines of a prompt: comments and extra networks removed, split at AND, expanded over the steps, emphasis read.

    `negative`: the prompt goes into the negative box, where AND does not split. `strip`: outer white space is cut (Forge).
    """
    if not _SYNTAX(text) and "AND" not in text and "BREAK" not in text:
        plain = text.strip() if strip else text if negative else text.rstrip()
        start = text.index(plain)
        origin = Origin.of_slices([(start, start + len(plain))]) if start else None
        return new_parsed((new_line(plain, (new_fragment(plain, 1.0, "text", origin),)),))
    removed: list[Fragment] = []
    left = without(Derived(text), _COMMENT_LINE, "comment", "\n", removed)
    left = without(left, _COMMENT, "comment", "\n", removed)
    if strip:
        kept = left.text.strip()
        start = left.text.index(kept)
        left = left.cut(start, start + len(kept))
    left = without(left, NETWORK, "network", "", removed)
    parts = [(left, 1.0)] if negative else list(_and_parts(left))
    lines = tuple(line for n, (part, weight) in enumerate(parts) for line in _lines(part, n, weight, steps, emphasis))
    return Parsed(lines, tuple(removed))


def without(text: Derived, pattern: re.Pattern[str], kind: str, instead: str, removed: list[Fragment]) -> Derived:
    """The text without the matches, which are added to `removed`."""
    if not pattern.search(text.text):
        return text
    out: list[str] = []
    runs: list[Run] = []
    at = done = 0

    def keep(piece: str, start: int, end: int) -> None:
        nonlocal at
        if piece:
            runs.append(Run(at, at + len(piece), start, end))
            out.append(piece)
            at += len(piece)

    for match in pattern.finditer(text.text):
        keep(text.text[done : match.start()], done, match.start())
        keep(instead, match.start(), match.end())
        done = match.end()
        gone = text.cut(*match.span())
        removed.append(Fragment(gone.text, kind="comment" if kind == "comment" else "network", origin=gone.origin))
    keep(text.text[done:], done, len(text.text))
    origin = Origin(runs)
    return Derived("".join(out), origin.through(text.origin) if text.origin else origin)


def _and_parts(text: Derived) -> Iterator[tuple[Derived, float]]:
    """The parts that AND separates, each with the weight that a last `:number` gives it (also without any AND)."""
    at = 0
    for match in [*_AND.finditer(text.text), None]:
        end = match.start() if match else len(text.text)
        part = text.text[at:end]
        kept = part.rstrip()
        head, colon, tail = kept.rpartition(":")
        if colon and _PART_WEIGHT.fullmatch(tail):
            kept = head.rstrip()
            yield text.cut(at, at + len(kept)), float(tail)
        else:
            yield text.cut(at, at + len(kept)), 1.0
        at = match.end() if match else at


def _lines(part: Derived, number: int, weight: float, steps: int, emphasis: bool) -> Iterator[ParsedLine]:
    """One line for each different text of a part's schedule."""
    ranges: dict[str, list[tuple[int, int]]] = {}
    texts: dict[str, Derived] = {}
    first = 1
    found = schedules(part.text, steps)
    for schedule in found:
        text = part if len(found) == 1 and schedule.slices == ((0, len(part.text)),) else part.pick(schedule.slices)
        texts.setdefault(text.text, text)
        ranges.setdefault(text.text, []).append((first, schedule.until_step))
        first = schedule.until_step + 1
    for key, text in texts.items():
        fragments = parse_emphasis(text.text, text.origin) if emphasis else (Fragment(text.text, origin=text.origin),)
        yield ParsedLine(key, fragments, number, weight, tuple(ranges[key]) if len(found) > 1 else ())


@dataclass(slots=True)
class _Packer:
    """The chunk being filled: stream places `start` to `start + length`."""

    stream: Stream
    encoder: Encoder
    chunks: list[Chunk] = field(default_factory=list)
    lost: list[tuple[int, int]] = field(default_factory=list)
    fixes: list[Fix] = field(default_factory=list)
    start: int = 0
    count: int = 0
    last_comma: int = -1

    @property
    def length(self) -> int:
        return len(self.stream) - self.start

    def close(self, cut: Cut, *, stop: int | None = None, last: bool = False) -> None:
        """End the chunk; tokens past `stop` open the next one. Embeddings' fixes stay with this chunk, as in the host."""
        stop = len(self.stream) if stop is None else stop
        self.count += stop - self.start if last else self.encoder.capacity
        self.chunks.append(self._chunk(cut, stop))
        self.start, self.fixes, self.last_comma = stop, [], -1

    def _chunk(self, cut: Cut, stop: int) -> Chunk:
        stream, start, encoder = self.stream, self.start, self.encoder
        if encoder.pad == encoder.eos:
            return make_chunk(stream, start, stop, encoder, cut, fixes=tuple(self.fixes))
        # An encoder that pads with another id: everything after the first end token becomes padding, prompt or not.
        try:
            end = stream.ids.index(encoder.eos, start, stop)
        except ValueError:
            return make_chunk(stream, start, stop, encoder, cut, fixes=tuple(self.fixes))
        whole = make_chunk(stream, start, stop, encoder, cut)
        kept = end - start + 2
        ids = whole.ids[:kept] + (encoder.pad,) * (len(whole.ids) - kept)
        if end + 1 < stop:
            self.lost.append((end + 1, stop))
        return Chunk(ids, whole.weights, cut, start, end + 1, stream, tuple(self.fixes))


def pack_webui(
    line: ParsedLine, encoder: Encoder, tokenizer: Tokenizer, *, backtrack: int, embeddings: Mapping[str, int], names: Reading
) -> EncoderUse:
    """Chunks of a line.

    `backtrack`: tokens after the last comma that may move on. `names`: how embedding names were read.
    """
    if len(line.fragments) == 1 and not embeddings and line.fragments[0].kind == "text":
        # by far the most prompts: no syntax, one chunk
        fragment = line.fragments[0]
        ids = tokenizer.encode(fragment.text)
        count = len(ids)
        if count <= encoder.capacity and (encoder.pad == encoder.eos or encoder.eos not in ids):
            stream = Stream.of(tokenizer, fragment, ids)
            return new_use(encoder, (make_chunk(stream, 0, count, encoder, "end"),), (), count, stream)
    stream = Stream(tokenizer)
    packer = _Packer(stream, encoder)
    known = _by_first_id(embeddings, names) if embeddings else {}
    for fragment in line.fragments:
        if fragment.kind == "break":
            packer.close("break")
        else:
            _fill(packer, fragment, backtrack, known)
    if packer.length or not packer.chunks:
        packer.close("end", last=True)
    return EncoderUse(encoder, tuple(packer.chunks), tuple(packer.lost), packer.count, stream)


Known = Mapping[int, list[tuple[list[int], str, int]]]


def _by_first_id(embeddings: Mapping[str, int], names: Reading) -> Known:
    """Embeddings as (ids of the name, name, vectors) by the first id, the longest name first; folders are no part of a name."""
    known: dict[int, list[tuple[list[int], str, int]]] = {}
    for path, vectors in embeddings.items():
        name = path.rpartition("/")[2]
        ids = load_tokenizer(names).encode(name)
        if ids:
            known.setdefault(ids[0], []).append((ids, name, vectors))
    for entries in known.values():
        entries.sort(key=lambda entry: len(entry[0]), reverse=True)
    return known


def _fill(packer: _Packer, fragment: Fragment, backtrack: int, known: Known) -> None:
    """Add a fragment's tokens, closing chunks as they fill."""
    ids = packer.stream.tokenizer.encode(fragment.text)
    if known:
        _fill_with_names(packer, fragment, ids, backtrack, known)
        return
    stream, capacity = packer.stream, packer.encoder.capacity
    at = 0
    while True:
        length = packer.length
        fitting = ids[at : at + capacity - length]
        if COMMA in fitting:
            packer.last_comma = length + len(fitting) - 1 - fitting[::-1].index(COMMA)
        stream.extend(fragment, fitting, at)
        at += len(fitting)
        if at == len(ids):
            return
        if ids[at] != COMMA and packer.last_comma >= 0 and capacity - packer.last_comma <= backtrack:
            packer.close("comma", stop=packer.start + packer.last_comma + 1)
        else:
            packer.close("full")


def _fill_with_names(packer: _Packer, fragment: Fragment, ids: list[int], backtrack: int, known: Known) -> None:
    """`_fill` where names of embeddings become their vectors."""
    stream, capacity = packer.stream, packer.encoder.capacity
    length = packer.length
    at = done = 0
    while at < len(ids):
        if ids[at] == COMMA:
            packer.last_comma = length
        elif length == capacity and packer.last_comma >= 0 and length - packer.last_comma <= backtrack:
            stream.extend(fragment, ids[done:at], done)
            done = at
            packer.close("comma", stop=packer.start + packer.last_comma + 1)
            length = packer.length
        if length == capacity:
            stream.extend(fragment, ids[done:at], done)
            done = at
            packer.close("full")
            length = 0
        name = next((k for k in known.get(ids[at], ()) if ids[at : at + len(k[0])] == k[0]), None)
        if name is None:
            length += 1
            at += 1
            continue
        stream.extend(fragment, ids[done:at], done)
        if length + name[2] > capacity:
            packer.close("vectors")
            length = 0
        packer.fixes.append(Fix(length, name[1], name[2]))
        stream.add_vectors(fragment, name[1], name[2], 0, first=at, pieces=len(name[0]))
        length += name[2]
        at += len(name[0])
        done = at
    stream.extend(fragment, ids[done:], done)
