"""The Findings pane: what the rules say, one a row, and below it the whole of the one under the cursor.

Enter goes to the words; the key of `finding.fix` makes the edit that the finding offers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.widgets import Static

from promptlens.render._runs import Row, Run, quoted, visible_text, wrap
from promptlens.report import Finding
from promptlens.spans import cell_width, line_column
from promptlens.tui.drawing import text_of
from promptlens.tui.finder import concerns_both
from promptlens.tui.key_names import key_in_words, key_of, short_key
from promptlens.tui.listing import Column, Entry, Listing, Made
from promptlens.tui.messages import Lit, Picked
from promptlens.tui.palette import Palette
from promptlens.tui.pane import Pane, in_view

MOST_DETAIL = 4  # rows of the pane's lower part where there is little room
HINT = "Nothing to say about this prompt: every word reaches the model, and nothing looks wrong.\nWhile you type, findings appear here."
EMPTY = "No prompt yet. Findings appear here while you type."


def finding_columns(key: str) -> tuple[Column, ...]:
    return Column("rule", 6), Column("place", 8, right=True), Column("fix", max(cell_width(key) + 1, 3)), Column("what", 0)


def finding_entries(prompt: str, findings: Sequence[Finding], key: str) -> Made:
    """A row for each finding; `key` makes its edit."""

    def entry(n: int) -> Entry:
        finding = findings[n]
        line, column = line_column(prompt, finding.span.start)
        fix = "" if finding.edit is None else key if finding.edit.safe else f"{key}?"
        cells = (Run(finding.code, finding.severity), Run(f"{line}:{column}", "dim"), Run(fix, "ok"), Run(finding.message))
        return Entry(cells, finding)

    return Made(len(findings), entry)


def detail_rows(prompt: str, finding: Finding, key: str, width: int, most: int = 1000) -> list[Row]:
    """What a finding says, in `most` rows. `key` makes its edit, which is said before the hint and at any rate."""
    said = wrap([Run(f"{finding.severity} ", finding.severity), Run(visible_text(finding.message))], width)
    hint = wrap([Run(visible_text(finding.hint), "dim")], width) if finding.hint else []
    edit_rows: list[Row] = []
    if finding.edit is not None:
        edit = finding.edit
        what = f"{key}{'' if edit.safe else ' (a guess)'}: {quoted(edit.span.of(prompt), 60)} becomes {quoted(edit.replacement, 60)}"
        edit_rows = wrap([Run(what, "ok")], width)
    rows = [*_cut(said, max(most - len(edit_rows), 1)), *edit_rows]
    return [*rows, *(_cut(hint, most - len(rows)) if len(rows) < most else [])]


def _cut(rows: list[Row], most: int) -> list[Row]:
    """The first rows, with an ellipsis where more would follow."""
    return rows if len(rows) <= most else [*rows[: most - 1], [*rows[most - 1], Run(" …", "dim")]]


class FindingPane(Pane):
    """The list of findings and the detail of one."""

    def __init__(self, palette: Palette, **options: Any) -> None:
        super().__init__(palette, **options)
        self.listing = Listing(palette, finding_columns(""), EMPTY, id="finding-list")
        self.detail = Static(id="finding-detail", markup=False)
        self._prompt = ""
        self._findings: tuple[Finding, ...] = ()
        self._given: tuple[Finding, ...] | None = None

    def compose(self) -> ComposeResult:
        yield self.listing
        yield self.detail

    def on_mount(self) -> None:
        self.watch(self.screen, "findings", self.take_findings)

    def on_resize(self) -> None:
        self._show_detail(self.finding)

    def take_findings(self, findings: tuple[Finding, ...]) -> None:
        self._findings = findings
        self.update_view()

    def update_view(self) -> None:
        if self._given is not self._findings and in_view(self):
            self._given = self._findings
            report = self.main.report
            self._prompt = report.usage.prompt if report is not None else ""
            key = short_key(key_of(self, "finding.fix"))
            entries = finding_entries(self._prompt, self._findings, key)
            self.listing.show(entries, columns=finding_columns(key), hint=HINT if self._prompt.strip() else EMPTY)

    def use_palette(self, palette: Palette) -> None:
        self._given = None
        super().use_palette(palette)

    @property
    def finding(self) -> Finding | None:
        """The finding under the cursor."""
        return self.listing.entry.value if self.listing.entry is not None else None

    @on(Listing.Chosen)
    def pick(self, event: Listing.Chosen) -> None:
        event.stop()
        self.post_message(Picked(event.entry.value.span))

    @on(Listing.Highlighted)
    def explain(self, event: Listing.Highlighted) -> None:
        event.stop()
        finding: Finding | None = event.entry.value if event.entry is not None else None
        self._show_detail(finding)
        if finding is not None and self.listing.has_focus:
            self.post_message(Lit([finding.span, *finding.others], both=concerns_both(finding)))

    def _show_detail(self, finding: Finding | None) -> None:
        self.detail.display = finding is not None
        if finding is not None:
            key = key_in_words(key_of(self, "finding.fix"))
            most = max(self.size.height // 2, MOST_DETAIL)
            self.detail.styles.max_height = most + 1  # and the line above it
            self.detail.update(text_of(detail_rows(self._prompt, finding, key, self.text_width, most), self.palette))
