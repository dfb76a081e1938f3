"""`check --watch`: run again whenever a file that is checked changes, comes or goes, or the settings do.

Files are asked for their time and size once in a while: that works on every disk, also over a network. Ctrl-C ends it.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping

from promptlens.terminal import talk

POLL_S = 0.5

Stamp = tuple[int, int]  # modification time in ns, size in bytes


def stamps(paths: Callable[[], list[str]]) -> dict[str, Stamp]:
    """Time and size of each file that is there."""
    found: dict[str, Stamp] = {}
    for path in paths():
        try:
            status = os.stat(path)
        except OSError:  # gone meanwhile
            continue
        found[path] = (status.st_mtime_ns, status.st_size)
    return found


def watch(run: Callable[[], int], paths: Callable[[], list[str]], *, wait: Callable[[float], None] = time.sleep) -> int:
    """Run, and run again after each change of the files that `paths` lists; the last exit code, once Ctrl-C was pressed."""
    code = 0
    try:
        before = stamps(paths)
        code = run()
        while True:
            talk("note", f"watching {len(before):,} file{'' if len(before) == 1 else 's'}; Ctrl-C ends it.")
            after = _changed(before, paths, wait)
            if sys.stdout.isatty():
                sys.stdout.write("\x1b[2J\x1b[H")
            talk("note", f"changed: {_told(before, after)}")
            before = after
            code = run()
    except KeyboardInterrupt:
        return code


def _changed(before: Mapping[str, Stamp], paths: Callable[[], list[str]], wait: Callable[[float], None]) -> dict[str, Stamp]:
    """The stamps once they differ from those before."""
    while True:
        wait(POLL_S)
        now = stamps(paths)
        if now != before:
            return now


def _told(before: Mapping[str, Stamp], after: Mapping[str, Stamp]) -> str:
    names = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    return f"{', '.join(names[:3])}{f' and {len(names) - 3:,} more' if len(names) > 3 else ''}"
