"""Saving what was changed in the settings screen: into which file, what is asked on the way, and whether it then holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from promptlens.config import key_name
from promptlens.errors import PromptLensError
from promptlens.job import Job
from promptlens.settings_file import SettingsChangedError, SettingsFile, read_settings_file, target_of, write_settings
from promptlens.tui.dialog import Question
from promptlens.tui.session import Session, load_anew
from promptlens.tui.setting_rows import near_path

if TYPE_CHECKING:
    from promptlens.tui.screen import MainScreen

ISOLATED = "--isolated takes no settings from files, and writes none. Start without it to save."


class Saving:
    """The settings file of the prompt that is open, as it was when the screen was opened or it was last saved."""

    def __init__(self, main: MainScreen) -> None:
        self.main = main
        self.file: SettingsFile | None = None
        self.trouble = ""

    @property
    def session(self) -> Session:
        return self.main.app.session

    @property
    def opened(self) -> Path | None:
        file = self.main.filing.file
        return file.path.absolute() if file is not None else None

    def look(self) -> None:
        """Read the file, and take over what it says by now of all that was not changed here."""
        main, session = self.main, self.session.with_job(self.main.job)
        self.trouble = ""
        try:
            self.file = read_settings_file(target_of(session.loaded, self.opened))
            loaded = load_anew(session.loaded, self.opened)
        except PromptLensError as error:
            self.trouble = str(error)
            main.app.session = session
            return
        fresh = session.reloaded(loaded)
        if fresh.current != session.current and not self._take(fresh):
            fresh = session
        main.app.session = fresh

    def _take(self, session: Session) -> bool:
        """Analyse with what other settings say."""
        try:
            job = session.job()
        except PromptLensError as error:
            self.trouble = str(error)
            return False
        return job == self.main.job or take_job(self.main, job)

    @property
    def state(self) -> str:
        """What would be saved, and where, in a line."""
        if self.trouble:
            return self.trouble
        count = len(self.session.changes)
        name = near_path(str(self.file.path)) if self.file is not None else ""
        if not count:
            return f"Nothing to save in {name}." if self.file is not None and self.file.content is not None else "Nothing to save."
        return (
            f"{count} not saved in {name}"
            if self.file is None or self.file.content is not None
            else f"{count} not saved; {name} would be new"
        )

    def save(self, then: Callable[[], None]) -> None:
        """Write the changes, and ask first where the file is not there yet, or is another by now."""
        main = self.main
        if not self.session.changes:
            main.notify("There is nothing to save: no setting was changed.", markup=False)
        elif self.session.loaded.only and not self.session.loaded.files:
            main.notify(ISOLATED, severity="warning", markup=False, timeout=10)
        else:
            self._save(then)

    def _save(self, then: Callable[[], None]) -> None:
        try:
            file = self.file or read_settings_file(target_of(self.session.loaded, self.opened))
        except PromptLensError as error:
            self._fail(error)
            return
        if file.content is not None:
            self._write(file, then)
            return
        said = f"There is no settings file for this prompt yet. A new one is made:\n\n{file.path}"
        self.main.app.push_screen(
            Question("Make a settings file?", said, [("m", "Make it"), ("c", "Cancel")]),
            lambda answer: self._write(file, then) if answer == "m" else None,
        )

    def _write(self, file: SettingsFile, then: Callable[[], None], *, anyway: bool = False) -> None:
        names = ", ".join(map(short_name, self.session.changes))
        try:
            self.file = write_settings(file, self.session.changes, anyway=anyway)
        except SettingsChangedError as error:
            said = f"{error}\n\nOnly what you changed is written ({names}); all else stays as it says now."
            self.main.app.push_screen(
                Question("Changed on disk", said, [("w", "Write mine into it"), ("c", "Cancel")]),
                lambda answer: self._write(file, then, anyway=True) if answer == "w" else None,
            )
            return
        except PromptLensError as error:
            self._fail(error)
            return
        self.look()
        self._tell(names)
        then()

    def _fail(self, error: PromptLensError) -> None:
        self.main.notify(str(error), severity="error", markup=False, timeout=15)

    def _tell(self, names: str) -> None:
        """Say what was saved, and what is nevertheless said otherwise."""
        assert self.file is not None
        name = near_path(str(self.file.path))
        left = self.session.changes
        if self.trouble:
            self.main.notify(f"Saved, but {self.trouble}", severity="warning", markup=False, timeout=15)
        elif left:
            origins = self.session.loaded.origins
            others = ", ".join(f"{short_name(key)} ({near_path(origins.get(key, 'default'))})" for key in left)
            said = f"Saved in {name}, but other settings win for this prompt: {others}."
            self.main.notify(said, severity="warning", markup=False, timeout=15)
        else:
            self.main.notify(f"Saved in {name}: {names}.", markup=False)


def follow(main: MainScreen) -> None:
    """Take the settings that are nearest to the file that was opened, but for what was changed in this session."""
    saving, before = Saving(main), main.job
    saving.look()
    if saving.trouble:
        main.notify(saving.trouble, severity="error", markup=False, timeout=10)
    elif main.job != before and saving.file is not None:
        main.notify(f"Read as {near_path(str(saving.file.path))} says.", markup=False)


def short_name(key: str) -> str:
    """A key as the screen names it."""
    table, _, name = key.rpartition(".")
    return name if table == "options" else key_name(name)


def take_job(main: MainScreen, job: Job) -> bool:
    """Analyse with a job on the main screen; False where that cannot be, which it says."""
    main.use_job(job)
    return main.job is job


def switched(main: MainScreen, name: str, session: Session) -> bool:
    """Take a session whose key `name` is another, at once; False where that cannot be, which is said."""
    try:
        job = session.job_after(name, main.job)
    except PromptLensError as error:
        main.notify(str(error), severity="error", markup=False, timeout=10)
        return False
    if not take_job(main, job):
        return False
    main.app.session = session
    return True
