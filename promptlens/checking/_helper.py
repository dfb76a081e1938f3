"""One helper process: questions and answers go through its pipes as pickled objects."""

from __future__ import annotations

import contextlib
import pickle
import subprocess
from typing import Any

from promptlens.processes import END_S, how_ended, start_child

MODULE = "promptlens.checking._worker"
# What a helper that has ended raises, and a question that cannot be pickled.
GONE = (OSError, EOFError)
NOT_SENT = (pickle.PickleError, TypeError, AttributeError)

Request = tuple[Any, ...]


class Helper:
    """One process, and which plans it was told."""

    def __init__(self) -> None:
        self.child = start_child(MODULE)
        self.plans: set[int] = set()

    def send(self, request: Request) -> None:
        """Ask for something."""
        assert self.child.stdin is not None
        pickle.dump(request, self.child.stdin, pickle.HIGHEST_PROTOCOL)
        self.child.stdin.flush()

    def receive(self) -> Any:
        """The answer to what was asked for. Raises `EOFError` where the process has ended."""
        assert self.child.stdout is not None
        try:
            return pickle.load(self.child.stdout)
        except pickle.UnpicklingError:  # it ended amid the answer
            raise EOFError from None

    def close(self) -> None:
        """End the process; there is nothing that it would lose."""
        self.child.kill()
        self.child.wait()
        for pipe in (self.child.stdin, self.child.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # what was not sent any more
                    pipe.close()

    def why_gone(self) -> str:
        """How the process ended."""
        try:
            code = self.child.wait(END_S)  # its pipe closes a moment before
        except subprocess.TimeoutExpired:
            return "a helper process does not answer"
        return f"a helper process {how_ended(code)}"
