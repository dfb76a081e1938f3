"""Rules: what may be wrong with a prompt, said with its place, a hint and, where there is a safe one, an edit.

Each rule is one file of this folder, named by its code and its idea, with a check decorated by `@rule`; `RULES` is made by walking the
folder, and a file is imported when its rule is first looked up. A check yields a `Hit` for each place; `run_rules` makes findings of them:

    run_rules(usage)                            what a prompt's own rules find
    run_pair_rules(positive, negative)          what only shows when both prompts of a picture are compared
    run_file_rules(note)                        what is wrong with a file, as its reader noted it

A rule never raises for a prompt and never imports another rule; what several share is in the files that begin with "_".
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, TypeVar

from promptlens.errors import UnknownNameError
from promptlens.report import Edit, Finding, Severity, Usage
from promptlens.rules._edits import without_meeting_edits
from promptlens.rules._needs import Needs, Room
from promptlens.rules._selection import selected
from promptlens.rules._settings import DEFAULT_SETTINGS, Role, RuleSettings
from promptlens.spans import Span

# What a check looks at: one prompt; the positive and the negative prompt of a picture; a note that the reader of a file made.
Scope = Literal["prompt", "pair", "file"]

# "unreadable": the file is not what its format says; "ignored": lines the host never reads; "literal": a line of options that the host
# takes as a prompt as it stands; "duplicate": a name said twice, of which one is dropped; "bytes": bytes that are not text, which the
# host drops; "missing": an entry without the field that holds its prompt; "empty": a caption or prompt with nothing in it, on which the
# host fails.
NoteKind = Literal["unreadable", "ignored", "literal", "duplicate", "bytes", "missing", "empty"]


class FileNote(NamedTuple):
    """What the reader of a file says about it besides its prompts: why, in plain words, and the text that stands there."""

    kind: NoteKind
    message: str
    text: str = ""


class Hit(NamedTuple):
    """What a check reports: a `Finding` without the code, which is the rule's, as the severity is unless it says another."""

    span: Span
    message: str
    hint: str = ""
    edit: Edit | None = None
    amount: int = 1
    others: tuple[Span, ...] = ()
    severity: Severity | None = None


class Example(NamedTuple):
    """A prompt that a rule fires on, or is silent for. `negative` is the other prompt of a pair, `note` that of a file."""

    text: str
    host: str = "a1111"
    model: str = "sdxl"
    options: Mapping[str, Any] = MappingProxyType({})
    settings: RuleSettings = DEFAULT_SETTINGS
    negative: str | None = None
    note: FileNote | None = None


PromptCheck = Callable[[Usage, RuleSettings], Iterable[Hit]]
PairCheck = Callable[[Usage, Usage, RuleSettings], Iterable[Hit]]
FileCheck = Callable[[FileNote, RuleSettings], Iterable[Hit]]
# (settings, room) -> what must be true of a plain prompt in which the rule finds something
PlainNeeds = Callable[[RuleSettings, Room], Needs]


class Rule(NamedTuple):
    """A row of `RULES`. `why` is a paragraph for its reader; it fires on `wrong` and is silent for `right`.

    `needs` says what a prompt must have for `on_prompt` to find anything (_needs.py); None: nothing is known of that.
    """

    code: str
    name: str
    severity: Severity
    summary: str
    why: str
    wrong: Example
    right: Example
    needs: PlainNeeds | None = None
    on_prompt: PromptCheck | None = None
    on_pair: PairCheck | None = None
    on_file: FileCheck | None = None

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """What the rule looks at."""
        checks: tuple[tuple[Scope, Any], ...] = (("prompt", self.on_prompt), ("pair", self.on_pair), ("file", self.on_file))
        return tuple(scope for scope, check in checks if check is not None)


Check = TypeVar("Check", bound=Callable[..., Iterable[Hit]])


def rule(
    code: str,
    name: str,
    severity: Severity,
    scope: Scope = "prompt",
    *,
    summary: str,
    why: str,
    wrong: Example,
    right: Example,
    needs: PlainNeeds | None = None,
) -> Callable[[Check], Check]:
    """Registers a check as the rule `code`."""
    _FOUND[code] = Rule(code, name, severity, summary, why, wrong, right, needs)
    return also(code, scope)


def also(code: str, scope: Scope) -> Callable[[Check], Check]:
    """Registers a further check of the rule `code`, for another scope."""

    def register(check: Check) -> Check:
        checks: dict[str, Any] = {f"on_{scope}": check}
        _FOUND[code] = _FOUND[code]._replace(**checks)
        return check

    return register


_FOUND: dict[str, Rule] = {}


class Rules(Mapping[str, Rule]):
    """The table of rules by code. An unknown code gets an error that offers the nearest one."""

    def __init__(self) -> None:
        names = sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))
        self._modules = {name.partition("_")[0].upper(): name for name in names}

    def __getitem__(self, code: str) -> Rule:
        row = _FOUND.get(code)
        if row is None:
            if code not in self._modules:
                raise UnknownNameError("rule", code, self._modules)
            importlib.import_module(f"{__name__}.{self._modules[code]}")
            row = _FOUND[code]
        return row

    def __contains__(self, code: object) -> bool:
        return code in self._modules

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)


RULES = Rules()


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rules run, by codes or their beginnings ("TB1"; "TB" or "ALL" for all of them).

    The longer beginning wins: `select=("TB2",), ignore=("TB203",)` is all of TB2 but one. Raises `UnknownNameError` for a beginning that no
    rule has.
    """

    select: tuple[str, ...] = ("ALL",)
    ignore: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        selected(tuple(RULES), self.select, self.ignore, self.extend_select)

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of the rules that run, in order."""
        return selected(tuple(RULES), self.select, self.ignore, self.extend_select)


EVERY_RULE = Selection()


def run_rules(usage: Usage, selection: Selection = EVERY_RULE, settings: RuleSettings = DEFAULT_SETTINGS) -> tuple[Finding, ...]:
    """What the selected rules find in a prompt, by place and then by code."""
    return _findings((row, check(usage, settings)) for row, check in _checks(selection, "on_prompt"))


def run_pair_rules(
    positive: Usage, negative: Usage, selection: Selection = EVERY_RULE, settings: RuleSettings = DEFAULT_SETTINGS
) -> tuple[Finding, ...]:
    """What the selected rules find in two prompts that belong together; the spans are those of the positive one."""
    return _findings((row, check(positive, negative, settings)) for row, check in _checks(selection, "on_pair"))


def run_file_rules(note: FileNote, selection: Selection = EVERY_RULE, settings: RuleSettings = DEFAULT_SETTINGS) -> tuple[Finding, ...]:
    """What the selected rules make of a note on a file; the spans are those of the note's text."""
    return _findings((row, check(note, settings)) for row, check in _checks(selection, "on_file"))


def needs_of(selection: Selection, settings: RuleSettings, room: Room) -> tuple[Needs, ...] | None:
    """What the selected rules need to find anything in a plain prompt; None where one of them does not say."""
    rows = [row for row, _ in _checks(selection, "on_prompt")]
    if any(row.needs is None for row in rows):
        return None
    return tuple(row.needs(settings, room) for row in rows if row.needs)


@lru_cache(maxsize=256)
def _checks(selection: Selection, name: str) -> tuple[tuple[Rule, Callable[..., Iterable[Hit]]], ...]:
    rows = [(RULES[code], getattr(RULES[code], name)) for code in selection.codes]
    return tuple((row, check) for row, check in rows if check is not None)


def _findings(checked: Iterable[tuple[Rule, Iterable[Hit]]]) -> tuple[Finding, ...]:
    found = [Finding(row.code, hit.severity or row.severity, *hit[:-1]) for row, hits in checked for hit in hits]
    if len(found) > 1:
        found.sort(key=lambda finding: (finding.span, finding.code))
        return tuple(without_meeting_edits(found))
    return tuple(found)


__all__ = [
    "DEFAULT_SETTINGS",
    "EVERY_RULE",
    "RULES",
    "Example",
    "FileNote",
    "Hit",
    "Needs",
    "NoteKind",
    "Role",
    "Room",
    "Rule",
    "RuleSettings",
    "Scope",
    "Selection",
    "also",
    "needs_of",
    "rule",
    "run_file_rules",
    "run_pair_rules",
    "run_rules",
]
