"""One helper process: questions and answers go through its pipes as pickled objects, one question at a time."""

from __future__ import annotations

import contextlib
import pickle
import select
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from promptlens.forked import ForkedChild
from promptlens.processes import END_S, how_ended, start_child

if TYPE_CHECKING:
    import subprocess

    from promptlens.checking._worker import Worker

MODULE = "promptlens.checking._worker"
# What a helper that has ended raises, and a question that cannot be pickled.
GONE = (OSError, EOFError)
NOT_SENT = (pickle.PickleError, TypeError, AttributeError)

Request = tuple[Any, ...]


class Helper:
    """One process, which plans it was told, and how many of the other helpers' news."""

    heard = 0

    def __init__(self, child: ForkedChild | subprocess.Popen[bytes], plans: Iterable[int] = ()) -> None:
        self.child = child
        self.plans = set(plans)

    def send(self, request: Request) -> None:
        """Ask for something; to be done when it has answered what it was asked before, or both would wait for each other to read."""
        sent = pickle.dumps(request, pickle.HIGHEST_PROTOCOL)
        assert self.child.stdin is not None
        self.child.stdin.write(sent)
        self.child.stdin.flush()

    def receive(self) -> Any:
        """The answer to what was asked for. Raises `EOFError` where the process has ended."""
        assert self.child.stdout is not None
        try:
            return pickle.load(self.child.stdout)
        except pickle.UnpicklingError:  # it ended amid the answer
            raise EOFError from None

    def fileno(self) -> int:
        """What is waited for."""
        assert self.child.stdout is not None
        return self.child.stdout.fileno()

    def kill(self) -> None:
        """End the process; there is nothing that it would lose."""
        self.child.kill()

    def close(self) -> None:
        """Wait until the process, which was killed, is gone."""
        self.child.wait()
        for pipe in (self.child.stdin, self.child.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # what was not sent any more
                    pipe.close()

    def why_gone(self) -> str:
        """How the process ended."""
        if isinstance(self.child, ForkedChild):
            with contextlib.suppress(OSError):
                self.child.stdin.close()  # if it has not ended, it does so now
            return f"a helper process {how_ended(self.child.wait())}"
        import subprocess

        try:
            code = self.child.wait(END_S)  # its pipe closes a moment before
        except subprocess.TimeoutExpired:
            return "a helper process does not answer"
        return f"a helper process {how_ended(code)}"


def started_anew() -> Helper:
    """A helper that must load and be told everything: a quarter of a second."""
    return Helper(start_child(MODULE))


def forked(worker: Callable[[], Worker], plans: Iterable[int], others: Iterable[Helper]) -> Helper:
    """A helper that is a copy of this process, and does what the worker does that it makes."""
    from promptlens.checking._worker import serve

    copies = [helper.child for helper in others if isinstance(helper.child, ForkedChild)]
    return Helper(ForkedChild(lambda requests, answers: serve(worker(), requests, answers), copies), plans)


def answering(helpers: Sequence[Helper], *, wait: bool) -> Sequence[Helper]:
    """Those of the helpers that have an answer, or have ended; `wait` for one, else there may be none.

    Windows does not tell that of pipes: there it is the one that was asked first.
    """
    if sys.platform == "win32":
        return helpers[:1] if wait else ()
    known = {helper.fileno(): helper for helper in helpers}
    poll = select.poll()
    for handle in known:
        poll.register(handle, select.POLLIN)
    return [known[handle] for handle, _ in poll.poll(None if wait else 0)]
