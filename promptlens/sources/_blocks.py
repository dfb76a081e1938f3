"""A file of lines in blocks of many lines, which is quicker than line by line; the lines are those of `stream_lines`, to the character.

A block that is plain UTF-8 text with `\\n` at the ends of its lines comes as one list. Any other (`\\r`, bytes that are no text, a line
that is too long, a byte order mark) is read by `stream_lines` itself, which also says what is wrong with it and where.
"""

from __future__ import annotations

import io
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO, NamedTuple

from promptlens.sources._document import MAX_LINE_BYTES, Bom, Line, Progress, Undecodable, UnreadableFile, reason_of, stream_lines

BLOCK_BYTES = 64 * 1024


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


class Blocks:
    """A UTF-8 file of any size, a block of lines at a time.

    `raw` gives the bytes of the blocks. Each is then read by `lines`, or somebody else has, as told to `passed`; in their order, for
    `start` and `number` are where the next one's lines begin.
    """

    def __init__(
        self, handle: BinaryIO, path: str, size: int, *, bom: Bom, undecodable: Undecodable, progress: Progress | None = None
    ) -> None:
        self.start, self.number = 0, 1
        self._handle, self._path, self._size = handle, path, size
        self._bom, self._undecodable = bom, undecodable
        self._progress = progress
        self._done = 0

    def raw(self) -> Iterator[bytes | UnreadableFile]:
        """Blocks that end where lines do, but for the last and one with too long a line; where reading fails, at last what went wrong."""
        with self._handle as handle:
            while True:
                try:
                    raw = handle.read(BLOCK_BYTES)
                    if raw:
                        raw += handle.readline(MAX_LINE_BYTES + 1) if not raw.endswith(b"\n") else b""
                except OSError as error:
                    yield UnreadableFile(self._path, reason_of(error))
                    return
                if not raw:
                    return
                yield raw

    def lines(self, raw: bytes) -> Block | Odd:
        """The lines of the next block. Those that are `Odd` are to be read before anything else is asked for."""
        texts = None if not self._done and raw.startswith(BOM_UTF8) else plain_lines(raw)
        if texts is not None:
            block = Block(texts, self.start, self.number)
            self.passed(raw, len(texts), chars_of(texts, raw))
            return block
        odd = _OddLines(raw, self._path, "keep" if self._done else self._bom, self._undecodable, self)
        self._tell(raw)
        return Odd(odd)

    def passed(self, raw: bytes, lines: int, chars: int) -> None:
        """The next block has been read: so many lines and characters."""
        self.start += chars
        self.number += lines
        self._tell(raw)

    def _tell(self, raw: bytes) -> None:
        self._done += len(raw)
        if self._progress:
            self._progress(self._done, max(self._size, self._done))


def plain_lines(raw: bytes) -> list[str] | None:
    """The lines of a block, which does not begin with a byte order mark; None where they must be read one by one."""
    if b"\r" in raw or b"\x00" in raw:
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


def chars_of(texts: Sequence[str], raw: bytes) -> int:
    """How many characters a block of these lines has, with the ends of the lines."""
    return sum(map(len, texts)) + len(texts) - (not raw.endswith(b"\n"))


class _OddLines:
    """The lines of one block by `stream_lines`, with their places in the file; the blocks are told where the next one begins."""

    def __init__(self, raw: bytes, path: str, bom: Bom, undecodable: Undecodable, blocks: Blocks) -> None:
        self.raw, self.path, self.bom, self.undecodable = raw, path, bom, undecodable
        self.blocks = blocks

    def __iter__(self) -> Iterator[Line]:
        start, number = self.blocks.start, self.blocks.number
        handle = io.BytesIO(self.raw)
        try:
            for line in stream_lines(handle, self.path, len(self.raw), bom=self.bom, undecodable=self.undecodable):
                yield Line(line.text, start + line.start, number + line.number - 1)
        except UnreadableFile as error:
            wrong = None if error.line is None else number + error.line - 1
            raise UnreadableFile(self.path, error.why, line=wrong, column=error.column, hint=error.hint) from None
        text = self.raw.removeprefix(BOM_UTF8 if self.bom == "strip" else b"").decode("utf-8", "surrogateescape")
        self.blocks.start = start + len(text)
        self.blocks.number = number + text.count("\n") + text.count("\r") - text.count("\r\n")
