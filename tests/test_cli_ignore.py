"""Comments that silence rules."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from promptlens.__main__ import main

Said = pytest.CaptureFixture[str]


def found(capsys: Said, path: str, text: str, *arguments: str) -> list[str]:
    """`line code` of each finding in a file that holds a text."""
    Path(path).parent.mkdir(exist_ok=True)
    Path(path).write_text(text)
    main(["check", "--format", "concise", *arguments, path])
    return [f"{line} {code}" for line, code in re.findall(r":(\d+):\d+: \w+ (TB\d+)", capsys.readouterr().out)]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("red, red\nblue, blue\n", ["1 TB401", "2 TB401"]),
        ("# promptlens: ignore[TB401]\nred, red\nblue, blue\n", ["3 TB401"]),
        ("# promptlens: ignore[TB4]\n\nred, red\nblue, blue\n", ["4 TB401"]),
        ("#promptlens:ignore\nred, red\nblue, blue\n", ["3 TB401"]),
        ("# promptlens: ignore[TB2, TB3]\nred, red\n", ["2 TB401"]),
        ("# promptlens: ignore[TB2]\n# promptlens: ignore[tb401]\nred, red\n", []),
        ("red, red # promptlens: ignore[TB401]\nblue, blue\n", ["2 TB401"]),
        ("blue, blue\n# promptlens: ignore-file[TB401]\nred, red\n", []),
        ("a cat\n# promptlens: nothing\nred, red\n", ["3 TB401"]),
    ],
)
def test_lines_and_wildcards(text: str, left: list[str], capsys: Said) -> None:
    assert found(capsys, "wildcards/a.txt", text) == left
    assert found(capsys, "plain.txt", text) == left


def test_a_host_without_comments_reads_them_as_words(capsys: Said) -> None:
    text = "red, red, blue # promptlens: ignore[TB401]"
    assert sorted(found(capsys, "a.caption", text)) == ["1 TB301", "1 TB401"]  # captions are kohya's
    assert found(capsys, "a.caption", text, "--host", "a1111") == []


def test_fix_leaves_what_is_silenced(capsys: Said) -> None:
    Path("a.txt").write_text("# promptlens: ignore[TB401]\nred, red\nblue, blue\n")
    assert main(["check", "--fix", "a.txt"]) == 0
    assert Path("a.txt").read_text() == "# promptlens: ignore[TB401]\nred, red\nblue\n"
