"""Asks for the name of a file, with what is in the folder listed below: Tab completes, the arrows choose, Enter takes."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from promptlens.errors import InputError
from promptlens.home import with_home
from promptlens.render._runs import Run, visible_text
from promptlens.tui.drawing import escaped
from promptlens.tui.key_names import with_keys
from promptlens.tui.listing import Column, Entry, Listing
from promptlens.tui.modal import Dialog
from promptlens.tui.palette import Palette

MOST_FILES = 2000
KEYS = "{path.complete} complete · {path.up} {path.down} choose · enter take · {dialog.close} close"
COLUMNS = (Column("name", 0), Column("bytes", 14, right=True))


@dataclass(frozen=True, slots=True)
class Found:
    """A file or folder: what is typed to name it, and how it is shown."""

    typed: str
    name: str
    folder: bool
    size: int


def matching(typed: str, suffixes: Sequence[str] = ()) -> list[Found]:
    """What begins as was typed, folders first; with `suffixes`, of files only those. Hidden ones only when a dot was typed."""
    at = max(typed.rfind("/"), typed.rfind(os.sep)) + 1
    shown, begun = typed[:at], typed[at:]
    found: list[Found] = []
    try:
        with os.scandir(with_home(shown or ".")) as entries:
            for entry in entries:
                if len(found) >= MOST_FILES:
                    break
                if _begins(entry.name, begun) and (begun.startswith(".") or not entry.name.startswith(".")):
                    found.append(_found(entry, shown))
    except (OSError, ValueError, InputError):  # InputError: the home of somebody who is not there
        return []
    kept = [f for f in found if f.folder or not suffixes or f.name.lower().endswith(tuple(suffixes))]
    return sorted(kept, key=lambda f: (not f.folder, f.name.casefold()))


def _begins(name: str, begun: str) -> bool:
    return name.startswith(begun) or (begun.islower() and name.casefold().startswith(begun))


def _found(entry: os.DirEntry[str], shown: str) -> Found:
    try:
        folder = entry.is_dir()
        size = 0 if folder else entry.stat().st_size
    except OSError:
        folder, size = False, 0
    return Found(f"{shown}{entry.name}{'/' if folder else ''}", entry.name, folder, size)


def completed(typed: str, found: Sequence[Found]) -> str:
    """What was typed, as far on as all that matches agrees."""
    names = sorted(f.typed for f in found) or [""]
    shared = "".join(a for a, _ in takewhile(lambda pair: pair[0] == pair[1], zip(names[0], names[-1], strict=False)))
    return shared if len(shared) > len(typed) or (shared and len(found) == 1) else typed


class PathDialog(Dialog[str]):
    """Gives the path, or "" when it is left with Escape. `refused` says why a path cannot be taken, "" where it can."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Close", id="dialog.close"),
        Binding("tab", "complete", "Complete", id="path.complete", priority=True),
        Binding("down", "move(1)", "Down", show=False, id="path.down"),
        Binding("up", "move(-1)", "Up", show=False, id="path.up"),
        Binding("pagedown", "move(10)", "Page down", show=False, id="path.page_down"),
        Binding("pageup", "move(-10)", "Page up", show=False, id="path.page_up"),
    ]

    def __init__(
        self,
        title: str,
        palette: Palette,
        name: str = "",
        *,
        suffixes: Sequence[str] = (),
        refused: Callable[[Path], str] | None = None,
    ) -> None:
        super().__init__()
        self._title = title
        self._name = name
        self._suffixes = suffixes
        self._refused = refused
        self.listing = Listing(
            palette,
            COLUMNS,
            "Nothing here begins so." if refused is not None else "Nothing here begins so: it will be a new file.",
            id="path-list",
        )
        self.listing.can_focus = False

    def compose(self) -> ComposeResult:
        with Vertical(id="path") as box:
            box.border_title = escaped(self._title)
            box.border_subtitle = escaped(with_keys(self, KEYS))
            yield Input(self._name, placeholder="a path, such as prompts/hero.txt", id="path-name", select_on_focus=False)
            yield Static("", id="path-error", markup=False)
            yield self.listing

    def on_mount(self) -> None:
        self.query_one(Input).focus()
        self.list_files()

    @on(Input.Changed)
    def list_files(self) -> None:
        """Show what matches; nothing of it is chosen until an arrow is pressed."""
        self._say("")
        self.listing.cursor = -1
        self.listing.show([_entry(f) for f in matching(self.query_one(Input).value, self._suffixes)])

    @property
    def _chosen(self) -> str:
        """What the arrows are on, "" while nothing is chosen."""
        at = self.listing.cursor
        return str(self.listing.entries[at].value.typed) if 0 <= at < len(self.listing.entries) else ""

    def action_move(self, by: int) -> None:
        count = len(self.listing.entries)
        if count:
            self.listing.cursor = min(max(self.listing.cursor + by, 0), count - 1)

    def action_complete(self) -> None:
        self._type(self._chosen or completed(self.query_one(Input).value, [e.value for e in self.listing.entries]))

    def _type(self, text: str) -> None:
        field = self.query_one(Input)
        field.value = text
        field.cursor_position = len(text)

    @on(Input.Submitted)
    def take_typed(self, event: Input.Submitted) -> None:
        event.stop()
        self._take(self._chosen or event.value.strip())

    @on(Listing.Chosen)
    def take_clicked(self, event: Listing.Chosen) -> None:
        event.stop()
        self._take(event.entry.value.typed)

    def _take(self, typed: str) -> None:
        """Go into a folder; a file is the answer."""
        if not typed:
            return
        try:
            path = with_home(typed)
            os.stat(path)
        except FileNotFoundError:
            pass
        except InputError as error:
            self._say(visible_text(str(error)))
            return
        except (ValueError, OSError) as error:
            self._say(f"{visible_text(typed)}: {getattr(error, 'strerror', None) or error}.")
            return
        if path.is_dir():
            self._type(typed if typed.endswith("/") else f"{typed}/")
            return
        reason = self._refused(path) if self._refused is not None else ""
        if reason:
            self._say(reason)
        else:
            self.dismiss(str(path))

    def _say(self, text: str) -> None:
        line = self.query_one("#path-error", Static)
        line.display = bool(text)
        line.update(text)

    def action_leave(self) -> None:
        self.dismiss("")


def _entry(found: Found) -> Entry:
    name = Run(f"{found.name}/", "info") if found.folder else Run(found.name)
    return Entry((name, Run("" if found.folder else f"{found.size:,}", "dim")), found)


def must_exist(path: Path) -> str:
    """Refuses what is not there."""
    return "" if path.exists() else f"{path}: is not there."
