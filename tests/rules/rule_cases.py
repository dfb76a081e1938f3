"""What the rules' table tests share: a case, what a rule says of it, and the prompt after its edits."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle, islice
from typing import Any, NamedTuple

from promptlens import analyze
from promptlens.report import Finding
from promptlens.rules import DEFAULT_SETTINGS, RuleSettings, Selection, run_rules
from promptlens.rules._edits import Edits

# One token of CLIP's vocabulary each, all different.
_WORDS = """
    cat dog bird fish tree house river stone cloud star moon sun sea hill road bridge tower castle garden flower rose leaf grass
    snow rain wind fire light shadow night morning winter summer boat ship train car bike horse cow sheep wolf fox bear lion tiger
    mouse snake frog owl eagle hand face eye hair dress coat hat shoe ring book lamp chair table door window wall floor roof
    street city village field farm lake beach island desert forest valley mountain sky
"""
WORDS = _WORDS.split()


def words(count: int, start: int = 0) -> str:
    """So many words of one token each, with blanks between them; different ones up to 82."""
    return " ".join(islice(cycle(WORDS), start, start + count))


class Case(NamedTuple):
    """A prompt and what it is analysed with."""

    text: str
    host: str = "a1111"
    model: str = "sd15"
    options: Mapping[str, Any] = {}
    settings: RuleSettings = DEFAULT_SETTINGS


class Says(NamedTuple):
    """What a rule must say of a case: the pieces of the prompt it points at, and the prompt after its edits (None: it offers none)."""

    case: Case
    pieces: list[str]
    after: str | None = None


def found(code: str, case: Case) -> tuple[Finding, ...]:
    """What one rule finds."""
    usage = analyze(case.text, case.host, case.model, **case.options).usage
    return run_rules(usage, Selection((code,)), case.settings)


def pieces(code: str, case: Case) -> list[str]:
    """The pieces of the prompt that one rule points at."""
    return [finding.span.of(case.text) for finding in found(code, case)]


def after(code: str, case: Case) -> str | None:
    """The prompt after all edits that one rule offers; None where it offers none."""
    edits = Edits()
    made = [edits.add(finding.edit) for finding in found(code, case) if finding.edit is not None]
    assert all(made), "the edits of one rule do not meet"
    return edits.applied(case.text) if made else None
