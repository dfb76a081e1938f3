"""Where problems stand in their files, their paths, their names, and fixes as changes of a file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from format_runs import of_file, of_text

from promptlens import analyze
from promptlens.render import Entry, Trouble
from promptlens.render._places import HOST_FAILS, NOT_CHECKED, Change, Fingerprints, Problem, Region, file_change, problems, relative_path
from promptlens.report import Report

STYLES = 'name,prompt,negative_prompt\nPhoto,"raw ""photo"", film,\ngrain, film",blurry\n'
YAML = "colors:\n  - 'it''s red, hat, it''s red'\n  - >-\n    a long hat,\n    coat, a long hat\n"
WORKFLOW = (
    '{"3": {"class_type": "KSampler", "inputs": {"positive": ["6", 0], "negative": ["7", 0]}},\n'
    ' "6": {"class_type": "CLIPTextEncode",\n'
    '  "inputs":\n  {"text": "\\u00e9t\\u00e9 \\ud83d\\udc31, \\"hat\\", \\u00e9t\\u00e9 \\ud83d\\udc31"}},\n'
    ' "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry"}}}\n'
)

FILES = {  # name: content, and the raw text of each TB401's region, which begins at the place told
    "hero.prompt": ("a cat,\nhat, a cat", ["a cat"]),
    "list.txt": ("a dog\nhat, coat, hat\n", ["hat"]),
    "styles.csv": (STYLES, ["film"]),
    "wildcards/colors.yaml": (YAML, ["it''s red", "a long hat"]),
    "workflow.json": (WORKFLOW, ["\\u00e9t\\u00e9 \\ud83d\\udc31"]),
    "job.toml": ('[prompt]\n[[prompt.subset]]\nprompt = "a \\U0001F431, hat, a \\U0001F431"\n', ["a \\U0001F431"]),
    "0001.caption": ("1girl, 帽子, solo, 1girl\n", ["1girl"]),
}


def made(name: str, content: str) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8", newline="")
    return path


def repeated(path: Path) -> list[Problem]:
    return [p for item in of_file(path) for p in problems(item) if p.code == "TB401"]


def cut(content: str, region: Region) -> str:
    """What stands in a region."""
    return content[offset(content, region.line, region.column) : offset(content, region.end_line, region.end_column)]


def offset(content: str, line: int, column: int) -> int:
    return len("".join(content.splitlines(keepends=True)[: line - 1])) + column - 1


@pytest.mark.parametrize("name", FILES)
def test_a_region_is_what_stands_in_the_file(name: str) -> None:
    content, expected = FILES[name]
    assert [cut(content, p.region) for p in repeated(made(name, content))] == expected


@pytest.mark.parametrize("name", FILES)
def test_a_change_is_the_edit_in_the_file(name: str) -> None:
    content, expected = FILES[name]
    path = made(name, content)
    found = repeated(path)
    changes = [change for change in map(file_change, found) if change is not None]
    assert len(changes) == len(expected)
    after = applied(content, changes)
    path.write_text(after, encoding="utf-8", newline="")
    assert repeated(path) == []
    assert len(after) < len(content)


def applied(content: str, changes: Sequence[Change]) -> str:
    for (line, column, end_line, end_column), text in reversed(changes):
        content = content[: offset(content, line, column)] + text + content[offset(content, end_line, end_column) :]
    return content


def test_a_change_keeps_what_stands_around_it() -> None:
    ((change,),) = [[file_change(p) for p in repeated(made("workflow.json", WORKFLOW))]]
    assert change is not None
    assert applied(WORKFLOW, [change]) == WORKFLOW.replace(', \\u00e9t\\u00e9 \\ud83d\\udc31"', '"')


def test_no_change_for_texts_and_guesses() -> None:
    (problem,) = problems(of_text("1girl, hat, 1girl"))
    assert problem.edit is not None
    assert file_change(problem) is None
    (problem,) = repeated(made("list.txt", "hat, coat, hat"))
    assert problem.edit is not None
    guess = problem._replace(edit=type(problem.edit)(problem.edit.span, problem.edit.replacement, safe=False))
    assert file_change(guess) is None


def test_a_text_counts_its_own_lines() -> None:
    problem = next(problems(of_text("a cat,\r\nhat, a cat")))
    assert (problem.region, problem.in_file, problem.text) == (Region(2, 6, 2, 11), False, "a cat")


def test_a_host_that_fails_is_a_problem() -> None:
    entry = Entry(analyze(" ", "sd_embed", "sdxl", negative_prompt=" "), "<text>")
    failed, empty = problems(entry)
    assert (failed.code, failed.severity, failed.region) == (HOST_FAILS, "error", Region(1, 1, 1, 2))
    assert failed.said.startswith("sd_embed fails on this prompt (RuntimeError): ")
    assert empty.code == "TB503"


def test_a_prompt_too_long_for_the_rules_says_what_is_lost() -> None:
    usage = of_text("one " * 26_000, host="diffusers").report.usage
    (problem,) = problems(Entry(Report(usage, ()), "<text>"))
    assert (problem.code, problem.severity, problem.region.column) == ("TB101", "error", 301)
    assert not list(problems(Entry(Report(of_text("one " * 80, host="diffusers").report.usage, ()), "<text>"))), "its rule is not selected"


def test_what_cannot_be_read_is_at_its_place() -> None:
    assert [*problems(Trouble("is no JSON", "a.json", 3, None, 7, "TB501", "Mend it."))] == [
        Problem("TB501", "error", "is no JSON", "Mend it.", "a.json", Region(3, 7, 3, 7))
    ]
    (problem,) = problems(Trouble("line 3 is not JSON.", "<stdin>:3", 3))
    assert (problem.code, problem.in_file, problem.said) == (NOT_CHECKED, False, "line 3 is not JSON.")


def test_paths_are_relative_to_where_we_are() -> None:
    assert relative_path("./a/../b.txt") == "b.txt"
    assert relative_path(os.path.join(os.getcwd(), "a", "b.txt")) == "a/b.txt"
    assert relative_path("../b.txt") == "../b.txt"
    elsewhere = os.path.join(os.path.dirname(os.getcwd()), "b.txt")
    assert relative_path(elsewhere) == elsewhere.replace(os.sep, "/")


def test_a_fingerprint_holds_when_lines_move() -> None:
    before = repeated(made("list.txt", "hat, coat, hat\nhat, 1girl, hat\na cat, a dog, a cat\n"))
    after = repeated(made("list.txt", "new\n\nhat, coat, hat\n  hat, 1girl, hat\nmore\na cat, a dog, a cat\n"))
    first, second = (list(map(Fingerprints().of, found)) for found in (before, after))
    fingerprints = Fingerprints()
    first = [fingerprints.of(problem) for problem in before]
    fingerprints = Fingerprints()
    second = [fingerprints.of(problem) for problem in after]
    assert first == second
    assert len(set(first)) == 3
    other = [Fingerprints().of(problem._replace(name="other.txt")) for problem in before]
    assert not set(other) & set(first)
