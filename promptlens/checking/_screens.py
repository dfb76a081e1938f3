"""The quick road of `check`: prompts in which nothing is found are counted, and the others analysed.

Files of one prompt a line, and captions, go this way: most of their prompts stay in a sieve (_sieve.py), and only what comes through is
analysed. Many files, and large ones, are shared with helper processes (_crew.py). Whatever is out of the ordinary in a file (an odd
encoding, comments that silence rules) is left to _entries.py.
"""

from __future__ import annotations

import os
import stat
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any

from promptlens.checking._crew import Crew
from promptlens.checking._directives import MARK, directives_at
from promptlens.checking._entries import Entries, Plan, check_file, format_of, has_comments, unreadable
from promptlens.checking._long_files import LongFile, looked_at
from promptlens.checking._parcels import unpacked_items
from promptlens.checking._sharing import Found, Group, Remark, shared
from promptlens.checking._sieve import Sieve
from promptlens.errors import PromptLensError
from promptlens.render import Clean, Entry, Item, Trouble
from promptlens.sources import FORMATS, Document, Format, Notice, UnreadableFile, detect, read_blocks, read_document
from promptlens.sources._document import HEAD_BYTES
from promptlens.terminal import talk

# A file has a helper for so many of its bytes.
HELPER_BYTES = 256 * 1024
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


class Screens:
    """The sieves of a run. Its first prompt is always an entry of its own: if there is no other, it is shown on a page."""

    def __init__(self) -> None:
        self.begun = False
        self.tells = False  # whether others are told what is found out
        self._done = 0  # bytes of files that were looked at here
        self._sieves: dict[tuple[int, str, str | None, bool], tuple[Plan, Sieve | None]] = {}

    def items(self, path: str, plan: Plan, *, named: bool = True, crew: Crew | None = None) -> Iterator[Item]:
        """What `check_file` gives, with numbers of prompts in which nothing is found. `crew` helps with a large file."""
        head, size = _head(path)
        large = size >= HEAD_BYTES
        self._done += size or len(head)
        found = self._large(path, size, plan, named, crew) if large else self._of_short(path, head, plan, named)
        if isinstance(found, int):
            yield Clean(found, path)
            return
        for item in found:
            self.begun = self.begun or isinstance(item, Entry)
            yield item

    def of_files(self, files: Iterable[Found], crew: Crew) -> Iterator[Item]:
        """What `items` gives for each file, and each trouble in its place, where remarks are told too."""
        if crew.over:
            groups: Iterator[tuple[Group, Any]] = (([file], None) for file in files)
        else:
            ahead, enough = iter(files), crew.enough
            first = list(islice(ahead, enough.files))
            many = len(first) == enough.files
            groups = shared(chain(first, ahead), crew, lambda: self.begun and (many or self._done >= enough.bytes))
        for group, answer in groups:
            for n, file in enumerate(group):
                known = answer[n] if answer else None
                if isinstance(file, Remark):
                    talk("note", file.message)
                elif isinstance(file, Trouble):
                    yield file
                elif isinstance(known, int):
                    yield Clean(known, file.path)
                elif known is None:
                    yield from self.items(file.path, file.plan, named=file.named, crew=crew)
                else:
                    yield from unpacked_items(known, file.path)

    def of_short_file(self, path: str, plan: Plan, *, named: bool) -> int | Iterator[Item] | None:
        """What `items` gives for a file that is no long one, or how many prompts it has in which nothing is found; None for long ones."""
        head, size = _head(path)
        return None if size >= HEAD_BYTES else self._of_short(path, head, plan, named)

    def _of_short(self, path: str, head: bytes, plan: Plan, named: bool) -> int | Iterator[Item]:
        short = self._short(path, head, plan) if self.begun else None
        return check_file(path, plan, named=named) if short is None else short

    def _short(self, path: str, content: bytes, plan: Plan) -> int | Iterator[Item] | None:
        """What there is to say of a short file, or the number of its prompts; None where that is left to `check_file`."""
        if b"\r" in content or b"\x00" in content or content.startswith(BOM_UTF8) or MARK in content.lower():
            return None
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError:
            return None
        row = FORMATS[plan.format] if plan.format else detect(path, content, plan.read)
        sieve = self.sieve(plan, row) if text and row is not None and row.plain_texts else None
        if row is None or sieve is None or row.plain_texts is None:
            return None
        texts = row.plain_texts(text, plan.read)
        if texts and all(map(sieve.is_clean, texts)):
            return len(texts)
        return _of_text(text, row, sieve, Entries(row, plan, path))

    def _large(self, path: str, size: int, plan: Plan, named: bool, crew: Crew | None) -> Iterator[Item]:
        """What `check_file` gives for a file of many lines."""
        try:
            row = format_of(path, plan, named=named)
            if row is not None and row.prompt and not (has_comments(row, plan) and directives_at(path)):
                sieve = self.sieve(plan, row)
                blocks = read_blocks(path, row, plan.read) if sieve else None
                if sieve is not None and blocks is not None:
                    asked = crew is not None and not crew.over and max(size, self._done) >= crew.enough.bytes
                    file = LongFile(blocks, row, sieve, Entries(row, plan, path), begun=self.begun)
                    yield from file.items(crew.most(size // HELPER_BYTES) if crew and asked else None)
                    return
        except UnreadableFile as error:
            yield from unreadable(error, plan)
            return
        yield from check_file(path, plan, named=named)

    def sieves(self, plan: Plan | None = None) -> Iterator[tuple[str, Sieve]]:
        """The sieves that there are (of a plan), with the names of the formats."""
        for key, (_, sieve) in self._sieves.items():
            if sieve is not None and (plan is None or key == _key(plan, key[1])):
                yield key[1], sieve

    def sieve(self, plan: Plan, row: Format) -> Sieve | None:
        """The sieve of the prompts of a format; None where there is none."""
        key = _key(plan, row.name)
        known = self._sieves.get(key)
        if known is None:
            try:
                screen = plan.job_of(row).screen(plan.role or row.roles[0])
            except PromptLensError:  # it is said where the prompts are analysed
                screen = None
            sieve = Sieve(screen, tells=self.tells) if screen else None
            known = self._sieves[key] = (plan, sieve)  # the plan is kept, so that no other job has the number of its job
        return known[1]


def _key(plan: Plan, name: str) -> tuple[int, str, str | None, bool]:
    """What the sieve of a format depends on."""
    return id(plan.job), name, plan.role, plan.any_host


def _of_text(text: str, row: Format, sieve: Sieve, entries: Entries) -> Iterator[Item]:
    """What there is to say of a short file, of which only the prompts are looked at that must be."""
    for item in read_document(Document(entries.name, text), row, entries.reader.plan.read):
        if isinstance(item, Notice):
            yield from entries.notes(item)
        else:
            yield from looked_at(item, sieve, entries, item.text)
    yield from entries.rest()


def _head(path: str) -> tuple[bytes, int]:
    """The content of a short file, and the size of a long one; nothing of what cannot be read."""
    try:
        handle = os.open(path, _FLAGS)
    except (OSError, ValueError):
        return b"", 0
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            return b"", 0
        if status.st_size >= HEAD_BYTES:
            return b"", status.st_size
        content = os.read(handle, HEAD_BYTES)
        return (content, 0) if len(content) == status.st_size else (b"", 0)
    except OSError:
        return b"", 0
    finally:
        os.close(handle)
