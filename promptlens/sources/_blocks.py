"""A file of lines in blocks of many lines, which is quicker than line by line; the lines are those of `stream_lines`, to the character.

A block that is plain UTF-8 text with `\\n` at the ends of its lines comes as one list. Any other (`\\r`, bytes that are no text, a line
that is too long, a byte order mark) is read by `stream_lines` itself, which also says what is wrong with it and where.
"""

from __future__ import annotations

import io
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from typing import BinaryIO, NamedTuple

from promptlens.sources._document import MAX_LINE_BYTES, Bom, Line, Progress, Undecodable, UnreadableFile, reason_of, stream_lines

BLOCK_BYTES = 256 * 1024


class Block(NamedTuple):
    """Whole lines of a file, without their ends. `start` is the index of the first character in the file's text, `number` its line."""

    texts: list[str]
    start: int
    number: int

    @property
    def lines(self) -> Iterator[Line]:
        """The lines with their places."""
        start = self.start
        for number, text in enumerate(self.texts, start=self.number):
            yield Line(text, start, number)
            start += len(text) + 1


class Odd(NamedTuple):
    """Lines that come one by one, and may raise `UnreadableFile`; to be read before the next block is asked for."""

    lines: Iterable[Line]


def stream_blocks(
    handle: BinaryIO, path: str, size: int, *, bom: Bom, undecodable: Undecodable, progress: Progress | None = None
) -> Iterator[Block | Odd]:
    """The lines of a UTF-8 file of any size, a block at a time. Raises `UnreadableFile`."""
    start, number, done = 0, 1, 0
    for raw in _raw_blocks(handle, path):
        texts = _plain_lines(raw, first=not done)
        if texts is not None:
            yield Block(texts, start, number)
            start += sum(map(len, texts)) + len(texts) - (not raw.endswith(b"\n"))
            number += len(texts)
        else:
            odd = _OddLines(raw, path, start, number, "keep" if done else bom, undecodable)
            yield Odd(odd)
            start, number = odd.start, odd.number
        done += len(raw)
        if progress:
            progress(done, max(size, done))


def _raw_blocks(handle: BinaryIO, path: str) -> Iterator[bytes]:
    """The bytes of the file in blocks that end where lines do; one that does not is the last, or holds a line that is too long."""
    while True:
        try:
            raw = handle.read(BLOCK_BYTES)
            if raw:
                raw += handle.readline(MAX_LINE_BYTES + 1) if not raw.endswith(b"\n") else b""
        except OSError as error:
            raise UnreadableFile(path, reason_of(error)) from None
        if not raw:
            return
        yield raw


def _plain_lines(raw: bytes, *, first: bool) -> list[str] | None:
    """The lines of a block; None where they must be read one by one."""
    if b"\r" in raw or b"\x00" in raw or (first and raw.startswith(BOM_UTF8)):
        return None
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return None
    texts = text.split("\n")
    if not texts[-1]:
        del texts[-1]
    if len(raw) > MAX_LINE_BYTES and any(len(line) * 4 >= MAX_LINE_BYTES for line in texts):
        return None
    return texts


class _OddLines:
    """The lines of one block by `stream_lines`, with their places in the file; `start` and `number` are those of what follows."""

    def __init__(self, raw: bytes, path: str, start: int, number: int, bom: Bom, undecodable: Undecodable) -> None:
        self.raw, self.path, self.bom, self.undecodable = raw, path, bom, undecodable
        self.start, self.number = start, number

    def __iter__(self) -> Iterator[Line]:
        start, number = self.start, self.number
        handle = io.BytesIO(self.raw)
        try:
            for line in stream_lines(handle, self.path, len(self.raw), bom=self.bom, undecodable=self.undecodable):
                yield Line(line.text, start + line.start, number + line.number - 1)
        except UnreadableFile as error:
            wrong = None if error.line is None else number + error.line - 1
            raise UnreadableFile(self.path, error.why, line=wrong, column=error.column, hint=error.hint) from None
        text = self.raw.removeprefix(BOM_UTF8 if self.bom == "strip" else b"").decode("utf-8", "surrogateescape")
        self.start = start + len(text)
        self.number = number + text.count("\n") + text.count("\r") - text.count("\r\n")
