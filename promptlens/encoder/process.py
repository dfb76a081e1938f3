"""A text encoder in a process of its own, with the same interface: for screens that must not stall while it computes.

    with EncoderProcess() as process:
        encoder = process.load("clip_l.safetensors", "clip-l")
        encoder.pool([(49406, 320, 2368, 49407)])           # as with load_encoder; any thread may call
        process.cancel()                                    # whoever waits gets CancelledError

The process ends with this one, however this one ends, as its pipe closes then. Ctrl-C does not reach it; a call that Ctrl-C interrupts
cancels its request. It imports torch, so that this process need not.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

from promptlens import errors
from promptlens.encoder.frames import Message, receive, send
from promptlens.encoder.interface import Progress
from promptlens.encoder.windows import CancelledError
from promptlens.errors import PromptLensError, WeightsError
from promptlens.processes import END_S, how_ended, start_child

if TYPE_CHECKING:  # 10 ms, which a screen that asks in other ways need not wait for
    from promptlens.encoder.files import FoundWeights
    from promptlens.encoder.remote import RemoteEncoder

Answer = tuple[Message, list[Any]]
WORKER = "promptlens.encoder.worker"


@dataclass(slots=True)
class _Request:
    """A question under way."""

    progress: Progress | None
    answer: Future[Answer] = field(default_factory=Future)


class EncoderProcess:
    """The running process. `close` it, or use it as a context manager.

    `module` is what runs over there: worker.py, or a module that answers more on top of it.
    """

    def __init__(self, module: str = WORKER) -> None:
        self._ids = itertools.count(1)
        self._requests: dict[int, _Request] = {}
        self._lock = Lock()
        self._sending = Lock()
        self._over: Exception | None = None
        self._said: deque[str] = deque(maxlen=20)
        self._child = start_child(module, hears_stderr=True)
        self._talk = Thread(target=self._note_talk, daemon=True)
        self._hearing = Thread(target=self._hear, daemon=True)
        self._talk.start()
        self._hearing.start()

    @property
    def pid(self) -> int:
        return self._child.pid

    def load(self, source: str | Path | FoundWeights, name: str | None = None, **options: Any) -> RemoteEncoder:
        """`load_encoder` over there, with the same arguments and errors."""
        from promptlens.encoder.loading import source_name
        from promptlens.encoder.remote import RemoteEncoder

        path, name = source_name(source, name)
        facts, _ = self.ask({"do": "load", "source": os.path.abspath(path), "name": name, "options": options})
        return RemoteEncoder(self.ask, facts)

    @property
    def over(self) -> Exception | None:
        """Why the process ended, once it has."""
        return self._over

    def cancel(self, number: int | None = None) -> None:
        """Stop what is being computed and forget what waits, or one request: the callers get `CancelledError`."""
        with self._lock:
            ids = list(self._requests) if number is None else [number]
        self._tell({"do": "cancel", "ids": ids})

    def close(self) -> None:
        """End the process. Calls under way fail with `CancelledError`."""
        with self._sending:
            if self._child.stdin is not None and not self._child.stdin.closed:
                with contextlib.suppress(BrokenPipeError):  # it ended before
                    self._child.stdin.close()
        try:
            self._child.wait(END_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._hearing.join()
        for pipe in (self._child.stdout, self._child.stderr):
            if pipe is not None:
                pipe.close()

    def __enter__(self) -> EncoderProcess:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def ask(self, message: Message, progress: Progress | None = None) -> Answer:
        """Send a request and wait for its answer. Ctrl-C, or an exception of `progress`, cancels it."""
        number, answer = self.submit(message, progress)
        try:
            return answer.result()
        except BaseException:
            if not answer.done():
                self.cancel(number)
            raise

    def submit(self, message: Message, progress: Progress | None = None) -> tuple[int, Future[Answer]]:
        """Send a request, and wait for nothing: its number, for `cancel`, and its answer to come.

        `progress` is called in another thread.
        """
        number = next(self._ids)
        request = _Request(progress)
        with self._lock:
            if self._over is not None:
                raise self._over
            self._requests[number] = request
        request.answer.add_done_callback(lambda _: self._forget(number))
        try:
            self._tell({**message, "id": number})
        except BaseException:
            self._forget(number)
            raise
        return number, request.answer

    def _forget(self, number: int) -> None:
        with self._lock:
            self._requests.pop(number, None)

    def _tell(self, message: Message) -> None:
        with self._sending:
            if self._child.stdin is None or self._child.stdin.closed:
                raise CancelledError
            with contextlib.suppress(BrokenPipeError):  # `_hear` notices the end too, and tells everyone who waits
                send(self._child.stdin, message)

    def _hear(self) -> None:
        """Hand answers to those who wait, until the process ends."""
        assert self._child.stdout is not None
        while (got := receive(self._child.stdout)) is not None:
            message, arrays = got
            with self._lock:
                request = self._requests.get(message["id"])
            if request is None or request.answer.done():
                continue  # nobody waits any more
            if "progress" in message:
                self._report(request, message)
            elif "failed" in message:
                request.answer.set_exception(_error(message))
            else:
                request.answer.set_result((message, arrays))
        self._end()

    def _report(self, request: _Request, message: Message) -> None:
        """Call a progress callback here; what it raises is for the one who waits, who then cancels."""
        if request.progress is not None:
            try:
                request.progress(*message["progress"])
            except Exception as e:  # handed on, not hidden
                request.answer.set_exception(e)
                self._tell({"do": "cancel", "ids": [message["id"]]})

    def _end(self) -> None:
        """The process is gone: tell everyone who waits."""
        with self._sending:
            asked_to = self._child.stdin is None or self._child.stdin.closed
        code = self._child.wait()
        self._talk.join()
        with self._lock:
            self._over = CancelledError("The text-encoder process was closed.") if asked_to else _ended(code, self._said)
            waiting = [r for r in self._requests.values() if not r.answer.done()]
        for request in waiting:
            request.answer.set_exception(self._over)

    def _note_talk(self) -> None:
        """Keep the last lines the process says on stderr: they explain its end, and must not get onto the screen."""
        assert self._child.stderr is not None
        for line in self._child.stderr:
            self._said.append(line.decode("utf-8", "replace").rstrip())


def _error(message: Message) -> Exception:
    """The error that a failed request means here: of the same class as over there."""
    if message["failed"] == "cancelled":
        return CancelledError()
    kind = getattr(errors, message["failed"], WeightsError)
    plain = isinstance(kind, type) and issubclass(kind, PromptLensError) and kind.__init__ is PromptLensError.__init__
    return kind(message["message"]) if plain else WeightsError(message["message"])


def _ended(code: int, said: deque[str]) -> WeightsError:
    """The error for a process that ended by itself."""
    last = f" It said: {said[-1]}" if said else ""
    return WeightsError(f"The text-encoder process {how_ended(code)}.{last}")
