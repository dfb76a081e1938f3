"""JUnit XML."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from format_runs import HOSTILE, of_file, of_text, written

from promptlens.render import Item, Trouble, Unchecked
from promptlens.sources import Prompt


def suites(items: Iterable[Item]) -> list[ElementTree.Element]:
    """The suites of a run; what each says of itself is true."""
    text = written("junit", items)
    assert text.isascii()
    root = ElementTree.fromstring(text)
    assert (root.tag, root.attrib) == ("testsuites", {"name": "promptlens"})
    for suite in root:
        counted = {"tests": "testcase", "failures": "testcase/failure", "errors": "testcase/error", "skipped": "testcase/skipped"}
        assert {key: suite.get(key) for key in counted} == {key: str(len(suite.findall(path))) for key, path in counted.items()}
    return list(root)


def test_a_suite_for_each_file_and_a_case_for_each_prompt() -> None:
    Path("a.txt").write_text("a cat\nhat, coat, hat\na <|endoftext|> cat\n", encoding="utf-8")
    Path("styles.csv").write_text("name,prompt,negative_prompt\nPhoto,a photo,blurry\n", encoding="utf-8")
    first, second = suites([*of_file("a.txt"), *of_file("styles.csv")])
    assert (first.get("name"), second.get("name")) == ("a.txt", "styles.csv")
    quiet, advised, failed = first
    assert [case.get("line") for case in first] == ["1", "2", "3"]
    assert len(quiet) == 0
    assert advised.findtext("system-out") == (
        "2:12: warning TB401 'hat' is said again. Take one of them out; to make it stronger, weigh it.\n"
    )
    (failure,) = failed
    assert (failure.tag, failure.get("type")) == ("failure", "TB304")
    assert str(failure.text).startswith("3:3: error TB304 ")
    assert {case.get("classname") for case in second} == {"styles.csv"}
    assert len({case.get("name") for case in second}) == 2


def test_what_cannot_be_read_is_an_error() -> None:
    ((case,),) = suites([Trouble("is no JSON", "a.json", 3, None, 7, "TB501", "Mend it.")])
    assert case.get("name") == "line 3"
    (error,) = case
    assert (error.tag, error.get("message"), error.get("type")) == ("error", "is no JSON", "TB501")
    assert error.text == "3:7: error TB501 is no JSON. Mend it.\n"


def test_what_is_not_analysed_is_skipped() -> None:
    ((case,),) = suites([Unchecked(Prompt("", "a.json", 4, key="6.text"), "a.json", "made at run time")])
    assert case.get("name") == "6.text (positive)"
    (skipped,) = case
    assert (skipped.tag, skipped.get("message")) == ("skipped", "made at run time")


def test_nothing() -> None:
    assert suites([]) == []


@pytest.mark.parametrize("prompt", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_prompt(prompt: str) -> None:
    entry = of_text(prompt)
    ((case,),) = suites([entry])
    said = "".join(case.itertext()).strip().splitlines()
    assert [line.split()[2] for line in said if line.strip()] == [f.code for f in entry.report.findings]


def test_a_hostile_file_name() -> None:
    name = '"<&\x1b]]>\udce9.txt'
    (suite,) = suites([Trouble("is no text", name, code="TB501")])
    assert suite.get("name") == '"<&\\x1b]]>\\udce9.txt'
