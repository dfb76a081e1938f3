"""Annotations of GitHub Actions: the commands, as the runner takes them apart."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pytest
from format_runs import HOSTILE, of_file, of_text, written

from promptlens.render import Item, Trouble
from promptlens.render._runs import visible_text

LINE = re.compile(r"::(error|warning|notice) ([^:]*)::(.*)")


class Command(NamedTuple):
    """A command as the runner reads it: properties are parted at commas, each at its first `=`, and escapes are undone."""

    name: str
    properties: dict[str, str]
    message: str


def commands(items: Iterable[Item]) -> list[Command]:
    found = []
    for line in re.split(r"\r\n|[\r\n]", written("github", items))[:-1]:
        match = LINE.fullmatch(line)
        assert match, line
        name, properties, message = match.groups()
        pairs = (pair.split("=", 1) for pair in properties.split(","))
        found.append(Command(name, {key: plain(value, "%3A", ":", "%2C", ",") for key, value in pairs}, plain(message)))
    return found


def plain(text: str, *more: str) -> str:
    """Escapes undone in the order of the runner (ActionCommand.cs): `%25` last."""
    pairs = ["%0D", "\r", "%0A", "\n", *more, "%25", "%"]
    for escaped, char in zip(pairs[::2], pairs[1::2], strict=True):
        text = text.replace(escaped, char)
    return text


def test_a_finding_of_a_file() -> None:
    Path("list.txt").write_text("a cat\nhat, coat, hat\n", encoding="utf-8")
    assert written("github", of_file("list.txt")) == (
        "::warning title=PromptLens TB401,file=list.txt,line=2,col=12,endLine=2,endColumn=15::"
        "'hat' is said again. Take one of them out; to make it stronger, weigh it.\n"
    )


def test_levels() -> None:
    items = [of_text("1girl, hat, 1girl"), of_text("a <|endoftext|> cat"), of_text("a 👨‍👩‍👧 cat")]
    assert [(c.name, c.properties["title"]) for c in commands(items)] == [
        ("warning", "PromptLens TB401"),
        ("error", "PromptLens TB304"),
        ("notice", "PromptLens TB402"),
    ]


def test_a_region_of_several_lines_has_no_columns() -> None:
    Path("hero.prompt").write_text("one " * 80 + "\ntwo three", encoding="utf-8")
    lost = next(c for c in commands(of_file("hero.prompt", "diffusers")) if c.properties["title"] == "PromptLens TB101")
    assert lost.properties == {"title": "PromptLens TB101", "file": "hero.prompt", "line": "1", "endLine": "2"}


def test_a_file_name_that_breaks_out() -> None:
    name = "a,line=7:: %0A,b.txt"
    Path(name).write_text("hat, coat, hat", encoding="utf-8")
    (command,) = commands(of_file(name))
    assert command.properties["file"] == name
    assert command.properties["line"] == "1"


def test_what_cannot_be_read() -> None:
    (command,) = commands([Trouble("is no JSON", "a.json", 3, None, 7, "TB501", "Mend it.")])
    assert command == Command(
        "error",
        {"title": "PromptLens TB501", "file": "a.json", "line": "3", "col": "7", "endLine": "3", "endColumn": "7"},
        "is no JSON. Mend it.",
    )
    (command,) = commands([Trouble("line 3 is not JSON.", "<stdin>:3", 3)])
    assert (command.properties, command.message) == ({"title": "PromptLens not-checked"}, "<stdin>:3:3:1: line 3 is not JSON.")


@pytest.mark.parametrize("prompt", HOSTILE.values(), ids=HOSTILE)
def test_a_prompt_gives_its_own_commands_and_no_other(prompt: str) -> None:
    entry = of_text(prompt)
    found = commands([entry])
    assert [c.properties["title"] for c in found] == [f"PromptLens {f.code}" for f in entry.report.findings]
    assert found
    assert all(c.message == visible_text(c.message) for c in found)


def test_an_output_of_ascii() -> None:
    text = written("github", [of_text("日本 cat, hat, 日本 cat")], ascii=True)
    assert text.isascii()
    assert "\\u65e5" in text
