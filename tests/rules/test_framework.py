"""The table of rules, selection, settings, order of findings, and the examples that every rule shows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import promptlens
from promptlens import analyze
from promptlens.errors import OptionError, UnknownNameError
from promptlens.report import Edit, Finding, Report
from promptlens.rules import RULES, Example, RuleSettings, Selection, run_file_rules, run_pair_rules, run_rules
from promptlens.rules._edits import Edits, without_meeting_edits
from promptlens.spans import Span

SEVERITIES = {  # as docs/rules say; codes are stable
    "error": {"TB101", "TB103", "TB304", "TB501", "TB503"},
    "warning": {"TB102", "TB104", "TB105", "TB106", "TB201", "TB202", "TB204", "TB301", "TB302", "TB303", "TB305", "TB401", "TB502"},
    "info": {"TB203", "TB402", "TB403", "TB404"},
}


def findings_of(example: Example) -> tuple[Finding, ...]:
    """What all rules find in an example."""
    if example.note is not None:
        return run_file_rules(example.note, settings=example.settings)
    usage = analyze(example.text, example.host, example.model, **example.options).usage
    if example.negative is None:
        return run_rules(usage, settings=example.settings)
    negative = analyze(example.negative, example.host, example.model, **example.options).usage
    return (*run_rules(usage, settings=example.settings), *run_pair_rules(usage, negative, settings=example.settings))


@pytest.mark.parametrize("code", RULES)
def test_a_rule_fires_on_its_wrong_example_alone_and_is_silent_for_its_right_one(code: str) -> None:
    rule = RULES[code]
    wrong, right = findings_of(rule.wrong), findings_of(rule.right)
    # TB104's long prompt has, as most have, a tail
    assert {f.code for f in wrong if f.code == code or rule.scopes == ("prompt",)} == {code}
    assert code not in {f.code for f in right}


@pytest.mark.parametrize("code", RULES)
def test_a_rule_says_what_it_is(code: str) -> None:
    rule = RULES[code]
    assert rule.code == code
    assert code in SEVERITIES[rule.severity]
    assert rule.name.replace("-", "").isalpha()
    assert rule.scopes
    assert len(rule.why.split()) >= 40, "a paragraph"
    for finding in findings_of(rule.wrong):
        assert finding.hint.endswith((".", "?"))
        assert not finding.message.endswith(".")


@pytest.mark.parametrize("code", RULES)
def test_the_edits_of_a_wrong_example_mend_it_and_break_nothing(code: str) -> None:
    example = RULES[code].wrong
    before = [f for f in findings_of(example) if f.edit is not None]
    edits = Edits()
    assert [edits.add(f.edit) for f in before if f.edit is not None] == [True] * len(before)
    if before:
        after = findings_of(Example(edits.applied(example.text), example.host, example.model, example.options, example.settings))
        assert after == ()


def test_all_rules_are_there() -> None:
    assert set(RULES) == set().union(*SEVERITIES.values())
    assert len(RULES) == 22
    assert len({RULES[code].name for code in RULES}) == 22


def test_a_file_is_named_by_the_code_and_the_idea_of_its_rule() -> None:
    folder = Path(promptlens.__file__).parent / "rules"
    names = {path.stem for path in folder.glob("tb*.py")}
    assert names == {f"{code.lower()}_{RULES[code].name.replace('-', '_')}" for code in RULES}
    assert all(20 <= len(path.read_text(encoding="utf-8").splitlines()) <= 170 for path in folder.glob("tb*.py"))


def test_an_unknown_code_offers_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"Unknown rule 'TB999'.*TB101"):
        RULES["TB999"]


@pytest.mark.parametrize(
    ("selection", "codes"),
    [
        (Selection(), tuple(RULES)),
        (Selection(("TB1",)), ("TB101", "TB102", "TB103", "TB104", "TB105", "TB106")),
        (Selection(("tb20",), ("TB203",)), ("TB201", "TB202", "TB204")),
        (Selection(("TB203",), ("TB2",)), ("TB203",)),
        (Selection(("TB5",), ("TB5",)), ()),
        (Selection(("TB501",), extend_select=("TB40",)), ("TB401", "TB402", "TB403", "TB404", "TB501")),
        (Selection((), (), ("TB101",)), ("TB101",)),
        (Selection(("ALL",), ("TB",)), ()),
    ],
)
def test_selection_takes_the_longest_beginning(selection: Selection, codes: tuple[str, ...]) -> None:
    assert selection.codes == codes


@pytest.mark.parametrize("wrong", ["TB9", "TB2O1", "E501", "", " ", 5])
@pytest.mark.parametrize("where", ["select", "ignore", "extend_select"])
def test_selecting_an_unknown_code_is_an_error(where: str, wrong: Any) -> None:
    with pytest.raises(UnknownNameError, match="Unknown rule"):
        Selection(**{where: (wrong,)})


def test_the_nearest_code_is_offered() -> None:
    with pytest.raises(UnknownNameError, match=r"Did you mean 'TB201'\?"):
        Selection(("TB2O1",))


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_tokens": 0},
        {"max_tokens": 1.5},
        {"max_chunks": True},
        {"near_limit": 10},
        {"near_limit": float("nan")},
        {"template_share": -0.1},
        {"tail_tokens": -1},
        {"max_weight": 0},
        {"role": "postive"},
    ],
    ids=str,
)
def test_settings_out_of_range_are_an_error(wrong: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match=next(iter(wrong))):
        RuleSettings(**wrong)


def test_findings_are_sorted_by_place_and_then_by_code() -> None:
    found = run_rules(analyze("BREAK 1girl, (hat:0), 1girl, o) BREAK", "diffusers").usage)
    assert len({f.code for f in found}) > 1
    assert [*found] == sorted(found, key=lambda f: (f.span, f.code))


def test_only_the_selected_rules_run() -> None:
    usage = analyze("1girl, hat), 1girl", "a1111").usage
    assert {f.code for f in run_rules(usage)} == {"TB302", "TB401"}
    assert {f.code for f in run_rules(usage, Selection(("TB4",)))} == {"TB401"}


def test_of_two_edits_that_meet_the_safe_one_stays() -> None:
    def finding(start: int, end: int, safe: bool) -> Finding:
        return Finding("TB401", "warning", Span(start, end), "", edit=Edit(Span(start, end), "", safe))

    kept = [f.edit for f in without_meeting_edits([finding(0, 4, False), finding(2, 6, True), finding(6, 6, True), finding(6, 8, False)])]
    assert kept == [None, Edit(Span(2, 6), ""), Edit(Span(6, 6), ""), None]


def test_findings_are_looked_for_once_and_only_when_asked_for() -> None:
    calls = []
    usage = analyze("a cat").usage

    def finds(asked: object) -> tuple[Finding, ...]:
        calls.append(asked)
        return ()

    report = Report(usage, finds)
    assert calls == []
    assert report.findings == ()
    assert report.ok
    assert report.to_dict()["findings"] == []
    assert calls == [usage]


def test_findings_make_reports_differ() -> None:
    usage = analyze("a cat").usage
    assert Report(usage) == Report(usage, lambda _: ())
    assert Report(usage) != Report(usage, (Finding("TB101", "error", Span(0, 1), "lost"),))


def test_only_errors_make_a_report_not_ok() -> None:
    assert analyze("a \U0001f468\u200d\U0001f469\u200d\U0001f467 cat").ok
    assert analyze("a \U0001f468\u200d\U0001f469\u200d\U0001f467 cat").findings
    warned = analyze("1girl, hat, 1girl")
    assert [f.severity for f in warned.findings] == ["warning"]
    assert warned.ok, "a warning is advice"


def test_json_has_all_of_a_finding() -> None:
    (finding,) = analyze("1girl, hat, 1girl").to_dict()["findings"]
    assert finding == {
        "code": "TB401",
        "severity": "warning",
        "span": [12, 17],
        "message": "'1girl' is said again",
        "hint": "Take one of them out; to make it stronger, weigh it.",
        "edit": {"span": [10, 17], "replacement": "", "safe": True},
    }


def test_an_analysis_loads_no_rules_until_somebody_asks() -> None:
    script = "import sys; from promptlens import analyze; r = analyze('a cat'); assert 'promptlens.rules' not in sys.modules; r.findings; "
    script += "assert 'promptlens.rules.tb101_lost_words' in sys.modules; assert 'ftfy' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
