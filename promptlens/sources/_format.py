"""What a format is: `Format`, the row that each file of this folder defines, and the settings its reader gets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

from promptlens.sources._document import HEAD_BYTES, MAX_BYTES, Bom, Document, Line, Progress, Undecodable
from promptlens.sources._prompt import Item, Prompt, Role

# "prompt": goes to the model as it is; "style": is joined to what the user types; "wildcard": is one of several texts put into a prompt;
# "caption": describes a training image
Kind = Literal["prompt", "style", "wildcard", "caption"]


@dataclass(frozen=True, slots=True)
class ReadSettings:
    """How to read, where there is a choice.

    unit        what one prompt is in a .txt file: a line (the default) or the file
    keys        (key path, role) of the prompts in JSON, JSONL, YAML, TOML and CSV files (_keys.py says how paths are written)
    every_line  kohya's enable_wildcard: every line of a caption file is used, one at random each time; otherwise the first only
    max_bytes   the largest file that is read whole; files of one prompt a line have no limit
    progress    called with the bytes read so far and the size of the file, a few times a megabyte at most
    """

    unit: Literal["line", "file"] = "line"
    keys: tuple[tuple[str, Role], ...] = ()
    every_line: bool = False
    max_bytes: int = MAX_BYTES
    progress: Progress | None = None


DEFAULT_SETTINGS = ReadSettings()


@dataclass(frozen=True, slots=True)
class Head:
    """The first bytes of a file, by which formats are told apart. `whole`: there are no others."""

    content: bytes

    @property
    def whole(self) -> bool:
        """True when this is the whole file."""
        return len(self.content) < HEAD_BYTES

    @property
    def text(self) -> str:
        """The bytes as text, without a byte order mark; bytes that are not UTF-8 are left out."""
        if self.content[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return self.content.decode("utf-16", "ignore")
        return self.content.decode("utf-8-sig", "ignore")


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file with prompts in it.

    names      patterns of file names (lower case) that are of this format whatever is in them
    suffixes   of the files that `detects` is asked about
    detects    (path, head) -> whether this is one, by its content or what is beside it
    rank       formats are asked in this order, smallest first
    roles      the roles that its prompts can have
    read, read_lines, read_bytes   exactly one of them: a reader of whole documents, of lines in flat memory, or of bytes
    plain_texts  (the text of a short file with LF line ends, settings) -> the texts of its prompts, none where more is to be said
    prompt     of formats in which each line is read apart: the prompt of a line, None where there is none
    bom, undecodable               what the host does with a byte order mark and with bytes that are not UTF-8
    comment    what begins a comment line, "" where there are none
    host       the host that such files are made for, "" where several read them
    of_one_name  what becomes of a name that two such files have; "" where that is nothing
    """

    name: str
    title: str
    summary: str
    kind: Kind = "prompt"
    names: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()
    detects: Callable[[PurePath, Head], bool] | None = None
    rank: int = 50
    roles: tuple[Role, ...] = ("positive", "negative")
    read: Callable[[Document, ReadSettings], Iterator[Item]] | None = None
    read_lines: Callable[[str, Iterable[Line], ReadSettings], Iterator[Item]] | None = None
    read_bytes: Callable[[str, bytes, ReadSettings], Iterator[Item]] | None = None
    plain_texts: Callable[[str, ReadSettings], list[str]] | None = None
    prompt: Callable[[str, Line], Prompt | None] | None = None
    bom: Bom = "strip"
    undecodable: Undecodable = "strict"
    comment: str = ""
    host: str = ""
    of_one_name: str = ""
