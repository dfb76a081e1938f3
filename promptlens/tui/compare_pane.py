"""The Compare pane: A, which was pinned, and B, which is being written: counts, and the phrases that differ.

Enter goes to a phrase in B, `x` swaps A and B, `u` unpins, `h` reads A as B is read.
"""

from __future__ import annotations

from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from promptlens.comparing import PromptDiff, compare_reports
from promptlens.report import Report
from promptlens.tui.compare_rows import COLUMNS, Changed, change_entries, changed_phrases, detail_rows, head_rows
from promptlens.tui.drawing import text_of
from promptlens.tui.key_names import key_in_words, key_of, with_keys
from promptlens.tui.late_pane import LatePane
from promptlens.tui.listing import Listing
from promptlens.tui.messages import Picked
from promptlens.tui.palette import Palette
from promptlens.tui.pinning import Pin, for_model

EMPTY = "Press {compare.pin} to pin the prompt as A. Then go on writing, or switch the host: what differs in B stands here."
SAME = "No phrase differs. Go on writing, or switch the host with {host.choose}; {compare.pin} pins anew, {compare.unpin} unpins."
OTHERWISE = "No phrase is in another chunk or weighs otherwise. {compare.swap} swaps A and B, {compare.unpin} unpins."
FAILED = "Where the host fails on a prompt there is nothing to compare."
DETAIL_FROM = 12  # rows of the pane: below that the list needs them all


class ComparePane(LatePane):
    """Counts of A and B, and the list of phrases that differ."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "screen.swap_pin", "Swap A and B", id="compare.swap"),
        Binding("u", "screen.unpin", "Unpin", id="compare.unpin"),
        Binding("h", "screen.read_pin_here", "A in B's host", id="compare.host"),
    ]

    def __init__(self, palette: Palette, **options: Any) -> None:
        super().__init__(palette, **options)
        self.head = Static(classes="pane-head", markup=False)
        self.head.display = False  # nothing is pinned before the first report
        self.listing = Listing(palette, COLUMNS, EMPTY, id="compare-list")
        self.detail = Static(classes="pane-detail", markup=False)
        self.diff: PromptDiff | None = None

    def compose(self) -> ComposeResult:
        yield self.head
        yield self.listing
        yield self.detail

    def on_mount(self) -> None:
        super().on_mount()
        self.watch(self.screen, "pinned", self.take_pin)

    def take_pin(self, pin: Pin | None) -> None:
        """Another A."""
        self.refresh_bindings()
        self._shown = None
        self.update_view()

    def on_resize(self) -> None:
        self._shown = None
        self.update_view()

    def show_report(self, report: Report) -> None:
        """Compare; `report` is B."""
        pin = self.main.pinned
        self.head.display = pin is not None
        if pin is None:
            self.diff = None
            self.listing.show((), hint=EMPTY)
            return
        diff = self.diff = compare_reports(for_model(pin, report, self.main.job).report, report)
        self.head.update(text_of(head_rows(diff, self.text_width), self.palette))
        if any(r.usage.failure for r in diff.reports):
            self.listing.show((), hint=FAILED)
        else:
            same = diff.before.usage.prompt == diff.after.usage.prompt
            self.listing.show(change_entries(changed_phrases(diff)), hint=SAME if same and diff.same else OTHERWISE)

    @on(Listing.Chosen)
    def pick(self, event: Listing.Chosen) -> None:
        event.stop()
        changed: Changed = event.entry.value
        if changed.span is None:
            self.notify(with_keys(self, "This phrase is in A only. {compare.swap} swaps A and B."), markup=False)
        else:
            self.post_message(Picked(changed.span))

    @on(Listing.Highlighted)
    def explain(self, event: Listing.Highlighted) -> None:
        event.stop()
        changed: Changed | None = event.entry.value if event.entry is not None else None
        self.detail.display = changed is not None and self.size.height >= DETAIL_FROM
        if changed is None or self.diff is None:
            return
        self.detail.update(
            text_of(detail_rows(changed, self.diff, key_in_words(key_of(self, "compare.swap")), self.text_width), self.palette)
        )
        if self.listing.has_focus:
            self.light(*([changed.span] if changed.span is not None else []))
