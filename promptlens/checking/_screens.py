"""Prompts of which it is certain that nothing is wrong, counted without analysing them: what makes large runs quick.

Files of one prompt a line, and captions, are looked at so. Whatever is out of the ordinary in a file (an odd encoding, comments that
silence rules, a second line of a caption) is left to _entries.py, and so is every prompt that does not pass.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from promptlens.checking._directives import MARK, directives_at
from promptlens.checking._entries import Entries, Plan, check_file, format_of, has_comments, unreadable
from promptlens.errors import PromptLensError
from promptlens.render import Clean, Entry, Item
from promptlens.screening import Screen
from promptlens.sources import FORMATS, Block, Format, Odd, UnreadableFile, detect, prompt_of_line, read_blocks
from promptlens.sources._document import HEAD_BYTES, Line

_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


class Screens:
    """The screens of a run. Its first prompt is always an entry of its own: if there is no other, it is shown on a page."""

    def __init__(self) -> None:
        self.begun = False
        self._screens: dict[tuple[int, str, str | None, bool], tuple[Plan, Screen | None]] = {}

    def items(self, path: str, plan: Plan, *, named: bool = True) -> Iterator[Item]:
        """What `check_file` gives, with numbers of prompts in which nothing is found."""
        head, large = _head(path)
        if self.begun and not large:
            prompts = self._clean(path, head, plan)
            if prompts:
                yield Clean(prompts, path)
                return
        for item in self._large(path, plan, named) if large else check_file(path, plan, named=named):
            self.begun = self.begun or isinstance(item, Entry)
            yield item

    def _clean(self, path: str, content: bytes, plan: Plan) -> int:
        """How many prompts a short file has, if nothing is found in any and there is no more to say of it; else 0."""
        if not content.isascii() or b"\r" in content or b"\x00" in content or MARK in content.lower():
            return 0
        row = FORMATS[plan.format] if plan.format else detect(path, content, plan.read)
        screen = self._screen(plan, row) if row is not None and row.plain_texts else None
        if row is None or screen is None or row.plain_texts is None:
            return 0
        texts = row.plain_texts(content.decode("ascii"), plan.read)
        return len(texts) if all(map(screen.passes, texts)) else 0

    def _large(self, path: str, plan: Plan, named: bool) -> Iterator[Item]:
        """What `check_file` gives for a file of many lines."""
        try:
            row = format_of(path, plan, named=named)
            if row is not None and row.prompt and not (has_comments(row, plan) and directives_at(path)):
                screen = self._screen(plan, row)
                blocks = read_blocks(path, row, plan.read) if screen else None
                if screen is not None and blocks is not None:
                    yield from self._of_blocks(blocks, row, screen, Entries(row, plan, path))
                    return
        except UnreadableFile as error:
            yield from unreadable(error, plan)
            return
        yield from check_file(path, plan, named=named)

    def _of_blocks(self, blocks: Iterator[Block | Odd], row: Format, screen: Screen, entries: Entries) -> Iterator[Item]:
        begun = self.begun
        try:
            for block in blocks:
                left, clean = _left(block, screen, begun) if isinstance(block, Block) else (block.lines, 0)
                for line in left:
                    prompt = prompt_of_line(entries.name, line, row)
                    if prompt is not None:
                        yield from entries.prompt(prompt)
                        begun = True
                if clean:
                    yield from entries.sent([Clean(clean, entries.name)])
        except UnreadableFile:
            yield from entries.rest()
            raise
        yield from entries.rest()

    def _screen(self, plan: Plan, row: Format) -> Screen | None:
        """The screen of the prompts of a format; None where there is none."""
        key = (id(plan.job), row.name, plan.role, plan.any_host)
        known = self._screens.get(key)
        if known is None:
            try:
                screen = plan.job_of(row).screen(plan.role or row.roles[0])
            except PromptLensError:  # it is said where the prompts are analysed
                screen = None
            known = self._screens[key] = (plan, screen)  # the plan is kept, so that no other has its number
        return known[1]


def _left(block: Block, screen: Screen, begun: bool) -> tuple[list[Line], int]:
    """The lines of a block that must be looked at, and how many others have a prompt; the first of a run is looked at."""
    left: list[Line] = []
    clean, start, passes = 0, block.start, screen.passes
    for number, text in enumerate(block.texts, start=block.number):
        stripped = text.strip()
        if stripped:
            if begun and passes(stripped):
                clean += 1
            else:
                left.append(Line(text, start, number))
                begun = True
        start += len(text) + 1
    return left, clean


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
