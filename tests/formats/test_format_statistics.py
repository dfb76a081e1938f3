"""`--statistics`: how often each rule found something."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from promptlens.__main__ import main


@pytest.fixture(autouse=True)
def files() -> None:
    Path("list.txt").write_text("hat, coat, hat\na cat, a dog, a cat, a dog\na <|endoftext|> cat\n", encoding="utf-8")


def test_a_table_of_what_was_found(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--statistics", "list.txt"]) == 1
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == ["count", "fixable", "code", "severity", "name"]
    assert [row.split() for row in rows] == [
        ["3", "3", "TB401", "warning", "repeated-tag"],
        ["1", "1", "TB304", "error", "literal-special"],
    ]


def test_rows_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--statistics", "--format", "json", "list.txt"]) == 1
    rows = json.loads(capsys.readouterr().out)
    assert rows[1] == {"code": "TB304", "name": "literal-special", "severity": "error", "count": 1, "fixable": 1}
    assert main(["check", "--statistics", "--format", "jsonl", "list.txt"]) == 1
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == rows


def test_nothing_and_what_cannot_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--statistics", "--text", "a cat"]) == 0
    assert capsys.readouterr() == ("", "")
    Path("bad.csv").write_bytes(b"\x89PNG\r\n")
    assert main(["check", "--statistics", "--file", "bad.csv", "no.txt"]) == 2
    out, err = capsys.readouterr()
    assert [row.split()[0] for row in out.splitlines()[1:]] == ["1", "1"]
    assert len(err.splitlines()) == 2


@pytest.mark.parametrize("output_format", ["sarif", "svg", "junit"])
def test_formats_without_counts(capsys: pytest.CaptureFixture[str], output_format: str) -> None:
    assert main(["check", "--statistics", "--format", output_format, "list.txt"]) == 2
    assert capsys.readouterr().err.startswith("error: --statistics is written as one of full, concise, json, jsonl; ")
