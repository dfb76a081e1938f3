"""The application: themes, keys that hold everywhere, dialogs, and what lives as long as it runs."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.color import Color
from textual.command import Provider
from textual.driver import Driver

from promptlens.config import Settings
from promptlens.job import Job
from promptlens.tui.dialog import Question
from promptlens.tui.encoding import Encoding
from promptlens.tui.listing import Column, Entry, Listing
from promptlens.tui.looks import Looks, remember_looks, remembered_looks
from promptlens.tui.palette import Palette
from promptlens.tui.screen import MainScreen
from promptlens.tui.session import Session
from promptlens.tui.themes import DEFAULT_THEME, THEMES
from promptlens.tui.warming import Warming


def calm_collector() -> None:
    """Collect garbage in portions of some 2 ms, and of what is loaded nothing: each key makes some thousand objects that go by themselves.
    At Python's 700 one key in ten took twice as long in a prompt of 1,000 tokens; at 50,000 the screen stood still for 18 ms."""
    gc.freeze()
    gc.set_threshold(5_000, 10, 50)
    gc.enable()


def _commands() -> type[Provider]:
    from promptlens.tui.commands import Commands  # when the palette is opened

    return Commands


class PromptLensApp(App[None]):
    """The terminal UI for one prompt."""

    TITLE = "PromptLens"
    CSS_PATH = "promptlens.tcss"
    ENABLE_COMMAND_PALETTE = True
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {_commands}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "quit", "Quit", show=False, priority=True, id="app.quit"),
        Binding("ctrl+p", "command_palette", show=False, id="app.commands"),  # in place of Textual's own, which no id can move
    ]

    def __init__(
        self,
        job: Job,
        text: str = "",
        negative: str = "",
        path: Path | None = None,
        encoding: Encoding | None = None,
        keymap: Mapping[str, str] | None = None,
        settings: Settings | None = None,
    ) -> None:
        super().__init__()
        self.encoding = encoding or Encoding()
        self.session = Session.of_job(job) if settings is None else Session(settings)
        self._settled_for = path
        self.calm = False
        self._warming: Warming | None = None
        self.keymap: dict[str, str] = dict(keymap or {})
        for theme in THEMES:
            self.register_theme(theme)
        looks = remembered_looks()
        self.theme = looks.theme if looks.theme in self.available_themes else DEFAULT_THEME
        self.palette = self._make_palette()
        self.main = MainScreen(job, self.palette, text, negative, path)
        self.main.set_class(looks.compact, "-compact")

    def get_driver_class(self) -> type[Driver]:
        """For a terminal one that ends the application with it."""
        if sys.platform == "win32" or "TEXTUAL_DRIVER" in os.environ:
            return super().get_driver_class()
        from promptlens.tui.driver import TerminalDriver

        return TerminalDriver

    def export_screenshot(self, *, title: str | None = None, simplify: bool = False) -> str:
        """The screen as SVG, with wide characters in two cells."""
        from promptlens.tui.view_svg import mended

        return mended(super().export_screenshot(title=title, simplify=simplify))

    def get_default_screen(self) -> MainScreen:
        return self.main

    def on_unmount(self) -> None:
        if self._warming is not None:
            self._warming.stop()
        self.encoding.close()

    def on_mount(self) -> None:
        if self.keymap:
            self._use_keymap()
        self.theme_changed_signal.subscribe(self, lambda theme: self._repaint())

    def _use_keymap(self) -> None:
        """Take the keys of the settings, and say where one of them will not do what it should."""
        from promptlens.tui.keys import clashes

        self.set_keymap(self.keymap)
        for said in clashes(self.keymap):
            self.notify(said, title="tui-keys", severity="warning", markup=False, timeout=15)

    async def action_quit(self) -> None:
        """Leave; what is not saved is asked about, and kept as a draft unless it is thrown away."""
        filing = self.main.filing
        if not filing.changed or self.screen is not self.main:
            self.exit()
            return

        def answered(answer: str | None) -> None:
            if answer == "s":
                filing.save(self.exit)
            elif answer == "k":
                self.exit()
            elif answer == "d":
                filing.drafts.drop()
                self.exit()

        said = f"{filing.name} has changes that are not saved."
        answers = [("s", "Save"), ("k", "Keep a draft"), ("d", "Discard"), ("c", "Cancel")]
        self.push_screen(Question("Quit?", said, answers), answered)

    def on_app_focus(self) -> None:
        self.main.filing.look()

    def _make_palette(self) -> Palette:
        variables = self.get_css_variables()
        return Palette(Color.parse(variables["surface"]), Color.parse(variables["foreground"]))

    def _repaint(self) -> None:
        self.palette = self._make_palette()
        self.main.use_palette(self.palette)

    def run_calmly(self) -> None:
        """Run without garbage collection up to the first screen, which is there 80 ms sooner so, and with little of it from then on."""
        gc.disable()
        self.calm = True
        self.run()

    def on_ready(self) -> None:
        if self.calm:
            calm_collector()
            self.encoding.start()  # behind the first screen, from whose time its start would take 20 ms
            self._warming = Warming(self.main.job)
            self._warming.start()

    def pick(
        self,
        title: str,
        columns: Sequence[Column],
        entries: Sequence[Entry],
        then: Callable[[Any], None],
        *,
        current: Any = None,
        hint: str = "",
    ) -> None:
        """Let one entry be chosen in a dialog; Escape chooses none."""
        from promptlens.tui.picker import Picker

        def chosen(value: Any) -> None:
            if value is not None:
                then(value)

        self.push_screen(Picker(title, self.palette, columns, entries, hint=hint, current=current), chosen)

    # --- commands; each dialog is imported when it is first opened

    def action_help(self) -> None:
        from promptlens.tui.help import HelpScreen, help_for

        self.push_screen(HelpScreen(help_for(self.main), self.palette))

    def action_jump(self) -> None:
        """Letters over the panes; the next key goes to one."""
        from promptlens.tui.jump import Jump, targets

        if self.main.maximized is not None:
            self.main.minimize()
        self.main.call_after_refresh(lambda: self.push_screen(Jump(targets(self.main)), lambda target: target and target.go()))

    def action_settings(self) -> None:
        from promptlens.tui.settings_screen import open_settings

        open_settings(self.main)

    def follow(self, path: Path) -> None:
        """Take the settings that are nearest to a file; those of the one that it starts with are there already."""
        if path != self._settled_for:
            from promptlens.tui.settings_saving import follow

            self._settled_for = path
            follow(self.main)

    def action_open_file(self) -> None:
        from promptlens.tui.filing_actions import ask_open

        ask_open(self.main.filing)

    def action_import_image(self) -> None:
        from promptlens.tui.filing_actions import ask_import

        ask_import(self.main.filing)

    def action_save_as(self) -> None:
        self.main.filing.ask_save_as()

    def action_export_svg(self) -> None:
        from promptlens.tui.filing_actions import ask_export

        self.main.call_after_refresh(ask_export, self.main)

    def action_copy_prompt(self) -> None:
        self.copy_to_clipboard(self.main.editor.prompt)
        self.main.notify("Prompt copied.")

    def action_copy_view(self) -> None:
        """Copy the table of the pane in view."""
        table = next((w for w in self.main.inspect.panes[self.main.inspect.active].query(Listing) if w.display), None)
        if table is None:
            self.main.notify("There is no table in view.", severity="warning")
        else:
            table.action_copy_all()

    def action_compact(self) -> None:
        """Without borders and blank columns, or with them again."""
        self.main.toggle_class("-compact")
        self._remember_looks()

    def choose_theme(self, name: str) -> None:
        """Take a theme."""
        self.theme = name
        self._remember_looks()

    def _remember_looks(self) -> None:
        remember_looks(Looks(self.theme, self.main.has_class("-compact")))
