"""Fixing a prompt: the rules' edits, reflow and tidying, each kept only if what comes out is better and nothing else got worse.

Safe edits keep every word, its order and its weight, as the prompt says or plainly means. The others (`unsafe`) are guesses, move tags, or
drop words; what is dropped is said in `Fixed.applied`. Fixing what was fixed changes nothing. Writing a prompt back to its file is left to
the sources.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from promptlens.analysis import DEFAULT_HOST, DEFAULT_MODEL, analyze_with, make_options
from promptlens.hosts import HOSTS
from promptlens.models import get_model
from promptlens.reflow import kept_together, moved_tags
from promptlens.report import Edit, Finding, Report
from promptlens.rules import DEFAULT_SETTINGS, EVERY_RULE, RuleSettings, Selection, run_rules
from promptlens.rules._edits import Edits
from promptlens.rules._words import shown
from promptlens.separators import tidied
from promptlens.shorten import dropped_to_fit

Analysis = Callable[[str], Report]

# Words that are lost need not be near the limit any more: of this pair, the second may come where the first goes.
LESS = {"TB102": "TB101"}
CUT = frozenset({"TB201", "TB202"})
TOO_LONG = frozenset({"TB101", "TB103"})

# Each kept change leaves fewer findings, so that this is far out of reach; it guards against a rule that breaks its promise.
MAX_ROUNDS = 1000


@dataclass(frozen=True, slots=True)
class Applied:
    """A change that was made: the rule it is for ("" for tidied separators), what the rule said, and the text before and after."""

    code: str
    message: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Fixed:
    """A prompt after all fixes, what they were, and the findings that are left."""

    text: str
    applied: tuple[Applied, ...]
    left: tuple[Finding, ...]


def fix(
    text: str,
    host: str = DEFAULT_HOST,
    model: str = DEFAULT_MODEL,
    options: Mapping[str, Any] | None = None,
    rules: Selection = EVERY_RULE,
    *,
    settings: RuleSettings = DEFAULT_SETTINGS,
    unsafe: bool = False,
) -> Fixed:
    """The prompt with all that can be fixed for a host and a model.

    `options` are the host's by name. Raises `UnknownNameError` or `OptionError` for wrong use, never for a prompt.

    >>> fix("1girl, solo, 1girl").text
    '1girl, solo'
    """
    row, known = HOSTS[host], get_model(model)
    made = make_options(row, dict(options or {}))
    found = partial(run_rules, selection=rules, settings=settings)
    return fix_with(text, lambda prompt: analyze_with(prompt, row, known, made, found), unsafe=unsafe)


def fix_with(text: str, analysis: Analysis, *, unsafe: bool = False) -> Fixed:
    """`fix` with everything looked up: `analysis` gives the report of a text, with the findings that count."""
    report = analysis(text)
    applied: list[Applied] = []
    for _ in range(MAX_ROUNDS):
        step = _step(report, analysis, unsafe)
        if step is None:
            break
        report, made = step
        applied += made
    return Fixed(report.usage.prompt, tuple(applied), report.findings)


Step = tuple[Report, list[Applied]]


def _step(report: Report, analysis: Analysis, unsafe: bool) -> Step | None:
    """The next change that is for the better: edits first, then what needs the whole prompt; None when there is none."""
    fixable = [f for f in report.findings if f.edit is not None and (f.edit.safe or unsafe)]
    edited = _edited(report, fixable, analysis) if fixable else None
    if edited:
        return edited
    return next(_whole(report, analysis, unsafe), None)


def _edited(report: Report, fixable: Sequence[Finding], analysis: Analysis) -> Step | None:
    """All edits at once, or the largest part of them that can be made; halving finds the bad ones."""
    edits = Edits()
    made = [f for f in fixable if f.edit is not None and edits.add(f.edit)]
    after = analysis(edits.applied(report.usage.prompt))
    if better(report, after, {f.code for f in made}):
        return after, [_applied(report, f, f.edit) for f in made if f.edit is not None]
    if len(made) == 1:
        return None
    middle = len(made) // 2
    return _edited(report, made[:middle], analysis) or _edited(report, made[middle:], analysis)


def _applied(report: Report, finding: Finding, edit: Edit) -> Applied:
    return Applied(finding.code, finding.message, edit.span.of(report.usage.prompt), edit.replacement)


def _whole(report: Report, analysis: Analysis, unsafe: bool) -> Iterator[Step]:
    """Changes that no single finding offers."""
    prompt = report.usage.prompt
    codes = {f.code for f in report.findings}
    for finding in report.findings:
        if finding.code in CUT:
            candidates = [*kept_together(report.usage, finding), *(moved_tags(report.usage, finding) if unsafe else ())]
            for text in candidates:
                after = analysis(text)
                if better(report, after, CUT):
                    yield after, [Applied(finding.code, finding.message, prompt, text)]
    if unsafe and codes & TOO_LONG:
        shorter = dropped_to_fit(report.usage, lambda text: not any(f.code in TOO_LONG for f in analysis(text).findings))
        if shorter.dropped:
            after = analysis(shorter.text)
            if better(report, after, TOO_LONG, cut=CUT):
                message = f"dropped, to make it fit: {', '.join(map(shown, shorter.dropped))}"
                yield after, [Applied(min(codes & TOO_LONG), message, prompt, shorter.text)]
    tidy = tidied(report.usage)
    if tidy != prompt:
        after = analysis(tidy)
        if better(report, after, frozenset()):
            yield after, [Applied("", "separators tidied", prompt, tidy)]


def better(before: Report, after: Report, codes: frozenset[str] | set[str], *, cut: frozenset[str] = frozenset()) -> bool:
    """Less of `codes`, and no more of any other code, `cut` left aside; with no codes given, no more of any.

    Less is fewer findings, or as many that are less bad, or as many and as bad in a shorter text: so that nothing goes round in circles.
    """
    if after.usage.failure and not before.usage.failure:
        return False
    old, new, old_amounts, new_amounts = _counts(before), _counts(after), _amounts(before), _amounts(after)
    if codes:
        was = (sum(old[c] for c in codes), sum(old_amounts[c] for c in codes), len(before.usage.prompt))
        if (sum(new[c] for c in codes), sum(new_amounts[c] for c in codes), len(after.usage.prompt)) >= was:
            return False
    for code in new:
        if code in cut or (code in LESS and old[LESS[code]] and not new[LESS[code]]):
            continue
        if new[code] > old[code] or (code not in codes and new_amounts[code] > old_amounts[code]):
            return False
    return True


def _counts(report: Report) -> Counter[str]:
    return Counter(finding.code for finding in report.findings)


def _amounts(report: Report) -> Counter[str]:
    amounts: Counter[str] = Counter()
    for finding in report.findings:
        amounts[finding.code] += finding.amount
    return amounts
