"""Pins: a prompt as it was read when it was pinned, A, to compare with what the editor holds now, B.

Each editor has a pin of its own. A stays in the host it was pinned in, so B may differ by its text, by its host and settings, or by both;
`read_here` reads A as B is read. Another model has other encoders, so that A is read anew with the model of B.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from promptlens.errors import PromptLensError
from promptlens.job import Job
from promptlens.report import Report
from promptlens.tui.key_names import with_keys

if TYPE_CHECKING:
    from promptlens.tui.editor import PromptEditor
    from promptlens.tui.screen import MainScreen

NOTHING_PINNED = "Nothing is pinned: {compare.pin} pins the prompt as it is."


@dataclass(frozen=True, slots=True, eq=False)
class Pin:
    """A: a text, what it was analysed with, and the analysis."""

    text: str
    job: Job
    report: Report
    negative: bool


class Pinning:
    """The pins of a screen. `screen.pinned` is that of the editor in use."""

    def __init__(self, screen: MainScreen) -> None:
        self.screen = screen
        self._pins: dict[PromptEditor, Pin] = {}

    def follow(self) -> None:
        """Another editor is in use, or its pin is another one."""
        self.screen.pinned = self._pins.get(self.screen.editor)

    def pin(self) -> None:
        """Pin the prompt of the editor in use as it is now."""
        screen = self.screen
        self._put(screen.editor.prompt, screen.job)
        screen.notify("Pinned as A. The Compare tab says what you change from here on.")

    def _put(self, text: str, job: Job) -> None:
        editor = self.screen.editor
        negative = editor is self.screen.negative
        self._pins[editor] = Pin(text, job, job.report(text, negative=negative), negative)
        self.follow()

    def unpin(self) -> None:
        """Let go of A."""
        if self._pins.pop(self.screen.editor, None) is None:
            self.screen.notify(with_keys(self.screen, NOTHING_PINNED), markup=False)
        self.follow()

    def swap(self) -> None:
        """Put A back into the editor, in its host, as an edit that can be undone; what was there becomes A."""
        screen, pin = self.screen, self.screen.pinned
        if pin is None or screen.report is None:
            screen.notify(with_keys(screen, NOTHING_PINNED), markup=False)
            return
        text, job = screen.editor.prompt, screen.job
        pin = for_model(pin, screen.report, job)
        if pin.job != job:
            screen.use_job(pin.job)
        screen.editor.replace_all(pin.text)
        self._put(text, job)

    def read_here(self) -> None:
        """Read A as B is read, so that they differ by their texts alone."""
        pin = self.screen.pinned
        if pin is None:
            self.screen.notify(with_keys(self.screen, NOTHING_PINNED), markup=False)
        else:
            self._put(pin.text, self.screen.job)


def for_model(pin: Pin, now: Report, job: Job) -> Pin:
    """The pin read with the model of `now`: in its own host if that runs the model, else as `job` says, which made `now`."""
    if pin.report.usage.model == now.usage.model:
        return pin
    job = replace(job, host=now.usage.host.name, model=now.usage.model.name)  # the screen's may be that of a later report
    own = replace(pin.job, model=job.model, t5_tokenizer=job.t5_tokenizer, installs=job.installs)
    try:
        report = own.report(pin.text, negative=pin.negative)
    except PromptLensError:
        own, report = job, job.report(pin.text, negative=pin.negative)
    return Pin(pin.text, own, report, pin.negative)
