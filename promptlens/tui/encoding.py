"""The near side of what needs a text encoder: a child process that is started before the app, and asked without waiting.

    with Encoding() as encoding:                        # start() it before the app runs
        answer = await encoding.ask(question(...))      # what was asked before is answered at once

Torch and numpy are imported over there alone (measurer.py). The child ends with this process, however this one ends. It leaves out what
the panes make of the answers.
"""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass, replace
from typing import Any

from promptlens.encoder.process import EncoderProcess
from promptlens.encoder.windows import CancelledError
from promptlens.errors import PromptLensError
from promptlens.hosts import HOSTS
from promptlens.job import Job
from promptlens.weights import Weights

MODULE = "promptlens.tui.measurer"
# Answers kept: undo, and back to a host that was looked at before, cost nothing.
KEPT = 64

Message = dict[str, Any]
Watcher = Callable[[], None]


class EncoderGoneError(PromptLensError):
    """The child process ended by itself; `restart` starts another."""


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull under way or over: `done` of `of` bytes are here. `error` is empty while it goes on and when it is done."""

    name: str
    done: int = 0
    of: int = 0
    running: bool = True
    stopped: bool = False
    error: str = ""


class Encoding:
    """The child process, which weights it is to take, and what it answered last. `watchers` are called when one of them changes.

    `weights` says where to look, the paths chosen last first, which is done anew with each `look`.
    """

    def __init__(self, weights: Weights | None = None) -> None:
        self.weights = weights or Weights()
        self.look = 0
        self.pulling: Pull | None = None
        self.watchers: list[Watcher] = []
        self._process: EncoderProcess | None = None
        self._puller: EncoderProcess | None = None
        self._answers: OrderedDict[str, Message] = OrderedDict()

    # --- the process

    def start(self) -> None:
        """Start the child, unless it runs."""
        if self._process is None:
            self._process = EncoderProcess(MODULE)

    def close(self) -> None:
        """End it, and a pull with it, which goes on the next time from where it stopped."""
        for process in (self._puller, self._process):
            if process is not None:
                process.close()
        self._process = self._puller = None

    def __enter__(self) -> Encoding:
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    async def restart(self) -> None:
        """Another child in place of one that ended or hangs."""
        old, self._process = self._process, None
        if old is not None:
            await asyncio.to_thread(old.close)
        self.start()
        self._look_again()

    # --- questions

    def known(self, question: Message) -> Message | None:
        """The answer to a question that was asked before."""
        return self._answers.get(_key(question))

    async def ask(self, question: Message, progress: Callable[[int, int], None] | None = None) -> Message:
        """The answer to a question; `progress` is called in this thread. Who stops waiting takes the question back.

        Raises what the child raised, or `EncoderGoneError` where it is no more.
        """
        key = _key(question)
        if key in self._answers:
            self._answers.move_to_end(key)
            return self._answers[key]
        self.start()
        assert self._process is not None
        answer = await _asked(self._process, question, progress)
        if question["do"] != "weights":
            self._answers[key] = answer
            while len(self._answers) > KEPT:
                self._answers.popitem(last=False)
        return answer

    def question(self, do: str, text: str, job: Job, *, negative: bool = False, **asked: Any) -> Message:
        """A question about a prompt: `do` is "influence" or "similarity"."""
        known = HOSTS[job.host].options.__dataclass_fields__
        options = {name: value for name, value in job.usual.items() if name in known} | dict(job.chosen)
        if negative and "negative" in known:
            options["negative"] = True
        if asked.get("lens") == "conditioning":  # the other measures take the pooled vector, which is always that of the last layer
            asked["clip_skip"] = job.clip_skip
        what = {"do": do, "text": text, "host": job.host, "model": job.model, "options": options, **asked}
        return what | asdict(self.weights) | {"roots": self.roots(job), "look": self.look}

    def roots(self, job: Job) -> list[str]:
        """Folders of installs, those of the settings too."""
        return list(dict.fromkeys([*self.weights.roots, *job.installs]))

    # --- weights

    @property
    def chosen(self) -> tuple[str, ...]:
        """The paths that were chosen here or on the command line, in the form of `--encoder-path`; "preview" takes the preview."""
        return self.weights.paths[: self.weights.own]

    def choose(self, paths: Sequence[str]) -> None:
        """Take other weights from now on; without any, those of the settings and of this machine."""
        from promptlens.encoder.preview import NAME as PREVIEW

        rest = [path for path in self.weights.paths[self.weights.own :] if path != PREVIEW or not paths]
        self.weights = replace(self.weights, paths=(*paths, *rest), own=len(paths))
        self._look_again()

    async def pull(self, name: str) -> None:
        """Fetch the weights of an encoder in a process of its own; `pulling` says how far it is."""
        if self.pulling is not None and self.pulling.running:
            return
        self.pulling = Pull(name)
        self._changed()
        self._puller = EncoderProcess(MODULE)
        try:
            await _asked(self._puller, {"do": "pull", "name": name}, self._note_pull)
        except CancelledError:
            self.pulling = replace(self.pulling, running=False, stopped=True)
        except PromptLensError as e:
            self.pulling = replace(self.pulling, running=False, error=str(e))
        else:
            self.pulling = replace(self.pulling, running=False)
            from promptlens.encoder.preview import NAME as PREVIEW

            self.choose([path for path in self.chosen if path != PREVIEW])
        finally:
            puller, self._puller = self._puller, None
            if puller is not None:
                await asyncio.to_thread(puller.close)
            self._changed()

    async def stop_pull(self) -> None:
        """Stop the pull; what is here stays for the next time."""
        if self._puller is not None:
            await asyncio.to_thread(self._puller.close)

    def _note_pull(self, done: int, of: int) -> None:
        if self.pulling is not None and self.pulling.running:
            self.pulling = replace(self.pulling, done=done, of=of)
            self._changed()

    def _look_again(self) -> None:
        self.look += 1
        self._changed()

    def _changed(self) -> None:
        for watcher in list(self.watchers):
            watcher()


def _key(question: Message) -> str:
    return json.dumps(question, sort_keys=True, default=dict)


async def _asked(process: EncoderProcess, question: Message, progress: Callable[[int, int], None] | None) -> Message:
    """An answer, waited for without a thread."""
    loop = asyncio.get_running_loop()
    done = False

    def step(number: int, of: int) -> None:
        if progress is not None and not done and not loop.is_closed():
            loop.call_soon_threadsafe(tell, number, of)

    def tell(number: int, of: int) -> None:
        if progress is not None and not done:
            progress(number, of)

    try:
        number, answer = process.submit(json.loads(_key(question)), step)
        try:
            return await _outcome(answer)
        except asyncio.CancelledError:
            process.cancel(number)
            raise
    except PromptLensError as e:
        if process.over is not None:
            raise EncoderGoneError(str(process.over)) from e
        raise
    finally:
        done = True


async def _outcome(answer: Future[tuple[Message, list[Any]]]) -> Message:
    """What comes of it. Who is cancelled while waiting leaves it to come: a future that the hearing thread still fills is not touched."""
    coming = asyncio.wrap_future(answer)
    coming.add_done_callback(lambda f: f.cancelled() or f.exception())  # what nobody waits for any more is no news on leaving
    message, _ = await asyncio.shield(coming)
    return message
