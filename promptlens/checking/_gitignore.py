"""What `.gitignore` files say about a path: the nearest file that has something to say decides, as in git.

Patterns are read by pathspec, which is compared with git in its own tests. Looked at are `.gitignore` in each folder from the path up to
the repository's root, and the repository's `.git/info/exclude`. The user's global excludes are left out: what is checked should not depend
on whose machine it is.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from promptlens.patterns import matched, relative


class GitIgnore:
    """The ignore files of a tree, each read once."""

    def __init__(self) -> None:
        self._chains: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {}

    def ignores(self, path: str, *, folder: bool = False) -> bool:
        """Whether git ignores an absolute path, of which no folder above is ignored."""
        for base, patterns in self._chain(os.path.dirname(path)):
            if not patterns:
                continue
            below = relative(path, base)
            said = matched(patterns, below, folder=folder) if below else None
            if said is not None:
                return said
        return False

    def has_patterns(self, folder: str) -> bool:
        """Whether any file has something to say of what is in a folder (an absolute path)."""
        return any(patterns for _, patterns in self._chain(folder))

    def ignores_above(self, path: str) -> bool:
        """Whether git ignores an absolute path or a folder that it is in."""
        root = self._root(os.path.dirname(path))
        above = path
        parts = [path]
        while root is not None and os.path.dirname(above) != root and os.path.dirname(above) != above:
            above = os.path.dirname(above)
            parts.append(above)
        return any(self.ignores(part, folder=part != path) for part in reversed(parts))

    def _root(self, folder: str) -> str | None:
        chain = self._chain(folder)
        return chain[-1][0] if chain else None

    def _chain(self, folder: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Folders with their patterns, from this one up to the root of its repository."""
        known = self._chains.get(folder)
        if known is None:
            own = _patterns(os.path.join(folder, ".gitignore"))
            if os.path.exists(os.path.join(folder, ".git")):
                more = _patterns(os.path.join(folder, ".git", "info", "exclude"))
                known = ((folder, own), (folder, more))
            else:
                parent = os.path.dirname(folder)
                known = ((folder, own), *(self._chain(parent) if parent != folder else ()))
            self._chains[folder] = known
        return known


def _patterns(path: str) -> tuple[str, ...]:
    try:
        with open(path, encoding="utf-8", errors="replace") as lines:
            return tuple(_useful(lines))
    except OSError:
        return ()


def _useful(lines: Iterable[str]) -> Iterable[str]:
    for line in lines:
        pattern = line.rstrip("\r\n")
        if pattern.strip() and not pattern.startswith("#"):
            yield pattern
