"""SARIF 2.1.0, which GitHub code scanning, Azure DevOps and editors read: every rule with its help, every finding with its region and fix.

Written as it is found, so that a long run needs no more memory than a short one. Lines and columns count from 1, columns in Unicode code
points (`columnKind` says so); ends are exclusive. Paths are relative to `%SRCROOT%`, the folder that the command ran in.

A fix is there where the rule's edit is safe and one change of the file makes it. `primaryLocationLineHash`, by which GitHub knows an alert
again, is left to its upload action: that computes it from the lines of the file. Our own fingerprint holds when lines move.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from promptlens import __version__
from promptlens.render import Item, Trouble
from promptlens.render._json import dumped
from promptlens.render._places import (
    HOST_FAILS,
    Change,
    Fingerprints,
    Problem,
    Region,
    encodable,
    file_change,
    problems,
    relative_path,
)
from promptlens.render._runs import visible_text
from promptlens.report import Severity
from promptlens.rules import RULES, Example, Rule
from promptlens.terminal import Screen

tells_trouble = False
tells_clean = False

SCHEMA_URI = "https://json.schemastore.org/sarif-2.1.0.json"
PROJECT_URI = "https://github.com/promptlens/promptlens"

_LEVELS: dict[Severity, str] = {"error": "error", "warning": "warning", "info": "note"}
_PROBLEM_SEVERITIES: dict[Severity, str] = {"error": "error", "warning": "warning", "info": "recommendation"}  # GitHub's own words

_HOST_FAILS = (
    "The program that turns the prompt into tokens stops on it with an error of its own, so that there is no picture at all. "
    "The message names the error; the place is where the program gives up."
)


def write(entries: Iterable[Item], screen: Screen) -> Iterator[str]:
    """One log with one run. What could not be read is a notification of the run, and a result where a rule says so."""
    indices = {code: number for number, code in enumerate((*RULES, HOST_FAILS))}
    fingerprints = Fingerprints()
    notifications: list[dict[str, Any]] = []
    root = {"%SRCROOT%": {"description": {"text": "The folder in which promptlens was run."}}}
    yield f'{{"$schema": "{SCHEMA_URI}", "version": "2.1.0", "runs": [{{\n"tool": {dumped({"driver": _driver()}, screen)},\n'
    yield f'"columnKind": "unicodeCodePoints",\n"originalUriBaseIds": {dumped(root, screen)},\n"results": ['
    before = "\n"
    for item in entries:
        for problem in problems(item):
            if isinstance(item, Trouble):
                notifications.append(_notification(problem))
            if problem.code in indices:
                yield before + dumped(_result(problem, indices[problem.code], fingerprints), screen)
                before = ",\n"
    invocation: dict[str, Any] = {"executionSuccessful": not notifications, "toolExecutionNotifications": notifications}
    yield f'],\n"invocations": [{dumped(invocation, screen)}]\n}}]}}\n'


def _driver() -> dict[str, Any]:
    rules = [_rule(row) for row in RULES.values()]
    summary = "The host itself fails on the prompt."
    rules.append(_descriptor(HOST_FAILS, "host-error", "error", summary, _HOST_FAILS, _HOST_FAILS))
    return {"name": "PromptLens", "version": __version__, "semanticVersion": __version__, "informationUri": PROJECT_URI, "rules": rules}


def _rule(row: Rule) -> dict[str, Any]:
    summary = f"{row.summary[0].upper()}{row.summary[1:]}."
    examples = (("Wrong", row.wrong), ("Right", row.right))
    markdown = "\n\n".join([row.why, *(f"{title}{_of(example)}:\n\n```text\n{_shown(example)}\n```" for title, example in examples)])
    return _descriptor(row.code, row.name, row.severity, summary, row.why, markdown)


def _descriptor(code: str, name: str, severity: Severity, summary: str, why: str, markdown: str) -> dict[str, Any]:
    return {
        "id": code,
        "name": name,
        "shortDescription": {"text": _message(summary)},
        "fullDescription": {"text": _message(why)},
        "help": {"text": _message(why), "markdown": _message(markdown)},
        "defaultConfiguration": {"level": _LEVELS[severity]},
        "properties": {"tags": ["prompt"], "problem.severity": _PROBLEM_SEVERITIES[severity]},
    }


def _of(example: Example) -> str:
    return "" if example.note is not None else f", for {example.host} and {example.model}"


def _shown(example: Example) -> str:
    texts = [example.note.message] if example.note is not None else [example.text]
    texts += [] if example.negative is None else [f"negative: {example.negative}"]
    return "\n".join(map(visible_text, texts))


def _message(text: str) -> str:
    """A text as SARIF's messages have it: braces doubled (3.11.5), and nothing of a prompt is a link (3.11.6)."""
    return text.replace("{", "{{").replace("}", "}}").replace("](", "\\](")


def _result(problem: Problem, index: int, fingerprints: Fingerprints) -> dict[str, Any]:
    location: dict[str, Any] = {"physicalLocation": _physical(problem)}
    if problem.key:
        location["logicalLocations"] = [{"fullyQualifiedName": encodable(problem.key)}]
    result: dict[str, Any] = {
        "ruleId": problem.code,
        "ruleIndex": index,
        "level": _LEVELS[problem.severity],
        "message": {"text": _message(problem.said)},
        "locations": [location],
        "partialFingerprints": {"promptlensFinding/v1": fingerprints.of(problem)},
    }
    change = file_change(problem)
    if change is not None and change.text == encodable(change.text):
        result["fixes"] = [_fix(problem, change)]
    return result


def _notification(problem: Problem) -> dict[str, Any]:
    notification: dict[str, Any] = {
        "level": "error",
        "message": {"text": _message(problem.said)},
        "locations": [{"physicalLocation": _physical(problem)}],
    }
    if problem.code in RULES:
        notification["associatedRule"] = {"id": problem.code}
    return notification


def _physical(problem: Problem) -> dict[str, Any]:
    return {"artifactLocation": _artifact(problem), "region": _region(problem.region)}


def _artifact(problem: Problem) -> dict[str, Any]:
    """A path as a URI: relative to the folder that we run in, or whole where it is elsewhere."""
    from urllib.parse import quote  # the percent-encoding of bytes, so that every file name has one

    if not problem.in_file:
        return {"uri": quote(problem.name), "description": {"text": "A text that is in no file."}}
    path = relative_path(problem.name)
    if Path(path).is_absolute():
        return {"uri": Path(path).as_uri()}
    return {"uri": quote(path.encode("utf-8", "surrogateescape")), "uriBaseId": "%SRCROOT%"}


def _region(region: Region) -> dict[str, int]:
    names = ("startLine", "startColumn", "endLine", "endColumn")
    return dict(zip(names, region, strict=True))


def _fix(problem: Problem, change: Change) -> dict[str, Any]:
    replacement: dict[str, Any] = {"deletedRegion": _region(change.region)}
    if change.text:
        replacement["insertedContent"] = {"text": change.text}
    return {
        "description": {"text": _message(visible_text(problem.hint or problem.message))},
        "artifactChanges": [{"artifactLocation": _artifact(problem), "replacements": [replacement]}],
    }
