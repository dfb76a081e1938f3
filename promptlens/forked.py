"""Copies of this process as its helpers: what they need to know they know already, and starting one takes a millisecond.

Only where that is safe: on Linux, and while the process has a single thread. Elsewhere helpers are started anew (processes.py).
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterable
from typing import BinaryIO, NoReturn

Work = Callable[[BinaryIO, BinaryIO], None]


def can_fork() -> bool:
    """Whether this process may be copied: a lock that another thread holds would never be given back in the copy."""
    if sys.platform != "linux":  # macOS: system libraries have threads of their own; Windows: there is no fork
        return False
    try:
        return len(os.listdir("/proc/self/task")) == 1  # threads of libraries too
    except OSError:
        return False


class ForkedChild:
    """A copy of this process that does some work between two pipes, and then ends.

    It has a session of its own, so that the terminal's Ctrl-C is not sent to it, and nothing of what it does reaches stdout: it is to end
    when its requests do. `others` are earlier ones, whose pipes it leaves alone. Raises `OSError`.
    """

    def __init__(self, work: Work, others: Iterable[ForkedChild] = ()) -> None:
        to_read, to_ask = os.pipe()
        try:
            to_hear, to_answer = os.pipe()
        except OSError:
            os.close(to_read)
            os.close(to_ask)
            raise
        ours = [to_ask, to_hear, *(end.fileno() for other in others for end in (other.stdin, other.stdout) if not end.closed)]
        known = {signal.SIGINT, signal.SIGTERM}
        before = signal.pthread_sigmask(signal.SIG_BLOCK, known)  # the copy must never go on with what this process was at
        try:
            self.pid = os.fork()
            if not self.pid:
                _work(work, to_read, to_answer, ours, known)
        except OSError:
            for end in (to_ask, to_hear):
                os.close(end)
            raise
        finally:
            os.close(to_read)
            os.close(to_answer)
            signal.pthread_sigmask(signal.SIG_SETMASK, before)  # last: a signal that waited is raised here
        self.stdin: BinaryIO = open(to_ask, "wb")  # noqa: SIM115  (they live as long as the child)
        self.stdout: BinaryIO = open(to_hear, "rb")  # noqa: SIM115
        self._code: int | None = None

    def wait(self) -> int:
        """How the process ended, once it has: its exit code, or the signal that killed it as a negative number."""
        if self._code is None:
            self._code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self._code

    def kill(self) -> None:
        """End it, whatever it is at."""
        if self._code is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)


def _work(work: Work, to_read: int, to_answer: int, not_ours: Iterable[int], signals: set[signal.Signals]) -> NoReturn:
    """The life of the copy; however it ends, nothing of its parent's is run or written a second time."""
    code = 1
    try:
        os.setsid()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
        for end in not_ours:
            os.close(end)
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in {0, 1} - {to_read, to_answer}:  # who reads this program's output need not wait for its helpers
            os.dup2(nothing, stream)
        work(open(to_read, "rb"), open(to_answer, "wb"))  # noqa: SIM115
        code = 0
    finally:
        os._exit(code)
