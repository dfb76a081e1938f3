"""A style that two files of one run define is said once, where the later file has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from promptlens.__main__ import main
from promptlens.checking import _names

Said = pytest.CaptureFixture[str]
HEADER = "name,prompt,negative_prompt\n"


def styles(name: str, *rows: str) -> str:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEADER + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return name


def said(capsys: Said, *arguments: str) -> list[str]:
    assert main(["check", "--format", "concise", "--select", "TB502", *arguments]) == 0
    return [line for line in capsys.readouterr().out.splitlines() if "TB502" in line]


def test_the_later_file_is_told_of_the_earlier_one(capsys: Said) -> None:
    files = [styles("a/styles.csv", "one,a cat,", "film,photo of a lynx,blurry"), styles("b/styles.csv", "film,a dog,bad")]
    (line,) = said(capsys, *files)
    assert line.startswith("b/styles.csv:2:1: warning TB502 ")
    assert "the style 'film' is defined in a/styles.csv, line 3 too; a web UI that reads both files keeps only one of them" in line
    (line,) = said(capsys, *files[::-1])
    assert line.startswith("a/styles.csv:3:1: ")
    assert "in b/styles.csv, line 2 too" in line
    assert [line.partition(" ")[0] for line in said(capsys, ".")] == ["b/styles.csv:2:1:"]


def test_a_third_file_is_told_of_the_second(capsys: Said) -> None:
    files = [styles(f"{name}.styles.csv", f"{name},a {name},", "日本 [x] 👩‍🚀,a lynx,") for name in "abc"]
    lines = said(capsys, *files)
    assert [line.partition(":")[0] for line in lines] == ["b.styles.csv", "c.styles.csv"]
    assert "the style '日本 [x] 👩\\u200d🚀' is defined in b.styles.csv, line 3 too" in lines[1]


def test_a_file_is_not_told_of_itself(capsys: Said) -> None:
    name = styles("styles.csv", "film,a cat,blurry", "day,a dog,")
    Path("link_styles.csv").symlink_to(name)
    assert said(capsys, name, f"./{name}", "link_styles.csv") == []
    (line,) = said(capsys, styles("two_styles.csv", "film,a cat,", "film,a dog,"))
    assert "is defined again here" in line


def test_a_negative_prompt_alone_has_a_name_too(capsys: Said) -> None:
    assert len(said(capsys, styles("a.styles.csv", "bad,,blurry"), styles("b.styles.csv", "bad,,dim"))) == 1


def test_other_files_with_names_are_not_compared(capsys: Said) -> None:
    for name in ("sdxl_styles_a.json", "sdxl_styles_b.json"):
        Path(name).write_text('[{"name": "film", "prompt": "a cat, {prompt}"}]')
    assert said(capsys, ".") == []


def test_memory_is_bounded(capsys: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_names, "MOST_NAMES", 2)
    long = "x" * (_names.LONGEST_CHARS + 1)
    rows = [f"{long},a cat,", "one,a cat,", "two,a cat,", "three,a cat,"]
    lines = said(capsys, styles("a.styles.csv", *rows), styles("b.styles.csv", *rows[::-1]))
    assert ["'two'" in lines[0], "'one'" in lines[1], len(lines)] == [True, True, 2]


def test_a_list_of_older_findings_knows_it(capsys: Said) -> None:
    files = [styles("a.styles.csv", "film,a cat,"), styles("b.styles.csv", "film,a dog,")]
    assert main(["check", "--add-baseline", "known.json", *files]) == 0
    assert said(capsys, "--baseline", "known.json", *files) == []
