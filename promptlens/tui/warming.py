"""Loading, behind the first screen, what the first key, the first look at a pane and the first dialog need. The rules are finder.py's.

Each of these imports takes 5 to 60 ms, which the screen would stand still for where it is needed. It is done by a thread, with pauses, so
that the screen has its turn in between.
"""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from threading import Event, Thread

from promptlens.errors import PromptLensError
from promptlens.job import Job
from promptlens.tui.inspect import TABS

PAUSE_S = 0.01
MODULES = (
    "wcwidth",
    "promptlens.sources._prompt",
    *(f"promptlens.tui.{place.partition('.')[0]}" for _, _, place in TABS),
    "promptlens.tui.picker",
    "promptlens.tui.commands",
    "promptlens.tui.help",
    "promptlens.tui.jump",
    "promptlens.tui.path_dialog",
    "promptlens.tui.filing_actions",
)


class Warming(Thread):
    """The thread; `stop` ends it after the import that is under way."""

    def __init__(self, job: Job) -> None:
        super().__init__(name="warming")
        self._job = job
        self._stopped = Event()

    def run(self) -> None:
        with suppress(PromptLensError):  # which the first key says
            self._job.report("a")  # loads the vocabulary
        for name in MODULES:
            if self._stopped.wait(PAUSE_S):
                return
            import_module(name)

    def stop(self) -> None:
        self._stopped.set()
