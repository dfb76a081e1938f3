"""What the rules find in the prompts on screen: asking them, going from one finding to the next, and making their edits."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from promptlens.report import Finding, Report
from promptlens.spans import Span
from promptlens.tui.gauges import summary
from promptlens.tui.key_names import with_keys
from promptlens.tui.topbar import TopBar

if TYPE_CHECKING:
    from promptlens.tui.screen import MainScreen


class Finder:
    """The findings of the editor in use; those that come of comparing both prompts are among them."""

    def __init__(self, screen: MainScreen) -> None:
        self.screen = screen
        self._loading = self._loaded = False

    def find(self, report: Report | None) -> None:
        """Ask the rules, once the new colours are on screen; of reports that are no longer shown nobody asks."""
        screen = self.screen
        if report is None or report is not screen.report:
            return
        if not self._loaded:
            if not self._loading:
                self._loading = True
                screen.run_worker(self._load(report), group="findings")
            return
        found = report.findings
        pair = self._pair_findings()
        if pair:
            found = tuple(sorted((*found, *pair), key=lambda f: (f.span, f.code)))
        screen.findings = found
        screen.query_one(TopBar).show_summary(summary(report, len(found)))
        screen.inspect.count_findings(len(found))

    async def _load(self, report: Report) -> None:
        """Ask for the first time: it imports all rules, which takes 60 ms, so a thread does it."""
        await asyncio.to_thread(lambda: report.findings)
        self._loaded = True
        if self.screen.is_attached and self.screen.app.is_running:  # nobody has left meanwhile
            self.find(self.screen.report)

    def _pair_findings(self) -> tuple[Finding, ...]:
        """What only shows when both prompts are compared, with spans of the prompt in use; nothing where one is empty."""
        screen = self.screen
        positive, negative = screen.reports.get(screen.positive), screen.reports.get(screen.negative)
        if positive is None or negative is None or not positive.usage.prompt.strip() or not negative.usage.prompt.strip():
            return ()
        from promptlens.rules import DEFAULT_SETTINGS, EVERY_RULE, run_pair_rules  # loaded by then

        job = screen.job
        found = run_pair_rules(positive.usage, negative.usage, job.rules or EVERY_RULE, job.limits or DEFAULT_SETTINGS)
        if screen.editor is screen.positive:
            return found
        whole = Span(0, len(negative.usage.prompt))
        return tuple(replace(finding, span=whole, edit=None, others=()) for finding in found)

    def next(self) -> None:
        """Go to the next finding behind the cursor, or to the first."""
        screen = self.screen
        if not screen.findings:
            screen.notify("No findings in this prompt.")
            return
        at = screen.editor.index_of(max(screen.editor.selection))
        following = next((f for f in screen.findings if f.span.start >= at and f.span.end > at), screen.findings[0])
        screen.go_to(following.span)
        screen.editor.light(*following.others)
        screen.notify(following.message, title=following.code, markup=False)

    def fix(self) -> None:
        """Make the edit of the finding that is chosen, or of the one under the cursor."""
        screen = self.screen
        finding = screen.inspect.chosen_finding() or self._here()
        if finding is None or finding.edit is None:
            screen.notify(with_keys(screen, "No finding with an edit is chosen: {finding.next} goes to the next finding."), markup=False)
            return
        if finding not in screen.reports[screen.editor].findings:
            screen.notify("The prompt has changed since: choose the finding again.")
            return
        screen.editor.replace_span(finding.edit.span, finding.edit.replacement)
        screen.notify("Fixed; ctrl+z undoes it.", title=finding.code, markup=False)

    def _here(self) -> Finding | None:
        editor = self.screen.editor
        low, high = sorted(map(editor.index_of, editor.selection))
        touching = [f for f in self.screen.findings if f.edit is not None and f.span.start <= high and low <= f.span.end]
        return min(touching, key=lambda f: abs(f.span.start - low), default=None)


def concerns_both(finding: Finding) -> bool:
    """Whether a finding comes of comparing the two prompts."""
    from promptlens.rules import RULES  # loaded by then: a rule has found something

    return RULES[finding.code].scopes == ("pair",)
