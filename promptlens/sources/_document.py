"""A file as text: read within bounds, decoded without losing a byte, with lines and columns, and turned back into bytes.

`Document.text` is the file character by character (newlines as they are); `to_bytes` gives back the very bytes it was read from. Every
reason why a file cannot be read is one `UnreadableFile`. It leaves out what the text means: that is the format's.
"""

from __future__ import annotations

import os
import re
import stat
from bisect import bisect_right
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import BinaryIO, Literal

from promptlens.errors import InputError

Bom = Literal["strip", "keep"]
Undecodable = Literal["strict", "ignore"]

MAX_BYTES = 64 * 1024 * 1024  # of a file that must be read whole; a workflow is some 50 kB, the metadata of 100,000 images some 40 MB
MAX_LINE_BYTES = 4 * 1024 * 1024  # of a file read line by line; the longest window of any host is a few thousand tokens
HEAD_BYTES = 64 * 1024  # what formats are told apart by
LONGEST_REASON = 300  # characters of an error message that quotes a file
_PROGRESS_BYTES = 1024 * 1024
_TOO_LARGE = "Raise max-file-size in the settings, split the file, or keep one prompt a line in a .txt file, which has no limit."

_BOMS = ((BOM_UTF8, "utf-8"), (b"\xff\xfe\x00\x00", "utf-32-le"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_NEWLINE = re.compile("\r\n|\r|\n")
UNDECODABLE = re.compile("[\udc80-\udcff]")  # what `undecodable="ignore"` makes of bytes that are not UTF-8

Progress = Callable[[int, int], None]


def shown(text: str) -> str:
    r"""The text on one line, with control characters written out.

    >>> shown("a\nb")
    'a\\nb'
    """
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def shortened(text: str, most: int) -> str:
    """The text, or its beginning and an ellipsis."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


class UnreadableFile(InputError):
    """A file that cannot be read as its format says: where, why, and the way out, on one line."""

    def __init__(self, path: str, why: str, *, line: int | None = None, column: int | None = None, hint: str = "") -> None:
        self.path = path
        self.line = line
        self.column = column
        self.why = shown(shortened(why, LONGEST_REASON)).rstrip(".")
        self.hint = hint
        where = path if line is None else f"{path}:{line}" if column is None else f"{path}:{line}:{column}"
        super().__init__(f"{shown(where)}: {self.why}." + (f" {hint}" if hint else ""))


@dataclass(frozen=True, slots=True)
class Document:
    """A whole file in memory. `newline` is what its lines end with (the first one's end, `\\n` where there is none)."""

    path: str
    text: str
    encoding: str = "utf-8"
    bom: bytes = b""
    _starts: list[int] = field(default_factory=list, repr=False, compare=False)

    @property
    def newline(self) -> str:
        """What a line that is put in should end with."""
        found = _NEWLINE.search(self.text)
        return found[0] if found else "\n"

    def position(self, index: int) -> tuple[int, int]:
        r"""Line and column of an index, counted from 1; `\n`, `\r\n` and `\r` end lines."""
        if not self._starts:
            self._starts.append(0)
            self._starts.extend(m.end() for m in _NEWLINE.finditer(self.text))
        line = bisect_right(self._starts, index)
        return line, index - self._starts[line - 1] + 1

    def unreadable(self, index: int, why: str, *, hint: str = "") -> UnreadableFile:
        """The error for something wrong at an index of the text."""
        line, column = self.position(min(max(index, 0), len(self.text)))
        return UnreadableFile(self.path, why, line=line, column=column, hint=hint)

    def with_text(self, text: str) -> Document:
        """The same file with other text."""
        return replace(self, text=text, _starts=[])

    def to_bytes(self) -> bytes:
        """The file's bytes; raises `UnicodeEncodeError` for text that its encoding cannot write."""
        return self.bom + self.text.encode(self.encoding, "surrogateescape" if self.encoding == "utf-8" else "strict")


def decode(path: str, content: bytes, *, bom: Bom = "strip", undecodable: Undecodable = "strict") -> Document:
    """The document of a file's bytes.

    UTF-8, or UTF-16 with a byte order mark. `bom="keep"` leaves the mark of UTF-8 in the text, as hosts do that read plain UTF-8.
    `undecodable="ignore"` is for hosts that drop bytes that are not UTF-8: they stay in the text as lone surrogates, so that they can be
    written back.
    """
    mark, encoding = next(((m, e) for m, e in _BOMS if content.startswith(m)), (b"", "utf-8"))
    if encoding == "utf-32-le":
        raise UnreadableFile(path, "it is UTF-32 text, which no host reads", hint="Save it as UTF-8.")
    if not mark and b"\x00" in content[:HEAD_BYTES]:
        raise UnreadableFile(path, "it is not text: it holds zero bytes", hint="Save it as UTF-8 text.")
    body = content[len(mark) :]
    try:
        text = body.decode(encoding, "surrogateescape" if undecodable == "ignore" and encoding == "utf-8" else "strict")
    except UnicodeDecodeError as error:
        raise _undecodable(path, body, error) from None
    if mark and bom == "keep" and encoding == "utf-8":
        return Document(path, "\ufeff" + text, encoding)
    return Document(path, text, encoding, mark)


def _undecodable(path: str, body: bytes, error: UnicodeDecodeError) -> UnreadableFile:
    before = body[: error.start].decode(error.encoding, "replace")
    line, column = Document(path, before).position(len(before))
    what = f"byte 0x{body[error.start]:02X} is not {error.encoding.upper()} text" if error.start < len(body) else "the text ends too early"
    return UnreadableFile(path, what, line=line, column=column, hint="Save the file as UTF-8.")


_EDGES = re.compile(r"[\s\udc80-\udcff]*+(.*?)[\s\udc80-\udcff]*", re.DOTALL)


def trimmed(text: str) -> tuple[int, str]:
    r"""A text without white space and undecodable bytes at its ends, and how many characters went before it.

    >>> trimmed(" a cat \udce9")
    (1, 'a cat')
    """
    if text.isascii():
        inner = text.strip()
        return (text.index(inner), inner) if inner else (len(text), "")
    found = _EDGES.fullmatch(text)
    return (found.start(1), found[1]) if found else (0, text)


def open_file(path: str) -> tuple[BinaryIO, int]:
    """The file, open for reading, and its size in bytes; only regular files."""
    try:
        handle = open(path, "rb", opener=_opener)  # noqa: SIM115 - the caller closes it
    except IsADirectoryError:
        raise UnreadableFile(path, "it is a folder", hint="Give the name of a file.") from None
    except OSError as error:
        raise UnreadableFile(path, reason_of(error)) from None
    except ValueError:  # a zero character in the name
        raise UnreadableFile(path, "no file can have this name") from None
    status = os.fstat(handle.fileno())
    if not stat.S_ISREG(status.st_mode):
        handle.close()
        raise UnreadableFile(path, "it is not a regular file")
    return handle, status.st_size


def _opener(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))  # opening a named pipe would wait for a writer


def reason_of(error: OSError) -> str:
    """What the system says, as the end of a sentence."""
    return (error.strerror or type(error).__name__).lower()


def read_bytes(handle: BinaryIO, path: str, size: int, max_bytes: int, progress: Progress | None = None) -> bytes:
    """The rest of the file, if it is no larger than `max_bytes`."""
    limit = f"it is larger than {max_bytes:,} bytes, the most that is read whole"
    if size > max_bytes:
        raise UnreadableFile(path, limit, hint=_TOO_LARGE)
    try:
        content = handle.read(max_bytes + 1)
    except OSError as error:
        raise UnreadableFile(path, reason_of(error)) from None
    if len(content) > max_bytes:
        raise UnreadableFile(path, limit, hint=_TOO_LARGE)
    if progress:
        progress(len(content), max(size, len(content)))
    return content


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file without its end; `start` is the index of its first character in the file's text, `number` counts from 1."""

    text: str
    start: int
    number: int


def document_lines(document: Document) -> Iterator[Line]:
    """The lines of a document that is in memory."""
    start = 0
    for number, found in enumerate(_NEWLINE.finditer(document.text), start=1):
        yield Line(document.text[start : found.start()], start, number)
        start = found.end()
    if start < len(document.text):
        yield Line(document.text[start:], start, document.position(start)[0])


def stream_lines(
    handle: BinaryIO, path: str, size: int, *, bom: Bom, undecodable: Undecodable, progress: Progress | None = None
) -> Iterator[Line]:
    """The lines of a UTF-8 file of any size, in flat memory: the same ones as `document_lines` gives for the whole file."""
    start, number, done, told = 0, 1, 0, 0
    while True:
        try:
            raw = handle.readline(MAX_LINE_BYTES + 1)
        except OSError as error:
            raise UnreadableFile(path, reason_of(error)) from None
        if not raw:
            break
        if len(raw) > MAX_LINE_BYTES:
            raise UnreadableFile(path, f"this line is longer than {MAX_LINE_BYTES:,} bytes: it is no prompt", line=number)
        done += len(raw)
        if not start and bom == "strip":
            raw = raw.removeprefix(BOM_UTF8)
            if not raw:  # the mark is all there is
                break
        part = _decode_line(raw, path, number, undecodable)
        if "\r" not in part:
            yield Line(part.removesuffix("\n"), start, number)
            number += 1
        else:
            for line in document_lines(Document(path, part)):
                yield Line(line.text, line.start + start, number + line.number - 1)
            number += len(_NEWLINE.findall(part))
        start += len(part)
        if progress and done - told >= _PROGRESS_BYTES:
            progress(done, size)
            told = done
    if progress:
        progress(done, max(size, done))


def _decode_line(raw: bytes, path: str, number: int, undecodable: Undecodable) -> str:
    if b"\x00" in raw:
        raise UnreadableFile(path, "it is not text: it holds zero bytes", line=number, hint="Save it as UTF-8 text.")
    try:
        return raw.decode("utf-8", "surrogateescape" if undecodable == "ignore" else "strict")
    except UnicodeDecodeError as error:
        wrong = _undecodable(path, raw, error)
        line = number + (wrong.line or 1) - 1
        raise UnreadableFile(path, wrong.why, line=line, column=wrong.column, hint=wrong.hint) from None
