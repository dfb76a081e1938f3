"""Files that are not what their format says."""

from __future__ import annotations

from promptlens.rules import FileNote, run_file_rules


def test_fires_on_a_file_that_cannot_be_read() -> None:
    (finding,) = run_file_rules(FileNote("unreadable", "line 3: a quote is never closed"))
    assert (finding.code, finding.severity, finding.message) == ("TB501", "error", "line 3: a quote is never closed")
    assert finding.hint


def test_silent_for_what_is_only_ignored() -> None:
    assert [f.code for f in run_file_rules(FileNote("ignored", "only the first line is read"))] == ["TB502"]
