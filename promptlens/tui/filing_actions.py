"""What the File and View commands do that ask for a path: open, import from an image, export the view as SVG."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from promptlens.errors import InputError, PromptLensError
from promptlens.render._runs import Run
from promptlens.tui.dialog import Question
from promptlens.tui.files import OpenFile, open_file, write_file
from promptlens.tui.listing import Column, Entry
from promptlens.tui.path_dialog import PathDialog, must_exist

if TYPE_CHECKING:
    from promptlens.tui.filing import Filing
    from promptlens.tui.screen import MainScreen


def ask_open(filing: Filing) -> None:
    """Ask for a file and open it; one that is not there is a new one."""

    def named(name: str | None) -> None:
        if name:
            filing.when_saved(lambda: filing.open(Path(name)))

    filing.screen.app.push_screen(PathDialog("Open a file", filing.screen.palette, beside(filing)), named)


def beside(filing: Filing) -> str:
    """The folder of the open file as one types it, "" for the working directory."""
    if filing.file is None:
        return ""
    folder = filing.file.path.parent
    return "" if folder == Path() or folder == Path.cwd() else f"{folder}/"


def ask_import(filing: Filing) -> None:
    """Ask for a picture and put its prompts into the editors, as a prompt that has no file yet."""
    from promptlens.sources.images import NEEDED, SUFFIXES, WAY_OUT, can_be_read

    if not can_be_read():
        filing.screen.notify(f"{NEEDED[0].upper()}{NEEDED[1:]}. {WAY_OUT}", severity="error", markup=False, timeout=10)
        return

    def named(name: str | None) -> None:
        if name:
            filing.when_saved(lambda: import_picture(filing, Path(name)))

    dialog = PathDialog("Import from an image", filing.screen.palette, beside(filing), suffixes=SUFFIXES, refused=must_exist)
    filing.screen.app.push_screen(dialog, named)


def import_picture(filing: Filing, path: Path) -> None:
    """Take the prompts of a picture; of several one is chosen from a list."""
    try:
        file = open_file(path)
        if file.format != "images":
            raise InputError(f"{path}: is no PNG, JPEG or WebP picture. Open it with File: Open.")
        if not file.prompts:
            raise InputError(f"{path}: holds no prompt. Many web sites take it out of the pictures they show.")
    except PromptLensError as error:
        filing.screen.notify(str(error), severity="error", markup=False, timeout=10)
        return
    leads = [n for n, p in enumerate(file.prompts) if p.role != "negative"] or list(range(len(file.prompts)))
    if len(leads) == 1:
        _take(filing, file, leads[0])
        return
    entries = [Entry((Run(file.prompts[n].key), Run(" ".join(file.prompts[n].text.split()))), n) for n in leads]
    columns = (Column("name", 24), Column(f"prompts of {path.name}", 0))
    filing.screen.app.pick(f"{len(leads)} prompts", columns, entries, lambda n: _take(filing, file, n))


def _take(filing: Filing, file: OpenFile, number: int) -> None:
    partner = file.partner(number)
    negative = file.prompts[partner].text if partner is not None else ""
    filing.start_anew(file.prompts[number].text, negative)
    filing.screen.notify(f"Imported from {file.path.name}. Nothing is written into the picture.", markup=False)


def ask_export(screen: MainScreen) -> None:
    """Draw the screen as it is, then ask where to write it."""
    filing = screen.filing
    drawn = screen.app.export_screenshot(title=f"PromptLens: {filing.name}")
    stem = filing.file.path.stem if filing.file is not None else "prompt"

    def named(name: str | None) -> None:
        if not name:
            return
        path = Path(name)
        if path.exists():
            question = Question("Replace the file?", f"{path} is there already.", [("r", "Replace"), ("c", "Cancel")])
            screen.app.push_screen(question, lambda answer: write(path) if answer == "r" else None)
        else:
            write(path)

    def write(path: Path) -> None:
        try:
            write_file(path, drawn.encode("utf-8", "replace"))
        except PromptLensError as error:
            screen.notify(str(error), severity="error", markup=False, timeout=10)
        else:
            screen.notify(f"Wrote {path}.", markup=False)

    screen.app.push_screen(PathDialog("Export the view as SVG", screen.palette, f"{beside(filing)}{stem}.svg", suffixes=(".svg",)), named)
