"""Workflow commands, which GitHub Actions shows as annotations beside the lines of a pull request.

    ::warning title=PromptLens TB202,file=prompts/hero.txt,line=3,col=5,endLine=3,endColumn=18::the end of a chunk cuts ...

Nothing of a prompt can begin a command: `%`, line breaks, and in properties `:` and `,` are escaped as the runner reads them
(actions/toolkit, packages/core/src/command.ts). GitHub shows 10 errors and 10 warnings a step; the log has them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from promptlens.render import Item
from promptlens.render._places import Problem, problems, relative_path
from promptlens.render._runs import visible_text
from promptlens.report import Severity
from promptlens.terminal import Screen

tells_trouble = True
tells_clean = False

_COMMANDS: dict[Severity, str] = {"error": "error", "warning": "warning", "info": "notice"}
_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = _DATA | str.maketrans({":": "%3A", ",": "%2C"})


def write(entries: Iterable[Item], screen: Screen) -> Iterator[str]:
    """A command for each finding and for what could not be read."""
    for item in entries:
        text = "".join(map(_command, problems(item)))
        yield text.encode("ascii", "backslashreplace").decode() if screen.ascii else text


def _command(problem: Problem) -> str:
    region = problem.region
    properties: dict[str, str | int] = {"title": f"PromptLens {problem.code}"}
    said = problem.said
    if problem.in_file:
        properties |= {"file": visible_text(relative_path(problem.name)), "line": region.line}
        if region.line == region.end_line:  # GitHub takes no columns of a region of several lines
            properties |= {"col": region.column}
        properties |= {"endLine": region.end_line}
        if region.line == region.end_line:
            properties |= {"endColumn": region.end_column}
    else:
        said = f"{visible_text(problem.name)}:{region.line}:{region.column}: {said}"
    listed = ",".join(f"{key}={str(value).translate(_PROPERTY)}" for key, value in properties.items())
    return f"::{_COMMANDS[problem.severity]} {listed}::{said.translate(_DATA)}\n"
