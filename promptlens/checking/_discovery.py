"""Which files are checked: those that are named, those that a glob matches, and those in folders that hold prompts.

In a folder only files whose names some format knows are looked at; whether there are prompts in them is told by their content, later. What
is excluded, hidden in a folder of tools or ignored by git is left out; a file that is named itself is checked all the same, unless
`force_exclude` says otherwise. Folders that are links are not entered. The order is that of the names.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache
from typing import NamedTuple

from promptlens.checking._gitignore import GitIgnore
from promptlens.errors import PromptLensError
from promptlens.patterns import matched, relative
from promptlens.render import Trouble
from promptlens.sources import FORMATS, KEYED_SUFFIXES

# Folders of tools, and texts that lie in many of them and are no prompts.
DEFAULT_EXCLUDE = (
    *(".bzr", ".direnv", ".eggs", ".git", ".git-rewrite", ".hg", ".idea", ".ipynb_checkpoints", ".mypy_cache", ".nox", ".pytest_cache"),
    *(".ruff_cache", ".svn", ".tox", ".venv", ".vscode", "__pycache__", "_build", "build", "dist", "node_modules", "site-packages", "venv"),
    *("AUTHORS*.txt", "CHANGELOG*.txt", "CHANGES*.txt", "CMakeLists.txt", "CONTRIBUTORS*.txt", "COPYING*.txt", "LICEN[CS]E*.txt"),
    *("NOTICE*.txt", "README*.txt", "constraints*.txt", "humans.txt", "llms*.txt", "requirements*.txt", "robots.txt", "*.egg-info"),
)

Level = tuple[str, tuple[str, ...]]  # a folder and patterns below it


@dataclass(frozen=True, slots=True)
class Walk:
    """What is left out. `exclude` are patterns as in .gitignore, each group below the folder of the settings that say so.

    `included` are patterns of files that are looked at whatever their names are (their format is set).
    """

    exclude: tuple[Level, ...] = (("", DEFAULT_EXCLUDE),)
    included: tuple[Level, ...] = ()
    respect_gitignore: bool = True
    force_exclude: bool = False


class DiscoveredFile(NamedTuple):
    """A file to check; `named`: somebody asked for it by its name, so that it is an error if it holds no prompts.

    `maybe_link` is False for a file that is known to be none.
    """

    path: str
    named: bool
    maybe_link: bool = True


class Search:
    """Finds the files that paths, globs and folders name, each once. `walk_of` says what holds in a folder (an absolute path)."""

    def __init__(self, walk_of: Callable[[str], Walk]) -> None:
        self.walk_of = walk_of
        self.git = GitIgnore()
        self.seen: set[str] = set()
        self._real_folder = ("", "")  # the last one asked about, and what it really is

    def find(self, path: str) -> Iterator[DiscoveredFile | Trouble]:
        """The files of one path, glob or folder that were not found before."""
        for found in self.named(path):
            if isinstance(found, DiscoveredFile):
                real = self.real(found)
                if real in self.seen:
                    continue
                self.seen.add(real)
            yield found

    def real(self, found: DiscoveredFile) -> str:
        """The path of a file with no links in it."""
        if found.maybe_link:
            return os.path.realpath(found.path)
        folder, name = os.path.split(found.path)
        if folder != self._real_folder[0] or not folder:
            self._real_folder = (folder, os.path.realpath(folder))
        return os.path.join(self._real_folder[1], name)

    def named(self, path: str) -> Iterator[DiscoveredFile | Trouble]:
        try:
            exists = os.path.lexists(path)
        except ValueError:
            yield Trouble("is not a path.", path)
            return
        if not exists and glob.has_magic(path):
            matches = sorted(glob.glob(path, recursive=True))
            if not matches:
                yield Trouble("no file matches this pattern.", path)
            for match in matches:
                yield from self.one(match, named=False)
        elif not exists:
            yield Trouble("cannot be read: No such file or directory.", path)
        else:
            yield from self.one(path, named=True)

    def one(self, path: str, *, named: bool) -> Iterator[DiscoveredFile | Trouble]:
        full = os.path.abspath(path)
        is_folder = os.path.isdir(path)
        walk = self.walk(path, full if is_folder else os.path.dirname(full))
        if isinstance(walk, Trouble):
            yield walk
            return
        if (not named or walk.force_exclude) and self.left_out(full, walk, folder=is_folder, above=True):
            return
        if is_folder:
            yield from self.folder(path)
        else:
            yield DiscoveredFile(path, named and not walk.force_exclude)  # who asks for that passes on what a pattern found

    def folder(self, path: str) -> Iterator[DiscoveredFile | Trouble]:
        """The files of a folder and of those in it; each is looked at when it is its turn, so that work on the first can begin."""
        open_ones = [self.inside(path)]
        while open_ones:
            for found in open_ones[-1]:
                if isinstance(found, str):
                    open_ones.append(self.inside(found))
                    break
                yield found
            else:
                open_ones.pop()

    def inside(self, here: str) -> Iterator[DiscoveredFile | Trouble | str]:
        """The files of a folder, and the names of the folders in it."""
        full = os.path.abspath(here)
        walk = self.walk(here, full)
        if isinstance(walk, Trouble):
            yield walk
            return
        try:
            with os.scandir(here) as entries:
                names = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            yield Trouble(f"cannot be read: {error.strerror or error}.", here)
            return
        by_name = self.only_by_name(walk, full)
        prefix = "" if here == os.curdir else os.path.join(here, "")
        for entry in names:
            name = entry.name
            inner = entry.is_dir(follow_symlinks=False)
            if not inner and not (
                entry.is_file() and (known_name(name) or _any_matches(walk.included, os.path.join(full, name), folder=False))
            ):
                continue
            if not (_excluded_by_default(name) if by_name else self.left_out(os.path.join(full, name), walk, folder=inner, above=False)):
                yield prefix + name if inner else DiscoveredFile(prefix + name, False, entry.is_symlink())

    def walk(self, path: str, folder: str) -> Walk | Trouble:
        """What holds in a folder, for what was named by a path."""
        try:
            return self.walk_of(folder)
        except PromptLensError as error:
            return without_settings(path, error)

    def only_by_name(self, walk: Walk, folder: str) -> bool:
        """Whether names alone tell what of a folder (an absolute path) is left out: those that are left out by default."""
        patterns = [patterns for _, patterns in walk.exclude if patterns]
        return len(patterns) == 1 and patterns[0] is DEFAULT_EXCLUDE and not (walk.respect_gitignore and self.git.has_patterns(folder))

    def left_out(self, path: str, walk: Walk, *, folder: bool, above: bool) -> bool:
        """Whether a path is excluded or ignored; `above`: also when a folder is that it is in."""
        if _any_matches(walk.exclude, path, folder=folder) or (above and _is_in_excluded(walk.exclude, path)):
            return True
        if not walk.respect_gitignore:
            return False
        return self.git.ignores_above(path) if above else self.git.ignores(path, folder=folder)


def without_settings(path: str, error: PromptLensError) -> Trouble:
    """The trouble of a file or folder whose settings are wrong."""
    return Trouble(f"not looked at, since its settings are wrong: {error}", path)


def _any_matches(levels: Sequence[Level], path: str, *, folder: bool) -> bool:
    for base, patterns in levels:
        if not patterns:
            continue
        if patterns is DEFAULT_EXCLUDE:
            if _excluded_by_default(os.path.basename(path)):
                return True
            continue
        below = relative(path, base) if base else path.lstrip(os.sep)
        if below and matched(patterns, below, folder=folder):
            return True
    return False


def _is_in_excluded(levels: Sequence[Level], path: str) -> bool:
    """Whether a folder below the working directory that a path is in has a name that is left out by default."""
    below = relative(path, os.getcwd())
    return below is not None and any(p is DEFAULT_EXCLUDE for _, p in levels) and any(map(_excluded_by_default, below.split("/")[:-1]))


@lru_cache(maxsize=1)
def _default_patterns() -> tuple[frozenset[str], re.Pattern[str]]:
    folded = [pattern.lower() for pattern in DEFAULT_EXCLUDE]
    return frozenset(folded), re.compile("|".join(translate(pattern) for pattern in folded if glob.has_magic(pattern)))


def _excluded_by_default(name: str) -> bool:
    folded = name.lower()
    names, patterns = _default_patterns()
    return folded in names or patterns.match(folded) is not None


@lru_cache(maxsize=1)
def _known_names() -> tuple[frozenset[str], re.Pattern[str]]:
    suffixes = {suffix for row in FORMATS.values() for suffix in row.suffixes if suffix} | set(KEYED_SUFFIXES) | {".txt"}
    return frozenset(suffixes), re.compile("|".join(translate(name) for row in FORMATS.values() for name in row.names))


def known_name(name: str) -> bool:
    """Whether some format knows files of this name."""
    suffixes, patterns = _known_names()
    folded = name.lower()
    return os.path.splitext(folded)[1] in suffixes or patterns.match(folded) is not None
