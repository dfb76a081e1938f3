"""The Hosts pane: this prompt in every host, side by side. Enter switches to the host under the cursor.

Reading a prompt in every host takes up to half a second for a very long one. It is done in a thread, host by host, once nobody has typed
for a moment and the pane is in view; what was read for an older text is dropped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.widgets import Static

from promptlens.comparing import HostView, across_hosts
from promptlens.hosts import HOSTS
from promptlens.job import Job
from promptlens.report import Report
from promptlens.tui.drawing import text_of
from promptlens.tui.host_rows import COLUMNS, HostRow, detail_rows, head_row, host_entries, host_rows
from promptlens.tui.late_pane import LatePane
from promptlens.tui.listing import Listing
from promptlens.tui.messages import HostWanted
from promptlens.tui.palette import Palette

PAUSE_S = 0.15  # without a key, before the hosts are asked again
EMPTY = "Type a prompt above: here stands what each host makes of it, and {table.choose} switches to one."
READING = "Reading the prompt in every host…"
DETAIL_FROM = 12  # rows of the pane: below that the table needs them all


class HostsPane(LatePane):
    """The table of hosts, and below it the cuts of the one under the cursor."""

    def __init__(self, palette: Palette, **options: Any) -> None:
        super().__init__(palette, **options)
        self.head = Static(classes="pane-head", markup=False)
        self.listing = Listing(palette, COLUMNS, EMPTY, id="hosts-list")
        self.detail = Static(classes="pane-detail", markup=False)
        self.rows: tuple[HostRow, ...] = ()
        self.read_for: Report | None = None

    def compose(self) -> ComposeResult:
        yield self.head
        yield self.listing
        yield self.detail

    def on_hide(self) -> None:
        """Out of view nothing is read, and what is under way is dropped."""
        if self.report is not self.read_for:
            self.workers.cancel_group(self, "hosts")
            self._shown = None

    def on_resize(self) -> None:
        self._draw()

    def show_report(self, report: Report) -> None:
        """Have it read."""
        if not report.usage.prompt.strip():
            self.workers.cancel_group(self, "hosts")
            self.rows, self.read_for = (), report
            self._draw()
            return
        if not self.rows:
            self.listing.show((), hint=READING)
        self.listing.say("reading…" if self.rows else "")
        main = self.main
        job = replace(main.job, model=report.usage.model.name)  # the screen's may be that of a later report
        read: Callable[[], Awaitable[None]] = partial(self._read, report, job, main.editor is main.negative)
        self.run_worker(read, group="hosts", exclusive=True)

    async def _read(self, report: Report, job: Job, negative: bool) -> None:
        """Ask every host; between two of them it can be given up."""
        if self.rows:
            await asyncio.sleep(PAUSE_S)
        views: list[HostView] = []
        for name in HOSTS:
            views += await asyncio.to_thread(self._one, report, job, negative, name)
        rows = await asyncio.to_thread(host_rows, views)
        if report is self.report:
            self.rows, self.read_for = rows, report
            self._draw()

    @staticmethod
    def _one(report: Report, job: Job, negative: bool, name: str) -> tuple[HostView, ...]:
        if name == report.usage.host.name:
            return (HostView(name, report),)
        return across_hosts(report.usage.prompt, [name], lambda text, host: job.for_host(host).report(text, negative=negative))

    def _draw(self) -> None:
        """Show what was read."""
        self.head.display = bool(self.rows)
        self.listing.say("")
        if self.read_for is not None and self.rows:
            self.head.update(text_of(head_row(self.rows, self.read_for.usage.model, self.text_width), self.palette))
        current = self.read_for.usage.host.name if self.read_for is not None else ""
        self.listing.show(host_entries(self.rows, current), hint=EMPTY)

    def use_palette(self, palette: Palette) -> None:
        self.palette = palette
        self.listing.use_palette(palette)
        self._draw()

    @on(Listing.Chosen)
    def switch(self, event: Listing.Chosen) -> None:
        event.stop()
        row: HostRow = event.entry.value
        if row.view.report is None:
            self.notify(row.view.refusal, severity="warning", markup=False)
        else:
            self.post_message(HostWanted(row.view.host))

    @on(Listing.Highlighted)
    def explain(self, event: Listing.Highlighted) -> None:
        event.stop()
        row: HostRow | None = event.entry.value if event.entry is not None else None
        self.detail.display = row is not None and self.size.height >= DETAIL_FROM
        if row is None:
            return
        self.detail.update(text_of(detail_rows(row, self.rows, self.text_width), self.palette))
        if self.listing.has_focus and self.read_for is self.report:
            self.light(*row.spans)
