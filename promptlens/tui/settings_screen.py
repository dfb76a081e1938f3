"""The settings screen: every row with its value and where that comes from. A change holds at once, and the prompt above shows it.

The rows are setting_rows.py's, writing them is settings_saving.py's.
"""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from promptlens.errors import PromptLensError
from promptlens.render._runs import Row, Run, visible_text, wrap
from promptlens.spans import cell_width
from promptlens.tui.drawing import escaped, fit, text_of
from promptlens.tui.key_names import with_keys
from promptlens.tui.listing import Column, Entry, Listing
from promptlens.tui.modal import Dialog
from promptlens.tui.palette import Palette
from promptlens.tui.session import DEFAULT, SESSION
from promptlens.tui.setting_rows import HINTS, Setting, in_words, near_path, parsed, setting_rows, stepped
from promptlens.tui.settings_saving import Saving, short_name, switched
from promptlens.tui.topbar import Button, Label
from promptlens.tui.value_dialog import ValueDialog

if TYPE_CHECKING:
    from promptlens.tui.screen import MainScreen

NARROW = 74  # cells below which the last column goes
FROM = 24  # cells of where a value comes from
COLUMNS = (Column("", 1), Column("setting", 25), Column("value", 0), Column("from", FROM))
SHORT = 20  # cells that a value has on the narrowest screen
CHOICES = (Column("", 22), Column("", 0))
KEYS = "{table.choose} change · {settings.less} {settings.more} step · {settings.undo} take back · {table.filter} filter"


class SettingList(Listing):
    """The rows, with keys that change the one under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,minus", "row('step(-1)')", "Less", show=False, id="settings.less"),
        Binding("right,plus", "row('step(1)')", "More", show=False, id="settings.more"),
        Binding("backspace,delete", "row('undo')", "Take back", show=False, id="settings.undo"),
    ]

    async def action_row(self, action: str) -> None:
        """Do something with the row under the cursor, but not while a filter is typed."""
        if not self._filtering:
            await self.run_action(f"screen.{action}")


class SettingsScreen(Dialog[None]):
    """Over the lower part of the main screen, so that the prompt stays in view."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Close", id="settings.close"),
        Binding("ctrl+s", "save", "Save", id="settings.save"),
    ]

    def __init__(self, main: MainScreen) -> None:
        super().__init__()
        self._main = main
        self.saving = Saving(main)
        self.rows: tuple[Setting, ...] = ()
        self.listing = SettingList(main.palette, COLUMNS, "", id="settings-list")
        self.about = Static(id="settings-about", markup=False)
        self.state = Label(id="settings-state")

    def compose(self) -> ComposeResult:
        with Vertical(id="settings") as box:
            box.border_title = "Settings"
            yield self.listing
            yield self.about
            with Horizontal(id="settings-foot"):
                yield self.state
                yield Button("save", id="settings-save")
                yield Button("leave", id="settings-close")

    def on_mount(self) -> None:
        self.query_one("#settings").border_subtitle = escaped(with_keys(self.listing, KEYS))
        self.query_one("#settings-save", Button).show(with_keys(self, " Save {settings.save} "))
        self.query_one("#settings-close", Button).show(with_keys(self, " Close {settings.close} "))
        self.saving.look()
        self.show_rows()
        self.listing.focus()

    # --- what it shows

    @property
    def palette(self) -> Palette:
        return self._main.palette

    def show_rows(self) -> None:
        app = self._main.app
        themes = [name for name in app.available_themes if "ansi" not in name]
        self.rows = setting_rows(app.session, theme=app.theme, themes=themes, compact=self._main.has_class("-compact"))
        self.listing.use_palette(self.palette)
        self.listing.show([_entry(row) for row in self.rows], columns=self.columns)
        self.show_about()
        self.show_state()

    @property
    def columns(self) -> tuple[Column, ...]:
        """As many as there is room for."""
        return COLUMNS if self.app.size.width >= NARROW else COLUMNS[:-1]

    def show_state(self) -> None:
        self.state.show(fit(visible_text(self.saving.state), max(self.state.size.width, 8)).rstrip(), fills=True)

    @on(Listing.Highlighted)
    def show_about(self) -> None:
        """What the row under the cursor is, and where its value comes from in full."""
        row = self.row
        width = self.about.size.width
        if row is None or width < 8:
            return
        self.about.update(text_of(_about(row, width)[: self.about.size.height], self.palette))

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self.show_rows)

    @property
    def row(self) -> Setting | None:
        entry = self.listing.entry
        return entry.value if entry is not None else None

    # --- changing

    @on(Listing.Chosen)
    def change(self, event: Listing.Chosen) -> None:
        """Turn over what is yes or no; choose, or type, anything else."""
        event.stop()
        row: Setting = event.entry.value
        if [value for value, _ in row.choices] == [True, False]:
            self.take(row, not row.value)
        elif row.choices:
            entries = [Entry((Run(in_words(value, row.empty)), Run(about, "dim")), n) for n, (value, about) in enumerate(row.choices)]
            current = next((n for n, (value, _) in enumerate(row.choices) if value == row.value), 0)
            self._main.app.pick(row.label, CHOICES, entries, lambda n: self.take(row, row.choices[n][0]), current=current)
        else:
            hint = f"{HINTS[row.kind]}{f'; nothing: {row.empty}' if row.empty else ''}"
            self._main.app.push_screen(ValueDialog(row.label, row.about, row.typed, hint, partial(self._typed, row)))

    def _typed(self, row: Setting, text: str) -> str:
        """Take what was typed; why it will not do, "" where it did."""
        try:
            value = parsed(row, text, self._main.job.host)
            session = self._main.app.session.changed(row.key, value)
            session.job_after(row.key, self._main.job).report("")
        except PromptLensError as error:
            return str(error)
        self.take(row, value)
        return ""

    def take(self, row: Setting, value: Any) -> None:
        """Another value, which holds from now on."""
        app = self._main.app
        if row.personal:
            if row.key == "theme":
                app.choose_theme(value)
            elif value != self._main.has_class("-compact"):
                app.action_compact()
            self.call_after_refresh(self.show_rows)  # the palette is made anew by a message
        elif switched(self._main, row.key, app.session.changed(row.key, value)):
            self.show_rows()

    def action_step(self, by: int) -> None:
        """The next choice or number."""
        row = self.row
        if row is None:
            return
        try:
            value = stepped(row, by)
        except PromptLensError as error:
            self.notify(str(error), severity="warning", markup=False)
            return
        if value != row.value or (value is None) != (row.value is None):
            self.take(row, value)

    def action_undo(self) -> None:
        """What files say again."""
        row = self.row
        if row is not None and row.changed and switched(self._main, row.key, self._main.app.session.taken_back(row.key)):
            self.show_rows()

    def action_save(self) -> None:
        self.saving.save(self.show_rows)

    def action_leave(self) -> None:
        changes = self._main.app.session.changes
        self.dismiss(None)
        if changes:
            names = ", ".join(map(short_name, changes))
            told = with_keys(self._main, f"Not saved, for this session only: {names}. Settings ({{settings.open}}) can save it.")
            self._main.notify(told, markup=False)


def _entry(row: Setting) -> Entry:
    value = Run(row.shown, "" if row.source != DEFAULT else "dim")
    source = Run(_short(near_path(row.source)), "info" if row.source == SESSION else "dim")
    return Entry((Run("●" if row.changed else "", "warning"), Run(row.label), value, source), row)


def _short(source: str) -> str:
    """The end of a long path, which says more than its beginning."""
    return source if cell_width(source) <= FROM else f"…{os.sep}{os.sep.join(source.split(os.sep)[-2:])}"


def _about(row: Setting, width: int) -> list[Row]:
    """The words for a row; then its value in full where a cell may have cut it, and the file that it comes from."""
    rows = wrap([Run(row.about)], width)
    elsewhere = row.source not in (DEFAULT, SESSION) and not row.personal
    parts = [row.shown] if cell_width(row.shown) > SHORT or elsewhere else []
    parts += [f"from {row.source}"] if elsewhere else []
    return rows + (wrap([Run(visible_text(" · ".join(parts)), "dim")], width) if parts else [])


def open_settings(main: MainScreen) -> None:
    """Open the settings over the main screen, unless another dialog is there."""
    if main.app.screen is main:
        main.app.push_screen(SettingsScreen(main))
