"""A run over files: finds them, and gives the entries of each as it is read."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from promptlens.checking._crew import Crew
from promptlens.checking._discovery import DiscoveredFile, Search, without_settings
from promptlens.checking._entries import Plan, check_content, check_file, unreadable
from promptlens.checking._fixing import FixedFile, fix_file
from promptlens.checking._plans import Plans
from promptlens.checking._screens import Screens
from promptlens.checking._sharing import File, Found, Remark
from promptlens.config import Settings
from promptlens.errors import PromptLensError
from promptlens.processes import available_cores
from promptlens.render import Item, Trouble
from promptlens.shorten import Importance
from promptlens.sources import UnreadableFile, images
from promptlens.terminal import talk

if TYPE_CHECKING:
    from promptlens.checking._worker import Worker


class Checker:
    """The files that were found so far, and what holds for each."""

    def __init__(self, settings: Settings, asked: Mapping[str, Any]) -> None:
        self.plans = Plans(settings, asked)
        self.search = Search(self.plans.walk)
        self.screens = Screens() if asked.get("clean_as_numbers") else None
        self.crew = Crew(settings.jobs or available_cores(), self._worker)
        self.name: str | None = asked["stdin_filename"]
        self.pictures: bool | None = None  # whether they can be read; None: not looked yet

    def paths(self, paths: Iterable[str]) -> Iterator[Item]:
        """The entries of what paths, patterns or folders name."""
        files = (file for path in paths for file in self.files(path))
        if self.screens:
            yield from self.screens.of_files(files, self.crew)
            return
        for file in files:
            if isinstance(file, Remark):
                talk("note", file.message)
            elif isinstance(file, Trouble):
                yield file
            else:
                yield from check_file(file.path, file.plan, named=file.named)

    def files(self, path: str, *, tells_none: bool = True) -> Iterator[Found]:
        """The files that a path, a pattern or a folder names, each with what holds for it; of a folder without any it is told."""
        nothing = True
        for found in self.search.find(path):
            nothing = False
            plan = found if isinstance(found, Trouble) else self.plan(found.path)
            if isinstance(plan, Trouble):
                yield plan
            elif isinstance(found, DiscoveredFile):
                closed = None if found.named else self.closed_picture(found.path)
                if closed is None:
                    yield File(found.path, plan, found.named)
                elif closed:
                    yield Remark(closed)
        if nothing and tells_none and os.path.isdir(path):
            yield Remark(f"{path}: there are no files with prompts in it.")

    def _worker(self, plans: dict[int, Plan]) -> Worker:
        """What a helper does that is a copy of this process."""
        from promptlens.checking._worker import Worker  # only for large runs

        return Worker(self.screens, plans)

    def close(self) -> None:
        """End the helper processes, where there are any."""
        self.crew.close()

    def fixes(self, path: str, *, unsafe: bool = False, dropping: Importance | None = None) -> Iterator[FixedFile | Trouble]:
        """What fixing makes of each file that a path, a pattern or a folder names; nothing is written."""
        for found in self.search.find(path):
            if isinstance(found, Trouble):
                yield found
                continue
            plan = self.plan(found.path)
            if isinstance(plan, Trouble):
                yield plan
                continue
            try:
                fixed = fix_file(found.path, plan, named=found.named, unsafe=unsafe, dropping=dropping)
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
            return
        plan = self.plan(name)
        if isinstance(plan, Trouble):
            yield plan
        else:
            yield from check_content(sys.stdin.buffer.read(), name, plan)

    def closed_picture(self, path: str) -> str | None:
        """What is to be said of a picture where the package that reads those is not here ("": it has been); None for any other file."""
        if not path.lower().endswith(images.SUFFIXES):
            return None
        if self.pictures is None:
            self.pictures = images.can_be_read()
            if not self.pictures:
                return f"{path} and other pictures are left out, since {images.NEEDED}. {images.WAY_OUT}."
        return None if self.pictures else ""

    def plan(self, path: str) -> Plan | Trouble:
        """What holds for a file, or what is wrong with its settings."""
        try:
            return self.plans.plan(path)
        except PromptLensError as error:
            return without_settings(path, error)
