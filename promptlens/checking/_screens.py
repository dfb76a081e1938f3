"""The quick road of `check`: prompts in which nothing is found are counted, and the others analysed.

Files of one prompt a line, and captions, go this way: most of their prompts stay in a sieve (_sieve.py), and only what comes through is
analysed. Whatever is out of the ordinary in a file (an odd encoding, comments that silence rules) is left to _entries.py.
"""

from __future__ import annotations

import os
import stat
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from itertools import chain, islice

from promptlens.checking._crew import Crew, Request
from promptlens.checking._directives import MARK, directives_at
from promptlens.checking._entries import Entries, Plan, check_file, format_of, has_comments, unreadable
from promptlens.checking._parcels import unpacked, unpacked_items
from promptlens.checking._sharing import File, shared
from promptlens.checking._sieve import Sieve
from promptlens.errors import PromptLensError
from promptlens.render import Clean, Entry, Item, Trouble
from promptlens.sources import (
    FORMATS,
    Block,
    Document,
    Format,
    Notice,
    Odd,
    Prompt,
    UnreadableFile,
    detect,
    prompt_of_line,
    read_blocks,
    read_document,
)
from promptlens.sources._document import HEAD_BYTES

# Where helpers are asked: it takes a quarter of a second to start them. Of a large file the first blocks show whether its lines repeat.
MANY_FILES = 20_000
MANY_BYTES = 4 * 1024 * 1024
FIRST_BLOCKS = 2
# A file has a helper for so many of its bytes.
HELPER_BYTES = 1024 * 1024
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


class Screens:
    """The sieves of a run. Its first prompt is always an entry of its own: if there is no other, it is shown on a page."""

    def __init__(self) -> None:
        self.begun = False
        self._sieves: dict[tuple[int, str, str | None, bool], tuple[Plan, Sieve | None]] = {}

    def items(self, path: str, plan: Plan, *, named: bool = True, crew: Crew | None = None) -> Iterator[Item]:
        """What `check_file` gives, with numbers of prompts in which nothing is found. `crew` helps with a large file."""
        head, size = _head(path)
        large = size >= HEAD_BYTES
        for item in self._large(path, size, plan, named, crew) if large else self._of_short(path, head, plan, named):
            self.begun = self.begun or isinstance(item, Entry)
            yield item

    def of_files(self, files: Iterable[File | Trouble], crew: Crew) -> Iterator[Item]:
        """What `items` gives for each file, and each trouble in its place."""
        ahead = iter(files)
        first = [] if crew.over else list(islice(ahead, MANY_FILES))
        many = len(first) == MANY_FILES
        for group, answer in shared(chain(first, ahead), crew if many else None, lambda: self.begun):
            for n, file in enumerate(group):
                known = answer[n] if answer else None
                if isinstance(file, Trouble):
                    yield file
                elif known is None:
                    yield from self.items(file.path, file.plan, named=file.named, crew=None if many else crew)
                else:
                    yield from (Clean(known, file.path),) if isinstance(known, int) else unpacked_items(known, file.path)

    def of_short_file(self, path: str, plan: Plan, *, named: bool) -> Iterator[Item] | None:
        """What `items` gives for a file that is no long one; None for those that are."""
        head, size = _head(path)
        return None if size >= HEAD_BYTES else self._of_short(path, head, plan, named)

    def _of_short(self, path: str, head: bytes, plan: Plan, named: bool) -> Iterator[Item]:
        short = self._short(path, head, plan) if self.begun else None
        return check_file(path, plan, named=named) if short is None else short

    def _short(self, path: str, content: bytes, plan: Plan) -> Iterator[Item] | None:
        """What there is to say of a short file; None where that is left to `check_file`."""
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
            return iter((Clean(len(texts), path),))
        return _of_text(text, row, sieve, Entries(row, plan, path))

    def _large(self, path: str, size: int, plan: Plan, named: bool, crew: Crew | None) -> Iterator[Item]:
        """What `check_file` gives for a file of many lines."""
        try:
            row = format_of(path, plan, named=named)
            if row is not None and row.prompt and not (has_comments(row, plan) and directives_at(path)):
                sieve = self.sieve(plan, row)
                blocks = read_blocks(path, row, plan.read) if sieve else None
                if sieve is not None and blocks is not None:
                    entries = Entries(row, plan, path)
                    if crew is not None and not crew.over and size >= MANY_BYTES:
                        blocks = self._known_ahead(blocks, row, sieve, plan, crew.most(size // HELPER_BYTES))
                    yield from self._of_blocks(blocks, row, sieve, entries)
                    return
        except UnreadableFile as error:
            yield from unreadable(error, plan)
            return
        yield from check_file(path, plan, named=named)

    def _of_blocks(self, blocks: Iterator[Block | Odd], row: Format, sieve: Sieve, entries: Entries) -> Iterator[Item]:
        begun = self.begun
        try:
            for block in blocks:
                left, clean = sieve.left(block, begun) if isinstance(block, Block) else (block.lines, 0)
                for line in left:
                    if begun and sieve.is_known(line.text):
                        yield from entries.sent([Clean(1, entries.name)])  # at once: the next line may be one that cannot be read
                        continue
                    prompt = prompt_of_line(entries.name, line, row)
                    if prompt is not None:
                        yield from _looked_at(prompt, sieve, entries, line.text if begun else None)
                        begun = True
                if clean:
                    yield from entries.sent([Clean(clean, entries.name)])
        except UnreadableFile:
            yield from entries.rest()
            raise
        yield from entries.rest()

    def _known_ahead(self, blocks: Iterator[Block | Odd], row: Format, sieve: Sieve, plan: Plan, crew: Crew) -> Iterator[Block | Odd]:
        """The blocks, with what helpers say of their lines in the sieve."""
        number = crew.number(plan)

        def asked() -> Iterator[tuple[tuple[Block | Odd, list[str]], Plan, Request | None]]:
            for n, block in enumerate(blocks):
                lines = sieve.unknown(block) if isinstance(block, Block) and self.begun and n >= FIRST_BLOCKS else []
                enough = isinstance(block, Block) and len(lines) * 2 > len(block.texts)
                yield (block, lines), plan, ("lines", number, row.name, lines) if enough else None

        for (block, lines), answer in crew.answered(asked()):
            for n, text in enumerate(lines) if answer is not None else ():
                if n not in answer:
                    sieve.add_clean(text)
                elif answer[n] is not None:
                    sieve.add_report(text.strip(), unpacked(text.strip(), answer[n]))
            yield block

    def sieve(self, plan: Plan, row: Format) -> Sieve | None:
        """The sieve of the prompts of a format; None where there is none."""
        key = (id(plan.job), row.name, plan.role, plan.any_host)
        known = self._sieves.get(key)
        if known is None:
            try:
                screen = plan.job_of(row).screen(plan.role or row.roles[0])
            except PromptLensError:  # it is said where the prompts are analysed
                screen = None
            known = self._sieves[key] = (plan, Sieve(screen) if screen else None)  # the plan is kept, so that no other has its number
        return known[1]


def _looked_at(prompt: Prompt, sieve: Sieve, entries: Entries, line: str | None) -> Iterator[Item]:
    """What is found in a prompt, and a number if that is nothing; `line` is what its file says (None: it is to be an entry)."""
    found = sieve.judged(prompt, entries)
    if found.clean and line is not None:
        sieve.add_clean(line)
        yield from entries.sent([Clean(1, entries.name)])
        return
    yield from entries.entry(prompt, found)


def _of_text(text: str, row: Format, sieve: Sieve, entries: Entries) -> Iterator[Item]:
    """What there is to say of a short file, of which only the prompts are looked at that must be."""
    for item in read_document(Document(entries.name, text), row, entries.reader.plan.read):
        if isinstance(item, Notice):
            yield from entries.notes(item)
        else:
            yield from _looked_at(item, sieve, entries, item.text)
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
