"""The commands `rules` and `formats`."""

from __future__ import annotations

import json

import pytest
from wcwidth import wcswidth

from promptlens.__main__ import main
from promptlens.render._rule_page import findings_of, rule_page
from promptlens.render._runs import plain, visible_text
from promptlens.rules import RULES
from promptlens.sources import FORMATS


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a command that ends well writes."""
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def test_the_table_has_a_row_for_every_rule(capsys: pytest.CaptureFixture[str]) -> None:
    head, *rows = shown(capsys, "rules").splitlines()
    assert head.split() == ["code", "name", "severity", "fires", "when"]
    assert [row.split()[:3] for row in rows if row.startswith("TB")] == [[r.code, r.name, r.severity] for r in RULES.values()]


def test_the_beginning_of_codes_lists_those(capsys: pytest.CaptureFixture[str]) -> None:
    rows = shown(capsys, "rules", "tb2").splitlines()[1:]
    assert [row.split()[0] for row in rows if row.startswith("TB")] == ["TB201", "TB202", "TB203", "TB204"]


@pytest.mark.parametrize("width", [24, 80])
@pytest.mark.parametrize("code", RULES)
def test_a_page_shows_both_examples_and_what_is_found_in_them(code: str, width: int) -> None:
    rule = RULES[code]
    lines = [plain(row) for row in rule_page(rule, width)]
    assert max(map(wcswidth, lines)) <= width
    said = "".join(lines).replace(" ", "")
    for example in (rule.wrong, rule.right):
        assert visible_text(example.note.message if example.note else example.text).replace(" ", "") in said
    messages = [visible_text(f.message).replace(" ", "") for f in findings_of(rule.wrong, code)]
    assert messages
    assert all(message in said for message in messages)
    assert findings_of(rule.right, code) == ()


def test_a_page_shows_the_fix(capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(capsys, "rules", "TB401")
    assert out.startswith("TB401 repeated-tag · warning\nFires when a tag is said twice")
    wrong, right = out.split("\nRight · ")
    assert '  The fix: "' in wrong
    assert "The fix" not in right


def test_json_has_all_of_a_rule(capsys: pytest.CaptureFixture[str]) -> None:
    (row,) = json.loads(shown(capsys, "rules", "TB401", "--format", "json"))
    assert (row["code"], row["name"], row["severity"], row["scopes"]) == ("TB401", "repeated-tag", "warning", ["prompt"])
    assert row["wrong"]["messages"]
    assert row["right"]["messages"] == []
    rows = json.loads(shown(capsys, "rules", "--format", "json"))
    assert [row["code"] for row in rows] == [*RULES]
    assert all(row["wrong"]["messages"] and not row["right"]["messages"] for row in rows)
    assert {name for row in rows for name in row["wrong"]["settings"]} >= {"max_tokens", "wildcards", "loras"}


@pytest.mark.parametrize("code", ["TB999", "", "E501"])
def test_an_unknown_rule(capsys: pytest.CaptureFixture[str], code: str) -> None:
    assert main(["rules", code]) == 2
    assert capsys.readouterr().err.startswith(f"error: Unknown rule {code!r}. Known: TB101, ")


def test_every_format_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(capsys, "formats")
    assert [line.split()[0] for line in out.splitlines() if line[:1].strip()] == [*FORMATS]
    assert max(map(wcswidth, out.splitlines())) <= 80
    rows = json.loads(shown(capsys, "formats", "--format", "json"))
    assert [(row["name"], row["title"]) for row in rows] == [(f.name, f.title) for f in FORMATS.values()]
    assert {row["name"] for row in rows if not row["writable"]} == {"images"}
