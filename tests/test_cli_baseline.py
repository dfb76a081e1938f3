"""Baselines: only new findings are reported."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from promptlens.__main__ import main

Said = pytest.CaptureFixture[str]


def found(capsys: Said, *arguments: str) -> list[str]:
    """`file:line code` of each finding."""
    main(["check", "--format", "concise", *arguments])
    return [f"{place} {code}" for place, code in re.findall(r"^(\S+:\d+):\d+: \w+ (TB\d+)", capsys.readouterr().out, re.MULTILINE)]


@pytest.fixture
def known(isolated: Path, capsys: Said) -> Path:
    """A file with two old findings, and their baseline."""
    file = Path("a.txt")
    file.write_text("red, red\nblue, blue\n")
    Path("b.caption").write_text("")
    assert main(["check", "--add-baseline", "old.json", "a.txt", "b.caption"]) == 0
    assert "old.json: 3 findings written" in capsys.readouterr().err
    return file


def test_only_new_findings_are_reported(known: Path, capsys: Said) -> None:
    assert main(["check", "--baseline", "old.json", "a.txt", "b.caption"]) == 0
    assert found(capsys, "--baseline", "old.json", "a.txt", "b.caption") == []
    known.write_text("green, green\n\nblue, blue\nred, red\nred, red\n")
    # one more line that says red twice, and the green one; those that moved are known
    assert found(capsys, "--baseline", "old.json", "a.txt") == ["a.txt:1 TB401", "a.txt:5 TB401"]


def test_it_can_stand_in_the_settings(known: Path, capsys: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("promptlens.toml").write_text('baseline = "old.json"\n')
    assert found(capsys, ".") == []
    Path("inner").mkdir()
    monkeypatch.chdir("inner")
    assert found(capsys, "../a.txt") == []


def test_it_is_written_again_in_its_place(known: Path) -> None:
    known.write_text("a cat\n")
    assert main(["check", "--add-baseline", "old.json", "a.txt"]) == 0
    assert json.loads(Path("old.json").read_text()) == {"version": 1, "findings": []}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "there is none; write it with --add-baseline"),
        ("{", "is no baseline: "),
        ("[]", "is no baseline of this version"),
        ('{"version": 2, "findings": []}', "is no baseline of this version"),
        ('{"version": 1, "findings": [5]}', "'5' is no finding"),
    ],
)
def test_what_is_no_baseline(content: str | None, why: str, capsys: Said) -> None:
    if content is not None:
        Path("old.json").write_text(content)
    assert main(["check", "--baseline", "old.json", "a cat"]) == 2
    assert why in capsys.readouterr().err


def test_a_folder_that_is_not_there(capsys: Said) -> None:
    assert main(["check", "--add-baseline", "none/old.json", "red, red"]) == 2
    assert "the baseline cannot be written: No such file or directory" in capsys.readouterr().err
