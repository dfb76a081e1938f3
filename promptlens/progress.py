"""How far long work is: a bar on stderr where that is a terminal, and wiped off before anything else is written."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from promptlens.terminal import talk

# Files shorter than this are read before a bar could be seen.
SHOWN_FROM_BYTES = 8 * 1024 * 1024
CELLS = 24


class ReadingBar:
    """Called with the bytes read so far and the size of the file."""

    def __init__(self) -> None:
        self._shown = ""
        self._widest = 0

    def __call__(self, done: int, size: int) -> None:
        if size < SHOWN_FROM_BYTES or sys.stderr is None or not sys.stderr.isatty():
            return
        self.show(f"{_filled(done / size)} {done / 1e6:,.0f} of {size / 1e6:,.0f} MB" if done < size else "")

    def show(self, shown: str) -> None:
        """Put a line in the place of the one that is shown."""
        if shown != self._shown:
            self._write(shown)

    def wipe(self) -> None:
        """Take the bar off the screen; the next call shows it again."""
        if self._widest:
            self._write("")
            self._widest = 0

    def _write(self, shown: str) -> None:
        self._shown = shown  # before it is written: Ctrl-C may come between
        self._widest = max(self._widest, len(shown))
        sys.stderr.write(f"\r{' ' * self._widest}\r{shown}")
        sys.stderr.flush()


# Work that is over sooner shows no bar.
PATIENCE_S = 0.4
# Before this share of it is done nothing is said of how long the rest takes.
KNOWN_FROM = 0.1


class WorkBar:
    """Called with (done, of) as long work goes on: a bar on stderr where that is a terminal, with how long the rest will take.

    Leaving it takes the bar off the screen; where the user stopped the work, a line says so.
    """

    def __init__(self, what: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._what = what
        self._clock = clock
        self._opened = clock()
        self._first: tuple[float, float] | None = None  # when the first call came, and the share that was done then
        self._bar = ReadingBar()

    def __enter__(self) -> WorkBar:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self._bar.wipe()
        if isinstance(error, KeyboardInterrupt):
            talk("note", f"Stopped before {self._what.lower()} was done; there is no result.")

    def __call__(self, done: int, of: int) -> None:
        now, share = self._clock(), min(done / max(of, 1), 1.0)
        began, share_then = self._first = self._first or (now, share)
        if sys.stderr is None or not sys.stderr.isatty() or now - self._opened < PATIENCE_S:
            return
        new = share - share_then
        rest_s = (now - began) * (1 - share) / new if new >= KNOWN_FROM else None  # what came before the first call took its own time
        self._bar.show(f"{self._what} {_filled(share)} {share:4.0%}{_left(rest_s)}")


def _filled(share: float) -> str:
    full = int(CELLS * share)
    return f"[{'#' * full}{'.' * (CELLS - full)}]"


def _left(seconds: float | None) -> str:
    """How long it still takes, in words.

    >>> _left(5.2), _left(200)
    (', 5 s left', ', 3 min left')
    """
    if seconds is None or seconds < 1:
        return ""
    return f", {round(seconds)} s left" if seconds < 90 else f", {round(seconds / 60)} min left"


BAR = ReadingBar()
