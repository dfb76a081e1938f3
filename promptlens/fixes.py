"""Fixing a prompt: the rules' edits, reflow and tidying, each kept only if what comes out is better and nothing else got worse.

Safe edits keep every word, its order and its weight, as the prompt says or plainly means. The others (`unsafe`) are guesses, move tags, or
drop words (`dropping` says which go first); what is dropped, and by what measure, is said in `Fixed.applied`. Fixing what was fixed changes
nothing. Writing a prompt back to its file is left to the sources.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, NamedTuple

from promptlens.analysis import DEFAULT_MODEL, MODELS_OWN, analyze_with, make_options
from promptlens.hosts import HOSTS
from promptlens.models import get_model
from promptlens.reflow import kept_together, moved_tags
from promptlens.report import Finding, Report
from promptlens.rules import DEFAULT_SETTINGS, EVERY_RULE, RuleSettings, Selection, run_rules
from promptlens.rules._edits import Edits
from promptlens.rules._words import shown
from promptlens.separators import tidied
from promptlens.shorten import Importance, by_order, dropped_to_fit

Analysis = Callable[[str], Report]

# Words that are lost need not be near the limit any more: of this pair, the second may come where the first goes.
LESS = {"TB102": "TB101"}
CUT = frozenset({"TB201", "TB202"})
TOO_LONG = frozenset({"TB101", "TB103"})

# An edit may uncover what can be mended too (a tag that is said twice once a mark between is gone): so many steps are looked ahead.
LOOKED_AHEAD = 3

# Each kept change leaves fewer findings, so that this is far out of reach; it guards against a rule that breaks its promise.
MAX_ROUNDS = 1000

# Reports of a prompt that are kept while it is mended: each holds its tokens, half a megabyte for a long one.
REMEMBERED = 16


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
    host: str = MODELS_OWN,
    model: str = DEFAULT_MODEL,
    *,
    unsafe: bool = False,
    dropping: Importance | None = None,
    rules: Selection = EVERY_RULE,
    settings: RuleSettings = DEFAULT_SETTINGS,
    **options: Any,
) -> Fixed:
    """The prompt with all that can be fixed for a host and a model. Without a host it is the one that most people run the model in.

    `unsafe`: also with guesses, moved tags, and words dropped to make it fit. `dropping` says which of those go first, and allows it alone.
    `rules` and `settings` say what is looked for and what the rules measure by, `options` are the host's own by name. Raises
    `UnknownNameError`, `OptionError` or `UnsupportedError` for wrong use, never for a prompt.

    >>> fix("1girl, solo, 1girl").text
    '1girl, solo'
    """
    known = get_model(model)
    row = HOSTS[known.default_host if host == MODELS_OWN else host]
    made = make_options(row, options)
    found = partial(run_rules, selection=rules, settings=settings)
    return fix_with(text, lambda prompt: analyze_with(prompt, row, known, made, found), unsafe=unsafe, dropping=dropping)


class Way(NamedTuple):
    """How a prompt is fixed: what analyses it, whether guesses are made, and by what tags are dropped (None: they are not)."""

    analysis: Analysis
    unsafe: bool = False
    dropping: Importance | None = None


def fix_with(text: str, analysis: Analysis, *, unsafe: bool = False, dropping: Importance | None = None) -> Fixed:
    """`fix` with everything looked up: `analysis` gives the report of a text, with the findings that count."""
    report, applied = _fixed(analysis(text), Way(analysis, unsafe, dropping or (by_order if unsafe else None)))
    return Fixed(report.usage.prompt, tuple(applied), report.findings)


Step = tuple[Report, list[Applied]]


def _fixed(report: Report, way: Way) -> Step:
    """The report after all steps, and what was done."""
    applied: list[Applied] = []
    for _ in range(MAX_ROUNDS):
        step = _step(report, way)
        if step is None:
            break
        report, made = step
        applied += made
    return report, applied


class Fixable(NamedTuple):
    """How many findings of each code go away when a prompt is fixed, and how many more with edits that are guesses."""

    safe: Counter[str]
    unsafe: Counter[str]


def fixable(report: Report, analysis: Analysis) -> Fixable:
    """What fixing really takes away of a report's findings, found out by doing it; of guesses the edits alone are tried."""
    analysis = lru_cache(maxsize=REMEMBERED)(analysis)  # several ways lead to one text
    before, safe = _counts(report), Counter[str]()
    edits = [f.edit for f in report.findings if f.edit is not None]
    fixed = report
    if any(edit.safe for edit in edits) or CUT & before.keys():
        fixed, _ = _fixed(report, Way(analysis))
        safe = before - _counts(fixed)
    if all(edit.safe for edit in edits):
        return Fixable(safe, Counter())
    step: Step | None = (fixed, [])
    while step is not None:
        fixed = step[0]
        step = _some_edited(fixed, Way(analysis, unsafe=True))
    return Fixable(safe, before - _counts(fixed) - safe)


def _step(report: Report, way: Way) -> Step | None:
    """The next change that is for the better: edits first, then what needs the whole prompt; None when there is none."""
    return _some_edited(report, way) or next(_whole(report, way), None)


def _some_edited(report: Report, way: Way) -> Step | None:
    offered = _offered(report, way)
    return _edited(report, offered, way) if offered else None


def _offered(report: Report, way: Way) -> list[Finding]:
    return [f for f in report.findings if f.edit is not None and (f.edit.safe or way.unsafe)]


def _edited(report: Report, offered: Sequence[Finding], way: Way) -> Step | None:
    """All edits at once, or the largest part of them that can be made; halving finds the bad ones."""
    after, made = _with_edits(report, offered, way)
    codes = {f.code for f in offered}
    for step in range(LOOKED_AHEAD + 1):
        if better(report, after, codes):
            return after, made
        more = _offered(after, way)
        if not more or step == LOOKED_AHEAD:
            break
        after, further = _with_edits(after, more, way)
        made = [*made, *further]
    if len(offered) == 1:
        return None
    middle = len(offered) // 2
    return _edited(report, offered[:middle], way) or _edited(report, offered[middle:], way)


def _with_edits(report: Report, offered: Sequence[Finding], way: Way) -> Step:
    """The report of the prompt with the edits of findings, as far as they do not meet."""
    edits, prompt = Edits(), report.usage.prompt
    made = [(f, f.edit) for f in offered if f.edit is not None and edits.add(f.edit)]
    return way.analysis(edits.applied(prompt)), [Applied(f.code, f.message, e.span.of(prompt), e.replacement) for f, e in made]


def _whole(report: Report, way: Way) -> Iterator[Step]:
    """Changes that no single finding offers."""
    prompt, analysis = report.usage.prompt, way.analysis
    codes = {f.code for f in report.findings}
    for finding in report.findings:
        if finding.code in CUT:
            candidates = [*kept_together(report.usage, finding), *(moved_tags(report.usage, finding) if way.unsafe else ())]
            for text in candidates:
                after = analysis(text)
                if better(report, after, CUT):
                    yield after, [Applied(finding.code, finding.message, prompt, text)]
    if way.dropping and codes & TOO_LONG:
        ranked = way.dropping(report.usage)
        shorter = dropped_to_fit(
            report.usage, lambda text: not any(f.code in TOO_LONG for f in analysis(text).findings), scores=ranked.scores
        )
        if shorter.dropped:
            after = analysis(shorter.text)
            if better(report, after, TOO_LONG, cut=CUT):
                message = f"dropped to make it fit, {ranked.by}: {', '.join(map(shown, shorter.dropped))}"
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
