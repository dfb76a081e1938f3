"""JUnit XML, which most CI systems show as test results: a suite for each file, a test case for each prompt.

A prompt with an error fails; warnings and notes are its output, for they are advice. A file that could not be read is a test case with an
error, a prompt that is not analysed a skipped one. All is ASCII: other characters are references, and what XML cannot hold is shown as an
escape.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

from promptlens.render import Clean, Entry, Item, Note, Trouble, Unchecked
from promptlens.render._places import Problem, in_file, problems, relative_path
from promptlens.render._runs import visible_text
from promptlens.terminal import Screen

tells_trouble = False
tells_clean = True

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})


class _Case(NamedTuple):
    """A test case: its element, and what it counts as."""

    xml: str
    kind: str  # "", "failures", "errors" or "skipped"


def write(entries: Iterable[Item], screen: Screen) -> Iterator[str]:
    """A suite as soon as its file is done."""
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="promptlens">\n'
    for name, items in groupby(entries, key=lambda item: item.name):
        cases = [_case(item) for item in items]
        counts = {kind: sum(case.kind == kind for case in cases) for kind in ("failures", "errors", "skipped")}
        shown = relative_path(name) if in_file(name) else name
        yield f"  <testsuite{_attributes(name=shown, tests=len(cases), **counts)}>\n"
        yield from (case.xml for case in cases)
        yield "  </testsuite>\n"
    yield "</testsuites>\n"


def _case(item: Item) -> _Case:
    found = list(problems(item))
    errors = [problem for problem in found if problem.severity == "error"]
    advice = [problem for problem in found if problem.severity != "error"]
    inner, kind = "", ""
    if isinstance(item, Unchecked):
        inner, kind = f"      <skipped{_attributes(message=item.why)}/>\n", "skipped"
    elif errors:
        element, kind = ("error", "errors") if isinstance(item, Trouble) else ("failure", "failures")
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        head = _attributes(message=errors[0].message + more, type=errors[0].code)
        inner = f"      <{element}{head}>{_lines(errors)}</{element}>\n"
    if advice:
        inner += f"      <system-out>{_lines(advice)}</system-out>\n"
    path, line, name = _named(item)
    head = _attributes(name=name, classname=path) + (_attributes(file=path, line=line) if in_file(item.name) else "")
    return _Case(f"    <testcase{head}>\n{inner}    </testcase>\n" if inner else f"    <testcase{head}/>\n", kind)


def _named(item: Item) -> tuple[str, int, str]:
    """Path, line and name of a test case: which prompt of the file it is."""
    path = relative_path(item.name) if in_file(item.name) else item.name
    if isinstance(item, Note):
        return path, item.line, f"line {item.line}: {item.finding.code}"
    if isinstance(item, Trouble):
        return path, item.line or 1, "the file" if item.line is None else f"line {item.line}"
    if isinstance(item, Clean):
        return path, 1, f"{item.prompts:,} prompts"
    source = item.source
    role = item.role if isinstance(item, Entry) else item.source.role
    if source is None:
        return path, 1, f"{role} prompt"
    return path, source.line, f"{source.key or f'line {source.line}'} ({role})"


def _lines(found: Iterable[Problem]) -> str:
    return "".join(_escaped(f"{p.region.line}:{p.region.column}: {p.severity} {p.code} {p.said}") + "\n" for p in found)


def _attributes(**values: str | int) -> str:
    return "".join(f' {name}="{_escaped(str(value))}"' for name, value in values.items())


def _escaped(text: str) -> str:
    """A text in one line as XML holds it."""
    return visible_text(text).translate(_ESCAPES).encode("ascii", "xmlcharrefreplace").decode()
