"""Opening, saving and keeping: what the main screen does with files and drafts, and what it asks on the way."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from promptlens.errors import PromptLensError
from promptlens.hosts import HOSTS
from promptlens.models import MODELS
from promptlens.render._runs import Run, quoted
from promptlens.tui.dialog import Question
from promptlens.tui.drafts import EVERY_S, Draft, DraftFile, forget, orphans
from promptlens.tui.files import ChangedOnDisk, OpenFile, current, open_file, save, save_as
from promptlens.tui.listing import Column, Entry
from promptlens.tui.recent import recent_files, remember
from promptlens.tui.topbar import TopBar

if TYPE_CHECKING:
    from promptlens.tui.screen import MainScreen

UNTITLED = "untitled"


class Filing:
    """The file of a screen, which prompt of it is open, and the draft of what is not saved."""

    def __init__(self, screen: MainScreen) -> None:
        self.screen = screen
        self.file: OpenFile | None = None
        self.number = 0
        self.saved = (screen.positive.prompt, screen.negative.prompt)
        self.drafts = DraftFile()
        self._flushing = False
        self._noted = self.saved
        self._noticed: bytes | None = None

    # --- state

    @property
    def texts(self) -> tuple[str, str]:
        return self.screen.positive.prompt, self.screen.negative.prompt

    @property
    def changed(self) -> bool:
        return self.texts != self.saved

    @property
    def partner(self) -> int | None:
        return self.file.partner(self.number) if self.file is not None and self.number < len(self.file.prompts) else None

    @property
    def key(self) -> str:
        return self.file.prompts[self.number].key if self.file is not None and self.number < len(self.file.prompts) else ""

    @property
    def name(self) -> str:
        if self.file is None:
            return UNTITLED
        return f"{self.file.path.name} · {self.key}" if self.key and not self.file.is_text else self.file.path.name

    def show(self) -> None:
        self.screen.query_one(TopBar).show_file(self.name, changed=self.changed)

    def note(self) -> None:
        """Something was typed: keep it."""
        self.show()
        self._keep()

    def _keep(self) -> None:
        self._noted = self.texts
        if not self.changed:
            self.drafts.drop()
            return
        job, (positive, negative) = self.screen.job, self.texts
        path = str(self.file.path.absolute()) if self.file is not None else ""
        if not self.drafts.keep(Draft(positive, negative, path, self.key, job.host, job.model)) and not self._flushing:
            self._flushing = True
            self.screen.set_timer(EVERY_S, self._flush)

    def _flush(self) -> None:
        self._flushing = False
        self.drafts.flush()

    def close(self) -> None:
        """The program ends: what waits is written now, and what was typed so late that nobody noted it."""
        if self.texts != self._noted:
            self._keep()
        self.drafts.close()

    # --- opening

    def offer_draft(self, path: Path | None) -> None:
        """Ask about the newest draft that belongs to the file, or to any where none was asked for."""
        wanted = str(path.absolute()) if path is not None else None
        found = next(((p, d) for p, d in orphans() if wanted is None or d.path == wanted), None)
        if found is None:
            return
        place, draft = found
        when = time.strftime("%d %b %H:%M", time.localtime(draft.saved_at))
        what = f"of {Path(draft.path).name} " if draft.path else ""
        said = f"A draft {what}from {when} was not saved:\n\n{quoted(draft.positive or draft.negative, 200)}"

        def answered(answer: str | None) -> None:
            if answer == "r":
                self.restore(draft)
            if answer in ("r", "d"):
                self.drafts.flush()
                forget(place)

        self.screen.app.push_screen(
            Question("Restore what was typed?", said, [("r", "Restore"), ("d", "Discard"), ("l", "Later")], unasked=True), answered
        )

    def restore(self, draft: Draft) -> None:
        """Put a draft into the editors, as an edit that can be undone, over the file it belongs to."""
        if draft.path and self.file is None and Path(draft.path).is_file():
            self.open(Path(draft.path), key=draft.key)
        before, job = self.texts, self.screen.job
        host = draft.host if draft.host in HOSTS else job.host
        model = draft.model if draft.model in MODELS else job.model
        self.screen.use_job(replace(job, host=host, model=model))
        self.screen.positive.replace_all(draft.positive)
        self.screen.negative.replace_all(draft.negative)
        self.note()
        if any(text.strip() and text != now for text, now in zip(before, self.texts, strict=True)):
            self.screen.notify("Restored. What stood in an editor before comes back with ctrl+z there.")

    def open(self, path: Path, *, key: str = "") -> None:
        """Open a file; of several prompts one is chosen from a list."""
        try:
            file = open_file(path)
        except PromptLensError as error:
            self.screen.notify(str(error), severity="error", markup=False, timeout=10)
            return
        remember(path)
        number = next((n for n, p in enumerate(file.prompts) if key and p.key == key), None)
        if number is None and len(file.prompts) > 1:
            self.choose_prompt(file)
        else:
            self.take(file, number or 0)

    def choose_prompt(self, file: OpenFile | None = None) -> None:
        """List the prompts of a file."""
        file = file or self.file
        if file is None or not file.prompts:
            self.screen.notify("No file with several prompts is open.")
            return
        entries = [Entry((Run(p.key), Run(p.role, "dim"), Run(" ".join(p.text.split()))), n) for n, p in enumerate(file.prompts)]
        columns = (Column("name", 24), Column("role", 8), Column(f"prompts of {file.path.name}", 0))
        self.screen.app.pick(f"{len(file.prompts)} prompts", columns, entries, lambda n: self.when_saved(lambda: self.take(file, n)))

    def take(self, file: OpenFile, number: int) -> None:
        """Edit a prompt of a file, with the negative one that belongs to it."""
        self.file, self.number = file, number
        self.screen.app.follow(file.path)
        partner = self.partner
        positive = file.prompts[number].text if file.prompts else ""
        negative = file.prompts[partner].text if partner is not None else ""
        self.saved = (positive, negative)
        self.screen.positive.load_prompt(positive)
        self.screen.negative.load_prompt(negative)
        self.screen.negative.display = bool(negative)
        self.drafts.drop()
        self.show()
        self.screen.positive.focus()

    def start_anew(self, positive: str, negative: str) -> None:
        """Other prompts, which have no file yet."""
        self.file, self.number, self.saved = None, 0, ("", "")
        self.drafts.drop()
        self.screen.positive.load_prompt(positive)
        self.screen.negative.load_prompt(negative)
        self.screen.negative.display = bool(negative)
        self.note()
        self.screen.positive.focus()

    def show_recent(self) -> None:
        """List the files opened last."""
        entries = [Entry((Run(p.name), Run(str(p.parent), "dim")), p) for p in recent_files()]
        columns = (Column("file", 28), Column("folder", 0))
        hint = "No file was opened yet: File: Open in the command palette does."
        self.screen.app.pick("Recent files", columns, entries, lambda p: self.when_saved(lambda: self.open(p)), hint=hint)

    # --- saving

    def when_saved(self, then: object) -> None:
        """Do something that puts other texts into the editors, once those that are there are safe."""
        assert callable(then)
        if not self.changed:
            then()
            return

        def answered(answer: str | None) -> None:
            if answer == "s":
                self.save(then)
            elif answer == "d":
                then()

        said = f"{self.name} has changes that are not saved."
        self.screen.app.push_screen(Question("Unsaved changes", said, [("s", "Save"), ("d", "Discard"), ("c", "Cancel")]), answered)

    def save(self, then: object = None, *, anyway: bool = False) -> None:
        """Save the prompt where it came from, or ask for a name."""
        file = self.file
        if file is None or (file.prompts and not file.is_text and not file.prompts[self.number].writable):
            self.ask_save_as(then)
            return
        if not file.prompts and not file.is_text:
            self.ask_save_as(then)
            return
        try:
            saved = save(file, self._changes(), anyway=anyway)
        except ChangedOnDisk:
            self.ask_about_change(then)
        except PromptLensError as error:
            self.screen.notify(str(error), severity="error", markup=False, timeout=10)
        else:
            self._saved(saved, then)

    def _changes(self) -> dict[int, str]:
        positive, negative = self.texts
        changes = {self.number: positive}
        if self.partner is not None:
            changes[self.partner] = negative
        elif negative.strip() and negative != self.saved[1]:
            self.screen.notify("This file has no place for the negative prompt: only the prompt is saved.", severity="warning")
        return changes

    def _saved(self, file: OpenFile, then: object) -> None:
        self.file = file
        self.saved = self.texts
        self.drafts.drop()
        self.show()
        self.screen.notify(f"Saved {file.path.name}.", markup=False)
        if callable(then):
            then()

    def ask_save_as(self, then: object = None) -> None:
        """Ask for a name and write the prompt there, as text."""

        def named(name: str | None) -> None:
            if not name:
                return
            path = Path(name)  # the dialog knows what ~ is
            if path.exists():
                said = f"{path} is there already."
                self.screen.app.push_screen(
                    Question("Replace the file?", said, [("r", "Replace"), ("c", "Cancel")]),
                    lambda answer: self._write_as(path, then) if answer == "r" else None,
                )
            else:
                self._write_as(path, then)

        from promptlens.tui.path_dialog import PathDialog

        name = "" if self.file is None else str(self.file.path.with_suffix(".txt"))
        self.screen.app.push_screen(PathDialog("Save the prompt as", self.screen.palette, name), named)

    def _write_as(self, path: Path, then: object) -> None:
        try:
            file = save_as(path, self.texts[0])
        except PromptLensError as error:
            self.screen.notify(str(error), severity="error", markup=False, timeout=10)
            return
        remember(path)
        self.number = 0
        self._saved(file, then)

    def ask_about_change(self, then: object = None) -> None:
        """The file is not what it was: whose text is it to be?"""
        file = self.file
        assert file is not None

        def answered(answer: str | None) -> None:
            if answer == "m":
                self.save(then, anyway=True)
            elif answer == "t":
                self.open(file.path, key=self.key)
            elif answer == "a":
                self.ask_save_as(then)

        said = f"{file.path} was changed by another program since it was opened."
        answers = [("m", "Keep mine"), ("t", "Take theirs"), ("a", "Save as"), ("c", "Cancel")]
        self.screen.app.push_screen(Question("Changed on disk", said, answers), answered)

    def look(self) -> None:
        """Say once when the file was changed by another program."""
        file = self.file
        if file is None:
            return
        try:
            now = current(file)
        except PromptLensError:
            return
        if now is not None and now not in (file.content, self._noticed):
            self._noticed = now
            self.screen.notify(f"{file.path.name} was changed by another program. Saving will ask.", severity="warning", markup=False)
