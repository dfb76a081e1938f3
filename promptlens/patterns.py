"""Patterns as in .gitignore, and the paths that they match; read by pathspec, which is compared with git in its own tests."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Any


@lru_cache(maxsize=512)
def spec_of(patterns: tuple[str, ...]) -> Any:
    """The patterns as something with `check_file(path)`."""
    from pathspec import GitIgnoreSpec  # 20 ms: only for those who exclude something

    return GitIgnoreSpec.from_lines(patterns)


def matched(patterns: tuple[str, ...], path: str, *, folder: bool = False) -> bool | None:
    """True: a pattern matches the path (relative, as the patterns are); False: one that begins with "!" does; None: none does."""
    return spec_of(patterns).check_file(f"{path}/" if folder else path).include if patterns else None


def relative(path: str, folder: str) -> str | None:
    """The path below a folder with "/" between its parts, None when it is elsewhere; both are absolute."""
    if os.path.normcase(path).startswith(os.path.normcase(folder.rstrip(os.sep) + os.sep)):
        return path[len(folder.rstrip(os.sep)) + 1 :].replace(os.sep, "/")
    return None
