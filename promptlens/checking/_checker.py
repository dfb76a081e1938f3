"""A run over files: finds them, and gives the entries of each as it is read."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from promptlens.checking._discovery import Search
from promptlens.checking._entries import check_content, check_file, unreadable
from promptlens.checking._fixing import FixedFile, fix_file
from promptlens.checking._plans import Plans
from promptlens.config import Settings
from promptlens.render import Item, Trouble
from promptlens.sources import UnreadableFile
from promptlens.terminal import talk


class Checker:
    """The files that were found so far, and what holds for each."""

    def __init__(self, settings: Settings, asked: Mapping[str, Any]) -> None:
        self.plans = Plans(settings, asked)
        self.search = Search(self.plans.walk)
        self.name: str | None = asked["stdin_filename"]

    def path(self, path: str) -> Iterator[Item]:
        """The entries of what a path, a pattern or a folder names."""
        nothing = True
        for found in self.search.find(path):
            nothing = False
            if isinstance(found, Trouble):
                yield found
            else:
                yield from check_file(found.path, self.plans.plan(found.path), named=found.named)
        if nothing and os.path.isdir(path):
            talk("note", f"{path}: there are no files with prompts in it.")

    def fixes(self, path: str, *, unsafe: bool = False) -> Iterator[FixedFile | Trouble]:
        """What fixing makes of each file that a path, a pattern or a folder names; nothing is written."""
        for found in self.search.find(path):
            if isinstance(found, Trouble):
                yield found
                continue
            plan = self.plans.plan(found.path)
            try:
                fixed = fix_file(found.path, plan, named=found.named, unsafe=unsafe)
            except UnreadableFile as error:
                yield from unreadable(error, plan)
            else:
                if fixed is not None:
                    yield fixed

    def stdin(self) -> Iterator[Item]:
        """The entries of standard input, read like a file."""
        name = self.name or "<stdin>"
        if sys.stdin is None:
            yield Trouble("is closed.", name)
        else:
            yield from check_content(sys.stdin.buffer.read(), name, self.plans.plan(name))
