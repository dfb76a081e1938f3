"""The main screen: two editors, the budget, and the panes that inspect the prompt.

Flow: an editor analyses its text on each change and says so; `report` becomes that of the editor in use, and every pane watches it. What
the rules find is worked out after the new colours are on screen. Panes ask for things by messages; the screen does them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.reactive import var
from textual.screen import Screen

from promptlens.errors import PromptLensError
from promptlens.hosts import HOSTS
from promptlens.job import Job
from promptlens.models import MODELS
from promptlens.render._runs import Run
from promptlens.report import Finding, Report
from promptlens.spans import Span
from promptlens.tui.budget import BudgetPane
from promptlens.tui.editor import PromptEditor
from promptlens.tui.filing import Filing
from promptlens.tui.finder import Finder
from promptlens.tui.inspect import Inspect
from promptlens.tui.key_names import with_keys
from promptlens.tui.keys_line import KeysLine
from promptlens.tui.listing import Column, Entry
from promptlens.tui.messages import HostWanted, Lit, Picked, Wanted
from promptlens.tui.palette import Palette
from promptlens.tui.pinning import Pin, Pinning
from promptlens.tui.topbar import Button, TopBar

if TYPE_CHECKING:
    from promptlens.tui.app import PromptLensApp

NARROW, LOW = 110, 24


class MainScreen(Screen[None]):
    """Where one writes."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (NARROW, "-wide")]  # noqa: RUF012  (as Textual declares it)
    VERTICAL_BREAKPOINTS = [(0, "-low"), (LOW, "-high")]  # noqa: RUF012

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+o", "app.jump", "Jump", id="app.jump"),
        Binding("f1", "app.help", "Help", id="app.help"),
        Binding("ctrl+p", "app.command_palette", "Commands", id="app.commands"),
        Binding("f2", "choose_model", "Model", id="model.choose"),
        Binding("f3", "choose_host", "Host", id="host.choose"),
        Binding("f4", "negative", "Negative", id="negative.toggle"),
        Binding("f8", "pin", "Pin A", id="compare.pin"),
        Binding("f9", "show_tab('influence')", "Influence", id="influence.show"),
        Binding("shift+f9", "show_tab('similarity')", "Similarity", show=False, id="similarity.show"),
        Binding("ctrl+g", "next_finding", "Next finding", show=False, id="finding.next"),
        Binding("ctrl+r", "apply_fix", "Fix", id="finding.fix"),
        Binding("f12", "app.settings", "Settings", show=False, id="settings.open"),
        Binding("f10", "full_screen", "Full screen", show=False, id="pane.full_screen"),
        Binding("ctrl+s", "save", "Save", id="file.save"),
        Binding("escape", "back", "Editor", show=False, id="editor.focus"),
    ]

    report: var[Report | None] = var(None)
    findings: var[tuple[Finding, ...]] = var(())
    pinned: var[Pin | None] = var(None)

    app: PromptLensApp

    def __init__(self, job: Job, palette: Palette, text: str = "", negative: str = "", path: Path | None = None) -> None:
        super().__init__()
        self.job = job
        self.palette = palette
        self.positive = PromptEditor(self._analysis(negative=False), palette, text, id="prompt", placeholder="Type or paste a prompt.")
        self.negative = PromptEditor(self._analysis(negative=True), palette, negative, id="negative", placeholder="Negative prompt.")
        self.editor = self.positive
        self.reports: dict[PromptEditor, Report] = {}
        self.inspect = Inspect(palette, id="inspect")
        self.filing = Filing(self)
        self.finder = Finder(self)
        self.pinning = Pinning(self)
        self._path = path

    def _analysis(self, *, negative: bool) -> Callable[[str], Report]:
        return lambda text: self.job.report(text, negative=negative)

    def compose(self) -> ComposeResult:
        width, height = self.app.size  # with its classes from the start, the first screen is styled and laid out once
        self.add_class("-narrow" if width < NARROW else "-wide", "-low" if height < LOW else "-high")
        yield TopBar(id="top")
        with Vertical(id="body"):
            yield BudgetPane(self.palette, id="budget-line")
            with Horizontal(id="desk"):
                with Vertical(id="editors"):
                    yield self.positive
                    yield Button("negative", id="negative-line")
                    yield self.negative
                yield BudgetPane(self.palette, id="budget")
            yield self.inspect
        yield KeysLine(id="keys")

    def on_mount(self) -> None:
        self.positive.border_title = "Prompt"
        self.negative.border_title = "Negative prompt"
        self.query_one("#budget").border_title = "Budget"
        self.inspect.border_title = "Inspect"
        self.query_one("#negative-line", Button).tell("Write the negative prompt: {negative.toggle}")
        self.negative.display = bool(self.negative.document.text)
        self.show_job()
        self.positive.focus()
        self.positive.analyse()
        self.negative.analyse()
        self.filing.show()
        if self._path is not None:
            self.call_next(self.filing.open, self._path)  # before the first repaint, which shows it at once
        self.call_after_refresh(self.filing.offer_draft, self._path)

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        """In front for the first time its widgets have their styles, just now; working them out again takes 20 ms."""
        if self.report is None:
            event.refresh_styles = False

    def on_unmount(self) -> None:
        self.filing.close()

    # --- reports

    @on(PromptEditor.Analysed)
    def take_report(self, event: PromptEditor.Analysed) -> None:
        event.stop()
        self.reports[event.editor] = event.report
        if event.editor is self.editor:
            self.report = event.report
        self.call_after_refresh(self.finder.find, self.report)
        if event.editor is self.negative:
            self.show_negative_line()
        self.filing.note()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The panes show the prompt of the editor that was used last."""
        editor = event.widget
        if isinstance(editor, PromptEditor) and editor is not self.editor:
            self.editor = editor
            self.pinning.follow()
            self.query_one("#budget").border_title = "Budget" if editor is self.positive else "Budget of the negative prompt"
            report = self.reports.get(editor)
            if report is not None:
                self.report = report
                self.finder.find(report)

    def show_negative_line(self) -> None:
        """The line that stands for the negative prompt while it is closed."""
        report = self.reports.get(self.negative)
        if report is None:
            return
        line = self.query_one("#negative-line", Button)
        line.display = not self.negative.display
        use = report.usage.encoders[0]
        count = f"{use.used + use.lost_count} tokens · {len(use.chunks)} chunk{'s' if len(use.chunks) != 1 else ''}"
        line.show(f"▸ Negative  {count if self.negative.prompt else 'none'}{with_keys(self, '  ({negative.toggle} opens it)')}")

    # --- what it is analysed with

    def use_job(self, job: Job) -> None:
        """Read both prompts as another host, model or settings would; where that cannot be, say why and stay."""
        try:
            job.report("")
        except PromptLensError as error:
            self.notify(str(error), severity="error", markup=False, timeout=10)
            return
        self.job = job
        self.show_job()
        self.positive.analyse()
        self.negative.analyse()

    def show_job(self) -> None:
        bar = self.query_one(TopBar)
        bar.show_model(MODELS[self.job.model].name.upper())
        bar.show_host(HOSTS[self.job.host].title)

    def action_choose_model(self) -> None:
        entries = [Entry((Run(m.name), Run(m.title), Run(", ".join(e.title for e in m.encoders), "dim")), m.name) for m in MODELS.values()]
        columns = (Column("model", 8), Column("", 24), Column("text encoders", 0))
        self.app.pick("Model", columns, entries, lambda name: self.use_job(replace(self.job, model=name)), current=self.job.model)

    def action_choose_host(self) -> None:
        entries = [Entry((Run(h.name), Run(h.title), Run(h.summary, "dim")), h.name) for h in HOSTS.values()]
        columns = (Column("host", 10), Column("", 18), Column("what it does with a long prompt", 0))
        self.app.pick("Host", columns, entries, self.use_host, current=self.job.host)

    def use_host(self, name: str) -> None:
        """Switch to a host."""
        self.use_job(replace(self.job, host=name))

    # --- what panes ask for

    @on(Lit)
    def light(self, event: Lit) -> None:
        event.stop()
        self.editor.light(*event.spans)
        other = self.negative if self.editor is self.positive else self.positive
        other.light(*([Span(0, len(other.prompt))] if event.both else []))
        self.query_one("#negative-line").set_class(event.both, "-lit")

    @on(Picked)
    def pick(self, event: Picked) -> None:
        event.stop()
        self.go_to(event.span)

    def go_to(self, span: Span) -> None:
        """Select a stretch of the prompt in its editor."""
        self.editor.focus()
        self.editor.select_span(span)

    @on(HostWanted)
    def switch_host(self, event: HostWanted) -> None:
        event.stop()
        self.use_host(event.name)

    @on(Wanted)
    def make_edit(self, event: Wanted) -> None:
        event.stop()
        self.editor.replace_span(event.edit.span, event.edit.replacement)

    # --- keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What is done with a pin is offered while there is one."""
        return action not in ("swap_pin", "unpin", "read_pin_here") or self.pinned is not None

    def action_next_finding(self) -> None:
        self.finder.next()

    def action_apply_fix(self) -> None:
        self.finder.fix()

    def action_pin(self) -> None:
        self.pinning.pin()

    def action_unpin(self) -> None:
        self.pinning.unpin()

    def action_swap_pin(self) -> None:
        self.pinning.swap()

    def action_read_pin_here(self) -> None:
        self.pinning.read_here()

    def action_negative(self) -> None:
        """Open the negative prompt and go there, or close it again."""
        opening = not self.negative.display or not self.negative.has_focus
        self.negative.display = opening
        (self.negative if opening else self.positive).focus()
        self.show_negative_line()

    def action_save(self) -> None:
        self.filing.save()

    def action_show_files(self) -> None:
        """The prompts of the file, or the files opened last."""
        several = self.filing.file is not None and len(self.filing.file.prompts) > 1
        (self.filing.choose_prompt if several else self.filing.show_recent)()

    def action_show_tab(self, name: str) -> None:
        self.inspect.show_tab(name)

    def action_full_screen(self) -> None:
        """Give the whole screen to the pane in use, or take it back."""
        if self.maximized is not None:
            self.minimize()
        elif self.focused is not None:
            self.maximize(self.inspect if self.inspect in self.focused.ancestors else self.focused)

    def action_back(self) -> None:
        if self.maximized is not None:
            self.minimize()
        self.post_message(Lit(()))
        self.editor.focus()

    def use_palette(self, palette: Palette) -> None:
        """Another theme."""
        self.palette = palette
        for widget in (self.positive, self.negative, *self.query(BudgetPane)):
            widget.use_palette(palette)
        self.inspect.use_palette(palette)
