"""The encoder process's own side: `python -m promptlens.encoder.worker`, started by process.py, which says what it is for.

One thread reads requests and does nothing else, so a cancellation is heard in the middle of an encoding, and the end of the parent
at once: its pipe closes however it dies, and this process ends with it. The other works, one request after the other.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import time
from collections.abc import Callable, Mapping
from threading import Lock, Thread
from typing import IO, Any

from promptlens.encoder.frames import Message, receive, send, window_from_json
from promptlens.encoder.interface import Progress
from promptlens.encoder.windows import CancelledError
from promptlens.errors import PromptLensError

# Progress is told at most this often: the other side draws with it.
_PROGRESS_S = 0.05


Handler = Callable[[Message, Progress], Message]
"""What answers a kind of request. Its progress callback raises `CancelledError` once nobody waits any more."""


class Worker:
    """Answers requests from `requests` on `answers`. Encoders stay loaded under the number that loading them gave.

    `more` are kinds of request that another module answers.
    """

    def __init__(self, requests: IO[bytes], answers: IO[bytes], more: Mapping[str, Handler] | None = None) -> None:
        self._requests = requests
        self._answers = answers
        self._more = dict(more or {})
        self._sending = Lock()
        self._queue: queue.SimpleQueue[tuple[Message, list[Any]]] = queue.SimpleQueue()
        self._cancelled: set[int] = set()
        self._encoders: dict[int, Any] = {}

    def listen(self) -> None:
        """Read requests until the parent is gone, then end the process."""
        while (got := receive(self._requests)) is not None:
            if got[0]["do"] == "cancel":
                self._cancelled.update(got[0]["ids"])
            else:
                self._queue.put(got)
        os._exit(0)  # whatever is being computed, nobody waits for it

    def work(self) -> None:
        """Answer requests for ever."""
        while True:
            message, arrays = self._queue.get()
            try:
                self._stop_if_cancelled(message["id"])
                answer, results = self._answer(message, arrays)
            except CancelledError:
                answer, results = {"failed": "cancelled", "message": ""}, []
            except PromptLensError as e:
                answer, results = {"failed": type(e).__name__, "message": str(e)}, []
            except MemoryError:
                answer, results = {"failed": "WeightsError", "message": "There is not enough memory for this text encoder."}, []
            self._cancelled.discard(message["id"])
            self._send({"id": message["id"], **answer}, results)

    def _answer(self, message: Message, arrays: list[Any]) -> tuple[Message, list[Any]]:
        if message["do"] in self._more:
            return self._more[message["do"]](message, self._progress(message["id"])), []
        if message["do"] == "load":
            return self._load(message), []
        if message["do"] == "forget":
            del self._encoders[message["encoder"]]
            return {}, []
        encoder = self._encoders[message["encoder"]]
        if message["do"] == "checksum":
            return {"checksum": encoder.checksum}, []
        if message["do"] == "embed":
            return {}, [encoder.embed(message["ids"])]
        windows = [window_from_json(w) for w in message["windows"]]
        base = None if message["base"] is None else window_from_json(message["base"])
        progress = self._progress(message["id"])
        if message["do"] == "pool":
            pooled = encoder.pool_windows(windows, base=base, progress=progress)
            return {}, [pooled.pooled, pooled.projected]
        encoded = encoder.encode_windows(windows, layer=message["layer"], final_norm=message["final_norm"], base=base, progress=progress)
        return {}, [encoded.hidden, encoded.pooled, encoded.projected]

    def _load(self, message: Message) -> Message:
        from promptlens.encoder.loading import load_encoder

        encoder = load_encoder(message["source"], message["name"], **message["options"])
        self._stop_if_cancelled(message["id"])
        self._encoders[message["id"]] = encoder
        facts = {fact: getattr(encoder, fact) for fact in ("name", "width", "positions", "layers", "missing_layers")}
        return {"encoder": message["id"], **facts}

    def _progress(self, request: int) -> Any:
        """A callback that stops a cancelled request and tells the others' progress."""
        told = -_PROGRESS_S  # the first step is told at once

        def step(done: int, total: int) -> None:
            nonlocal told
            self._stop_if_cancelled(request)
            if time.monotonic() - told >= _PROGRESS_S or done == total:
                told = time.monotonic()
                self._send({"id": request, "progress": [done, total]}, [])

        return step

    def _stop_if_cancelled(self, request: int) -> None:
        if request in self._cancelled:
            raise CancelledError

    def _send(self, message: Message, arrays: list[Any]) -> None:
        with self._sending:
            try:
                send(self._answers, message, arrays)
            except BrokenPipeError:
                os._exit(0)


def main(more: Mapping[str, Handler] | None = None) -> None:
    """Keep the pipes for messages, give the rest of the world stderr, and work."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then closes the pipe or cancels
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # what a library prints must not get between the messages
    sys.stdout = sys.stderr
    worker = Worker(requests, answers, more)
    Thread(target=worker.listen, daemon=True).start()
    worker.work()


if __name__ == "__main__":
    main()
