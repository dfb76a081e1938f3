"""Text that the host passes over."""

from __future__ import annotations

import pytest
from rule_cases import Case, Says, after, pieces

from promptlens.rules import FileNote, NoteKind, run_file_rules

FIRES = {
    "a caption's second line": Says(Case("a cat\na dog", "kohya"), ["a dog"]),
    "its third": Says(Case("a cat\n\na dog\n", "kohya"), ["\na dog\n"]),
    "what compel drops after .and()": Says(Case('("a cat", "a dog").and() at noon', "compel"), [" at noon"]),
}

SILENT = {
    "one line": Case("a cat, a dog", "kohya"),
    "an empty second line": Case("a cat\n \n", "kohya"),
    "a host that reads all lines": Case("a cat\na dog", "a1111"),
    "comments, which are meant to be passed over": Case("a cat # mine", "a1111"),
}


@pytest.mark.parametrize("says", FIRES.values(), ids=FIRES)
def test_fires(says: Says) -> None:
    assert pieces("TB502", says.case) == says.pieces
    assert after("TB502", says.case) == says.after


@pytest.mark.parametrize("case", SILENT.values(), ids=SILENT)
def test_silent(case: Case) -> None:
    assert pieces("TB502", case) == []


@pytest.mark.parametrize("kind", ["ignored", "literal", "duplicate", "bytes", "missing"])
def test_fires_on_what_a_reader_notes_of_a_file(kind: NoteKind) -> None:
    (finding,) = run_file_rules(FileNote(kind, "why", "text"))
    assert (finding.code, finding.severity, finding.message, len(finding.span)) == ("TB502", "warning", "why", 4)
    assert finding.hint
