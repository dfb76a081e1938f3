"""How far long work is: a bar on stderr where that is a terminal, and wiped off before anything else is written."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

from promptlens.terminal import talk

# Files shorter than this are read before a bar could be seen.
SHOWN_FROM_BYTES = 8 * 1024 * 1024
CELLS = 24
# Before this share of the work is done nothing is said of how long the rest takes.
KNOWN_FROM = 0.1

# What a terminal writes behind the line when its user stops the work.
ECHOED = "^C"

Clock = Callable[[], float]


class StatusLine:
    """A line of a terminal that is written over again and again; anywhere else nothing is written."""

    def __init__(self) -> None:
        self._line = ""
        self._on_screen = 0  # cells

    @property
    def on(self) -> bool:
        """Whether somebody sees it."""
        return sys.stderr is not None and sys.stderr.isatty()

    def show(self, line: str) -> None:
        """Put a line in the place of the one that is shown; no wider than the terminal, where it could not be taken off again."""
        if line != self._line or (line and not self._on_screen):
            self._line = line
            self._write(line[: _columns() - 1 - len(ECHOED)])

    def wipe(self) -> None:
        """Take the line off the screen, for something else to be written there."""
        if self._on_screen:
            self._write("")

    def again(self) -> None:
        """Show the line once more, below what was written."""
        if self._line:
            self.show(self._line)

    def _write(self, shown: str) -> None:
        blank = self._on_screen + len(ECHOED) if self._on_screen else 0
        self._on_screen = max(self._on_screen, len(shown))  # before it is written: Ctrl-C may come between
        sys.stderr.write(f"\r{' ' * blank}\r{shown}")
        sys.stderr.flush()
        self._on_screen = len(shown)


class TimeLeft:
    """How long the rest of some work takes, if it goes on as it did since it was first asked about: what came before took its own time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._first: tuple[float, float] | None = None  # when, and the share that was done then

    def in_words(self, share: float) -> str:
        """`, 5 s left`; "" while that is not known, and at the end."""
        now = self._clock()
        began, share_then = self._first = self._first or (now, share)
        new = share - share_then
        return _left((now - began) * (1 - share) / new) if new >= KNOWN_FROM else ""


class ReadingBar:
    """Called with the bytes read so far and the size of the file; a smaller number of bytes, or another size, is another file."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self.line = StatusLine()
        self._clock = clock
        self._file = (0, 0)  # bytes read, and size
        self._time = TimeLeft(clock)

    def __call__(self, done: int, size: int) -> None:
        if size < SHOWN_FROM_BYTES or not self.line.on:
            return
        read, of = self._file
        if size != of or done < read:
            self._time = TimeLeft(self._clock)
        self._file = (done, size)
        total = f"{size / 1e6:,.0f}"
        words = f"{done / 1e6:{len(total)},.0f} of {total} MB{self._time.in_words(done / size)}"
        self.line.show(f"{_filled(done / size)} {words}" if done < size else "")


# Work that is over sooner shows no bar.
PATIENCE_S = 0.4


class WorkBar:
    """Called with (done, of) as long work goes on: a bar on stderr where that is a terminal, with how long the rest will take.

    Leaving it takes the bar off the screen; where the user stopped the work, a line says so.
    """

    def __init__(self, what: str, clock: Clock = time.monotonic) -> None:
        self._what = what
        self._clock = clock
        self._opened = clock()
        self._time = TimeLeft(clock)
        self._line = StatusLine()

    def __enter__(self) -> WorkBar:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self._line.wipe()
        if isinstance(error, KeyboardInterrupt):
            talk("note", f"Stopped before {self._what.lower()} was done; there is no result.")

    def __call__(self, done: int, of: int) -> None:
        share = min(done / max(of, 1), 1.0)
        left = self._time.in_words(share)
        if self._line.on and self._clock() - self._opened >= PATIENCE_S:
            self._line.show(f"{self._what} {_filled(share)} {share:4.0%}{left}")


def _columns() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80
    except (OSError, ValueError):  # a stream that only says that it is a terminal
        return 80


def _filled(share: float) -> str:
    full = int(CELLS * share)
    return f"[{'#' * full}{'.' * (CELLS - full)}]"


def _left(seconds: float) -> str:
    """How long it still takes, in words.

    >>> _left(5.2), _left(200)
    (', 5 s left', ', 3 min left')
    """
    if seconds < 1:
        return ""
    return f", {round(seconds)} s left" if seconds < 90 else f", {round(seconds / 60)} min left"


BAR = ReadingBar()
