"""Sources: files with prompts in them, and the way back into the file.

Each format is one file of this folder with a module-level `FORMAT`; `FORMATS` is made by walking the folder. `read` finds out what a file
is, by its name and then by its content, and yields each prompt of it with its place, and notices of what the host ignores. What the text
of a prompt means is the host's business.

    read_prompts(path)                         the prompts of a file
    read(path)                                 prompts and notices
    rewrite(document, changes, format)         the document after edits of several prompts, read again to see that it says what was meant

A file that cannot be read raises one `UnreadableFile`, whatever is wrong with it.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import translate
from pathlib import PurePath

from promptlens.errors import UnknownNameError
from promptlens.sources._blocks import Block, Blocks, Odd
from promptlens.sources._codec import Edit, NotWritable
from promptlens.sources._document import (
    HEAD_BYTES,
    Document,
    Line,
    UnreadableFile,
    decode,
    document_lines,
    open_file,
    read_bytes,
    stream_lines,
)
from promptlens.sources._format import DEFAULT_SETTINGS, Format, Head, ReadSettings
from promptlens.sources._prompt import Item, Notice, Piece, Place, Prompt, Role, apply, file_edits, replace_text, splice

__all__ = [
    "FORMATS",
    "Block",
    "Blocks",
    "Document",
    "Format",
    "NotWritable",
    "Notice",
    "Odd",
    "Piece",
    "Place",
    "Prompt",
    "ReadSettings",
    "Role",
    "UnreadableFile",
    "detect",
    "load_document",
    "prompt_of_line",
    "read",
    "read_blocks",
    "read_content",
    "read_document",
    "read_prompts",
    "replace_text",
    "rewrite",
    "splice",
]

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
KEYED_SUFFIXES = (".json", ".jsonl", ".ndjson", ".yaml", ".yml", ".toml", ".csv")


class Formats(Mapping[str, Format]):
    """The table of formats. A row is imported when it is first looked up; an unknown name gets a helpful error."""

    def __init__(self) -> None:
        self._modules = {m.name.replace("_", "-"): m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_")}
        self._rows: dict[str, Format] = {}
        self._ranked: tuple[Format, ...] = ()
        self._names: re.Pattern[str] | None = None

    def __getitem__(self, name: str) -> Format:
        row = self._rows.get(name)
        if row is None:
            if name not in self._modules:
                raise UnknownNameError("format", name, self)
            row = self._rows[name] = importlib.import_module(f"{__name__}.{self._modules[name]}").FORMAT
        return row

    def __contains__(self, name: object) -> bool:
        return name in self._modules

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._modules))

    def __len__(self) -> int:
        return len(self._modules)

    def ranked(self) -> tuple[Format, ...]:
        """All rows in the order in which they are asked about a file; made once for many files."""
        if not self._ranked:
            self._ranked = tuple(sorted(self.values(), key=lambda f: (f.rank, f.name)))
        return self._ranked

    def of_name(self, name: str) -> Format | None:
        """The first row that a file of this name (small letters) is of, whatever is in it."""
        if self._names is None:
            rows = [(n, "|".join(map(translate, row.names))) for n, row in enumerate(self.ranked()) if row.names]
            self._names = re.compile("|".join(f"(?P<row{n}>{pattern})" for n, pattern in rows))
        found = self._names.match(name)
        return self.ranked()[int((found.lastgroup or "")[3:])] if found else None


FORMATS = Formats()


UNTOLD_HINT = "Give it one of the names that `promptlens formats` lists, or name its format (as_format, --as)."


def detect(path: str | os.PathLike[str], head: bytes, settings: ReadSettings = DEFAULT_SETTINGS) -> Format | None:
    """The format of a file, by its name, then by its first bytes; None when it is none that holds prompts."""
    if settings.keys:
        suffix = PurePath(path).suffix.lower()
        if suffix in KEYED_SUFFIXES:
            return FORMATS["jsonl" if suffix in (".jsonl", ".ndjson") else "keyed"]
    named = FORMATS.of_name(os.path.basename(path).lower())
    if named is not None:
        return named
    pure, ranked = PurePath(path), FORMATS.ranked()
    suffix = pure.suffix.lower()
    start = Head(head)
    for row in ranked:
        if row.detects and suffix in row.suffixes and row.detects(pure, start):
            return row
    if suffix == ".txt":
        return FORMATS["text" if settings.unit == "file" else "lines"]
    known = {s for row in ranked for s in row.suffixes}
    if suffix not in known:
        return next((row for row in ranked if row.detects and row.detects(pure, start)), None)
    return None


def read(path: str | os.PathLike[str], *, as_format: str | None = None, settings: ReadSettings = DEFAULT_SETTINGS) -> Iterator[Item]:
    """The prompts of a file, in its order, with notices of what is in it besides. `as_format` names a row of `FORMATS`."""
    name = os.fspath(path)
    row = FORMATS[as_format] if as_format else None
    handle, size = open_file(name)
    with handle:
        head = read_bytes(handle, name, 0, HEAD_BYTES, None) if size <= HEAD_BYTES else handle.read(HEAD_BYTES)
        row = row or detect(name, head, settings)
        if row is None:
            raise UnreadableFile(name, "its name and content do not say what it is", hint=UNTOLD_HINT)
        handle.seek(0)
        if row.read_lines and head[:2] not in _UTF_16:
            lines = stream_lines(handle, name, size, bom=row.bom, undecodable=row.undecodable, progress=settings.progress)
            yield from (_named(item, row) for item in row.read_lines(name, lines, settings))
            return
        content = read_bytes(handle, name, size, settings.max_bytes, settings.progress)
    yield from read_content(name, content, row, settings)


def read_content(name: str, content: bytes, row: Format, settings: ReadSettings = DEFAULT_SETTINGS) -> Iterator[Item]:
    """The prompts and notices of a file's bytes, however they came; `name` is what it is called."""
    if row.read_bytes:
        yield from (_named(item, row) for item in row.read_bytes(name, content, settings))
    else:
        yield from read_document(decode(name, content, bom=row.bom, undecodable=row.undecodable), row, settings)


def read_blocks(path: str, row: Format, settings: ReadSettings = DEFAULT_SETTINGS) -> Blocks | None:
    """The lines of a file in blocks of many, for a format with a `prompt` for each; None where `read` must read the file."""
    handle, size = open_file(path)
    if handle.read(2) in _UTF_16:
        handle.close()
        return None
    handle.seek(0)
    return Blocks(handle, path, size, bom=row.bom, undecodable=row.undecodable, progress=settings.progress)


def prompt_of_line(path: str, line: Line, row: Format) -> Prompt | None:
    """The prompt of a line, as `read` gives it, for a format with a `prompt` for each."""
    prompt = row.prompt(path, line) if row.prompt else None
    return None if prompt is None else replace(prompt, format=row.name)


def _named(item: Item, row: Format) -> Item:
    return replace(item, format=row.name) if isinstance(item, Prompt) else item


def read_document(document: Document, row: Format, settings: ReadSettings = DEFAULT_SETTINGS) -> Iterator[Item]:
    """The prompts and notices of a file that is in memory (standard input, or one that was edited)."""
    if row.read_lines:
        items = row.read_lines(document.path, document_lines(document), settings)
    elif row.read:
        items = row.read(document, settings)
    else:
        raise UnreadableFile(document.path, f"{row.title} is read from files only")
    yield from (_named(item, row) for item in items)


def read_prompts(
    path: str | os.PathLike[str], *, as_format: str | None = None, settings: ReadSettings = DEFAULT_SETTINGS
) -> Iterator[Prompt]:
    """The prompts of a file, in its order; raises `UnreadableFile` (a `PromptLensError`) where it cannot be read.

    `as_format` names a row of `FORMATS`; without it, name and content say what the file is. A `Prompt` has `text`, `path`, `line` and
    `column` (from 1), `role`, `key`, and `locate(offset)`: line and column in the file of one of its characters. `computed` says what makes
    a text that is not in the file, `skipped` why the host does not use one.
    """
    return (item for item in read(path, as_format=as_format, settings=settings) if isinstance(item, Prompt))


def load_document(path: str | os.PathLike[str], row: Format, settings: ReadSettings = DEFAULT_SETTINGS) -> Document:
    """A whole file in memory, decoded as its format's host decodes it: what `rewrite` needs."""
    name = os.fspath(path)
    handle, size = open_file(name)
    with handle:
        content = read_bytes(handle, name, size, settings.max_bytes)
    return decode(name, content, bom=row.bom, undecodable=row.undecodable)


def rewrite(
    document: Document, changes: Iterable[tuple[Prompt, Sequence[Edit]]], row: Format, settings: ReadSettings = DEFAULT_SETTINGS
) -> Document:
    """The document after edits of its prompts: (start, end, replacement) in the prompt's text, not overlapping.

    Every character outside the edits is kept. The result is read again: unless each prompt says exactly what was meant, `NotWritable`.
    """
    before = [p for p in read_document(document, row, settings) if isinstance(p, Prompt)]
    index = {prompt: i for i, prompt in enumerate(before)}
    wanted: list[str | None] = [p.text for p in before]
    edits: list[Edit] = []
    for prompt, own in changes:
        if prompt not in index:
            raise NotWritable(f"{document.path}: the file has changed since it was read; read it again.")
        edits += file_edits(prompt, own)
        wanted[index[prompt]] = apply(prompt.text, own)
    touched = {start for start, _, _ in edits}
    for i, prompt in enumerate(before):  # texts that stand in the same place change too
        if wanted[i] == prompt.text and any(p.place and p.place.start in touched for p in prompt.pieces):
            wanted[i] = None
    after = document.with_text(apply(document.text, edits))
    if not _says(after, wanted, row, settings):
        raise NotWritable(f"{document.path}: its format cannot hold the new text where the prompt stands.")
    return after


def _says(document: Document, wanted: Sequence[str | None], row: Format, settings: ReadSettings) -> bool:
    """Whether the file, written and read again, has these texts (None: any)."""
    try:
        again = decode(document.path, document.to_bytes(), bom=row.bom, undecodable=row.undecodable)
        texts = [item.text for item in read_document(again, row, settings) if isinstance(item, Prompt)]
    except (UnreadableFile, UnicodeEncodeError):
        return False
    return len(texts) == len(wanted) and all(want is None or want == text for want, text in zip(wanted, texts, strict=True))
