"""GitLab's Code Quality report."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from format_runs import HOSTILE, of_file, of_text, written

from promptlens.render import Item, Trouble
from promptlens.render._runs import visible_text


def report(items: Iterable[Item]) -> list[dict[str, Any]]:
    text = written("gitlab", items)
    rows: list[dict[str, Any]] = json.loads(text)
    text.encode("utf-8")
    for row in rows:  # what GitLab asks for, and of which type
        assert set(row) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert row["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert row["location"]["lines"]["begin"] >= 1
        assert all(isinstance(row[key], str) for key in ("description", "check_name", "fingerprint"))
        json.dumps(row, ensure_ascii=False).encode("utf-8")  # no half of a character
    assert len({row["fingerprint"] for row in rows}) == len(rows)
    return rows


def test_a_finding_of_a_file() -> None:
    Path("prompts").mkdir()
    Path("prompts/list.txt").write_text("a cat\nhat, coat, hat\n", encoding="utf-8")
    (row,) = report(of_file(Path("prompts/list.txt").resolve()))
    assert row.pop("fingerprint")
    assert row == {
        "description": "TB401: 'hat' is said again. Take one of them out; to make it stronger, weigh it.",
        "check_name": "TB401",
        "severity": "minor",
        "location": {"path": "prompts/list.txt", "lines": {"begin": 2, "end": 2}},
    }


def test_nothing_found() -> None:
    assert written("gitlab", []) == "[]\n"
    assert report([of_text("a cat")]) == []


def test_severities() -> None:
    rows = report([of_text("1girl, hat, 1girl"), of_text("a <|endoftext|> cat"), of_text("a 👨‍👩‍👧 cat")])
    assert [row["severity"] for row in rows] == ["minor", "major", "info"]


def test_what_cannot_be_read() -> None:
    (row,) = report([Trouble("is no JSON", "a.json", 3, None, 7, "TB501", "Mend it.")])
    assert (row["check_name"], row["severity"], row["description"]) == ("TB501", "major", "TB501: is no JSON. Mend it.")


def test_the_same_twice_is_two() -> None:
    Path("list.txt").write_text("hat, coat, hat\nhat, coat, hat\n", encoding="utf-8")
    assert len(report(of_file("list.txt"))) == 2


@pytest.mark.parametrize("prompt", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_prompt(prompt: str) -> None:
    rows = report([of_text(prompt)])
    assert rows
    assert all(row["description"] == visible_text(row["description"]) for row in rows)


def test_a_file_name_that_is_no_text() -> None:
    (row,) = report([Trouble("is no text", "caf\udce9.txt", code="TB501")])
    assert row["location"]["path"] == "caf\ufffd.txt"
