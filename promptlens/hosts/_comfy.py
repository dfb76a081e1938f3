"""ComfyUI's reading of a prompt, shared with what grew out of it: brackets, groups, `embedding:` and windows.

`(x)` multiplies the weight by 1.1, `(x:1.5)` replaces it by whatever Python's `float` makes of the number. Observed in ComfyUI 0.3.64,
comfy/sd1_clip.py.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from promptlens.hosts import (
    Chunk,
    Cut,
    EncoderUse,
    Fragment,
    HostFailure,
    Parsed,
    ParsedLine,
    Stream,
    make_chunk,
    new_fragment,
    new_line,
    new_parsed,
    new_use,
)
from promptlens.models import Encoder
from promptlens.spans import Origin, Run, Span
from promptlens.tokens import Tokenizer

LARGE_GROUP = 8  # tokens: SDTokenizer.max_word_length
EMBEDDING = "embedding:"
PLACE_ID = -1

# Python's recursion limit is 1000; the host has used some 50 frames when it reaches the brackets and dies past it.
MAX_NESTING = 950

_SYNTAX = re.compile(r"[()\0]|embedding:")
MARKS = "[()]|embedding:"  # what keeps a text from being plain (see `Host.plain`)
_ESCAPE = re.compile(r"\\([()])")
_BRACKET = re.compile(r"[()]")
_UNESCAPE = re.compile("\0([\1\2])")
_EXTENSIONS = (".safetensors", ".pt", ".bin")


class _Segment(NamedTuple):
    """A stretch of the prompt of one weight."""

    start: int
    end: int
    weight: float


def parse_comfy(text: str, *, embeddings: Mapping[str, int], by_word: bool = False) -> Parsed:
    """One line whose fragments are groups, in order; missing embeddings are among what is removed.

    `by_word`: a group is a blank-separated word (before 2024-12-10). Raises `HostFailure` where the host fails.
    """
    if not by_word and not _SYNTAX.search(text):
        return new_parsed((new_line(text, (new_fragment(text),)),))
    escaped = _ESCAPE.sub(lambda m: "\0\1" if m.group(1) == ")" else "\0\2", text)  # as long as the text
    fragments: list[Fragment] = []
    missing: list[Fragment] = []
    for segment in _segments(escaped, 0, len(escaped), 1.0, 0):
        for piece, origin in _words(*_unescaped(escaped, segment), by_word):
            _group(piece, origin, segment.weight, embeddings, by_word, fragments, missing)
    return Parsed((ParsedLine(text, tuple(fragments)),), tuple(missing))


def _segments(text: str, start: int, end: int, weight: float, depth: int) -> Iterator[_Segment]:
    """Bracketed items and the text between them, each with its weight; nested ones are worked out in turn."""
    if depth > MAX_NESTING:
        raise HostFailure(
            "RecursionError", "Brackets are nested deeper than Python recurses; the host stops with an error.", Span(start, end)
        )
    for a, b in _items(text, start, end):
        if b - a < 2 or text[a] != "(" or text[b - 1] != ")":
            yield _Segment(a, b, weight)
            continue
        inner_start, inner_end = a + 1, b - 1
        inner = weight * 1.1
        colon = text.rfind(":", inner_start, inner_end)
        if colon > inner_start:  # not the first character
            try:
                inner = float(text[colon + 1 : inner_end])
                inner_end = colon
            except ValueError:
                pass
        yield from _segments(text, inner_start, inner_end, inner, depth + 1)


def _items(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Ranges of the top-level brackets and of what is between them. An unclosed bracket takes all that follows into one item."""
    level = 0
    item = start
    for match in _BRACKET.finditer(text, start, end):
        at = match.start()
        if match.group() == "(":
            if level == 0:
                if item < at:
                    yield item, at
                item = at
            level += 1
        else:
            level -= 1
            if level == 0:
                yield item, at + 1
                item = at + 1
    if item < end:
        yield item, end


def _unescaped(escaped: str, segment: _Segment) -> tuple[str, Origin]:
    """The segment's text with its escaped brackets as brackets, and where it is in the prompt."""
    start, end = segment.start, segment.end
    out: list[str] = []
    runs: list[Run] = []
    at, done = 0, start
    for match in _UNESCAPE.finditer(escaped, start, end):
        out += [escaped[done : match.start()], ")" if match.group(1) == "\1" else "("]
        if done < match.start():
            runs.append(Run(at, at + match.start() - done, done, match.start()))
        at += match.start() - done
        runs.append(Run(at, at + 1, match.start(), match.end()))
        at, done = at + 1, match.end()
    if done < end:
        out.append(escaped[done:end])
        runs.append(Run(at, at + end - done, done, end))
    return "".join(out), Origin(runs)


_PREFIXED = re.compile("[ \n]" + EMBEDDING)


def _words(text: str, origin: Origin, by_word: bool) -> Iterator[tuple[str, Origin]]:
    """What is tokenised apart: the text up to each `embedding:` after a blank or newline; before 2024-12-10 every word."""
    if by_word:
        yield from ((word.group(), origin.slice(*word.span())) for word in re.finditer("[^ \n]+", text))
        return
    at = 0
    for match in [*_PREFIXED.finditer(text), None]:
        end = match.start() if match else len(text)
        if at < end:
            yield text[at:end], origin.slice(at, end)
        at = end + 1


def _group(
    piece: str,
    origin: Origin,
    weight: float,
    embeddings: Mapping[str, int],
    by_word: bool,
    fragments: list[Fragment],
    missing: list[Fragment],
) -> None:
    """Add the group or groups of a piece: an embedding and what is left over of its text, or the text."""
    if not piece.startswith(EMBEDDING):
        fragments.append(Fragment(piece, weight, origin=origin))
        return
    found = list(re.finditer(r"\S+", piece[len(EMBEDDING) :]))
    if by_word:
        name, others = piece[len(EMBEDDING) :].strip("\n"), []
    elif found:
        name, others = found[0].group(), [m.span() for m in found[1:]]
    else:
        raise HostFailure(
            "IndexError", "No name follows 'embedding:'; the host stops with an error on this prompt.", origin.span(0, len(piece))
        )
    start = len(EMBEDDING) + (found[0].start() if found else 0)
    pieces = [(a + len(EMBEDDING), b + len(EMBEDDING)) for a, b in others]
    vectors = find_embedding(name, embeddings)
    end, stripped = start + len(name), name.strip(",")
    if vectors is None and stripped != name:
        vectors = find_embedding(stripped, embeddings)
        # What is left over begins as many characters in as the stripped name is long, wherever the commas stood.
        pieces.insert(0, (start + len(stripped), end))
        end, name = start + len(stripped), stripped or name
    place = Origin((Run(0, len(name), *origin.range(0, end)),))
    if vectors is None:
        missing.append(Fragment(name, weight, "missing", place))
    else:
        fragments.append(Fragment(name, weight, "embedding", place, vectors))
    if pieces:
        fragments.append(Fragment(" ".join(piece[a:b] for a, b in pieces), weight, origin=_spaced(pieces).through(origin)))


def _spaced(pieces: list[tuple[int, int]]) -> Origin:
    """Origin of pieces joined by blanks."""
    runs: list[Run] = []
    at = 0
    for start, end in pieces:
        if end > start:
            runs.append(Run(at, at + end - start, start, end))
        at += end - start + 1
    return Origin(runs)


def find_embedding(name: str, embeddings: Mapping[str, int]) -> int | None:
    """Vectors of the file that a name finds: relative to the embeddings folder or any folder in it, with or without its extension."""
    if not embeddings:
        return None
    for folder in _folders(embeddings):
        path = posixpath.relpath(posixpath.join("/-", folder, name), posixpath.join("/-", folder))
        if path.startswith(".."):  # out of the folder, where the host does not look
            continue
        for key, vectors in embeddings.items():
            if _is_file(posixpath.join(folder, path), key):
                return vectors
    return None


def _is_file(path: str, key: str) -> bool:
    """True when a path, as it is or with an extension added, is the file `key`; a key without extension may have any."""
    if path == key:
        return True
    other, whole = (path, key) if key.endswith(_EXTENSIONS) else (key, path)
    return whole in [other + extension for extension in _EXTENSIONS]


def _folders(embeddings: Mapping[str, int]) -> list[str]:
    """The embeddings folder ("") and every folder in it that holds an embedding."""
    found = {""}
    for key in embeddings:
        parent = posixpath.dirname(key)
        while parent:
            found.add(parent)
            parent = posixpath.dirname(parent)
    return sorted(found)


def pack_groups(line: ParsedLine, encoder: Encoder, tokenizer: Tokenizer) -> EncoderUse:
    """Chunks of a line whose fragments are groups."""
    stream = Stream(tokenizer)
    chunks: list[Chunk] = []
    start = 0

    def close(cut: Cut, stop: int) -> None:
        nonlocal start
        chunks.append(make_chunk(stream, start, stop, encoder, cut))
        start = stop

    for fragment in line.fragments:
        before = len(stream)
        if fragment.kind == "embedding":
            stream.add_vectors(fragment, fragment.text, fragment.vectors, PLACE_ID)
        else:
            stream.add(fragment)
        if len(stream) - before < LARGE_GROUP:
            if len(stream) - start > encoder.capacity:
                close("group", before)
            continue
        while len(stream) - start > encoder.capacity:
            close("full", start + encoder.capacity)
    close("end", len(stream))
    return new_use(encoder, tuple(chunks), (), None, stream)
