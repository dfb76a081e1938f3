"""How far a long file is read: a bar on stderr where that is a terminal, and wiped off before anything else is written."""

from __future__ import annotations

import sys

# Files shorter than this are read before a bar could be seen.
SHOWN_FROM_BYTES = 8 * 1024 * 1024
CELLS = 24


class ReadingBar:
    """Called with the bytes read so far and the size of the file."""

    def __init__(self) -> None:
        self._shown = ""

    def __call__(self, done: int, size: int) -> None:
        if size < SHOWN_FROM_BYTES or sys.stderr is None or not sys.stderr.isatty():
            return
        full = CELLS * done // size
        shown = f"[{'#' * full}{'.' * (CELLS - full)}] {done / 1e6:,.0f} of {size / 1e6:,.0f} MB"
        self._write(shown if done < size else "")

    def wipe(self) -> None:
        """Take the bar off the screen; the next call shows it again."""
        if self._shown:
            self._write("")

    def _write(self, shown: str) -> None:
        blank = " " * len(self._shown)
        sys.stderr.write(f"\r{blank}\r{shown}")
        sys.stderr.flush()
        self._shown = shown


BAR = ReadingBar()
