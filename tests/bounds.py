"""Bounds on work that do not look at the clock, which says something else on a busy machine."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


class TooMuchWork(AssertionError):
    """More processor time was taken than there is."""


@contextmanager
def processor_limit(seconds: float) -> Iterator[None]:
    """At most so many seconds of the processor, others' work left out, whatever the clock says: for what might never end.

    Where the system has no such limit (Windows), none is set.
    """
    if not hasattr(signal, "setitimer"):
        yield
        return

    def stop(*_: object) -> None:
        raise TooMuchWork(f"more than {seconds} s of the processor")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def calls_of(work: Callable[[], object]) -> int:
    """Calls of functions, and steps of generators, that some work takes."""
    count = 0

    def counted(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count
