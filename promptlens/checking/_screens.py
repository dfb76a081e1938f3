"""The quick road of `check`: prompts in which nothing is found are counted, and the others analysed.

Files of one prompt a line, and captions, go this way: most of their prompts stay in a sieve (_sieve.py), and only what comes through is
analysed. Whatever is out of the ordinary in a file (an odd encoding, comments that silence rules) is left to _entries.py.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from promptlens.checking._directives import MARK, directives_at
from promptlens.checking._entries import Entries, Plan, check_file, format_of, has_comments, unreadable
from promptlens.checking._sieve import Sieve
from promptlens.errors import PromptLensError
from promptlens.render import Clean, Entry, Item
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

BOM = b"\xef\xbb\xbf"
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


class Screens:
    """The sieves of a run. Its first prompt is always an entry of its own: if there is no other, it is shown on a page."""

    def __init__(self) -> None:
        self.begun = False
        self._sieves: dict[tuple[int, str, str | None, bool], tuple[Plan, Sieve | None]] = {}

    def items(self, path: str, plan: Plan, *, named: bool = True) -> Iterator[Item]:
        """What `check_file` gives, with numbers of prompts in which nothing is found."""
        head, large = _head(path)
        short = self._short(path, head, plan) if self.begun and not large else None
        if short is not None:
            yield from short
            return
        for item in self._large(path, plan, named) if large else check_file(path, plan, named=named):
            self.begun = self.begun or isinstance(item, Entry)
            yield item

    def _short(self, path: str, content: bytes, plan: Plan) -> Iterator[Item] | None:
        """What there is to say of a short file; None where that is left to `check_file`."""
        if b"\r" in content or b"\x00" in content or content.startswith(BOM) or MARK in content.lower():
            return None
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError:
            return None
        row = FORMATS[plan.format] if plan.format else detect(path, content, plan.read)
        sieve = self._sieve(plan, row) if text and row is not None and row.plain_texts else None
        if row is None or sieve is None or row.plain_texts is None:
            return None
        texts = row.plain_texts(text, plan.read)
        if texts and all(map(sieve.is_clean, texts)):
            return iter((Clean(len(texts), path),))
        return _of_text(text, row, sieve, Entries(row, plan, path))

    def _large(self, path: str, plan: Plan, named: bool) -> Iterator[Item]:
        """What `check_file` gives for a file of many lines."""
        try:
            row = format_of(path, plan, named=named)
            if row is not None and row.prompt and not (has_comments(row, plan) and directives_at(path)):
                sieve = self._sieve(plan, row)
                blocks = read_blocks(path, row, plan.read) if sieve else None
                if sieve is not None and blocks is not None:
                    yield from self._of_blocks(blocks, row, sieve, Entries(row, plan, path))
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
                        clean += 1
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

    def _sieve(self, plan: Plan, row: Format) -> Sieve | None:
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
    found = sieve.reports.get(prompt.text) or entries.judged(prompt)
    if not found.clean:
        sieve.add_report(prompt.text, found)
    elif line is not None:
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


def _head(path: str) -> tuple[bytes, bool]:
    """The content of a short file, and whether the file is a long one; nothing of what cannot be read."""
    try:
        handle = os.open(path, _FLAGS)
    except (OSError, ValueError):
        return b"", False
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            return b"", False
        if status.st_size >= HEAD_BYTES:
            return b"", True
        content = os.read(handle, HEAD_BYTES)
        return (content, False) if len(content) == status.st_size else (b"", False)
    except OSError:
        return b"", False
    finally:
        os.close(handle)
