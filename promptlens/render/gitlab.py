"""GitLab's Code Quality report: a JSON list of what was found, which merge requests show as a widget and in the diff.

Each has the fields that GitLab reads (docs.gitlab.com, Code Quality report format): description, check_name, fingerprint, severity, and the
path with its lines. Columns are not among them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from promptlens.render import Item
from promptlens.render._json import dumped
from promptlens.render._places import Fingerprints, Problem, encodable, problems, relative_path
from promptlens.report import Severity
from promptlens.terminal import Screen

tells_trouble = False
tells_clean = False

# GitLab has info, minor, major, critical and blocker: the last two are kept for what breaks more than a picture.
_SEVERITIES: dict[Severity, str] = {"error": "major", "warning": "minor", "info": "info"}


def write(entries: Iterable[Item], screen: Screen) -> Iterator[str]:
    """The list, an entry a line; what could not be read is in it too, and on stderr."""
    fingerprints = Fingerprints()
    before = "[\n"
    for item in entries:
        for problem in problems(item):
            yield before + dumped(_issue(problem, fingerprints), screen)
            before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _issue(problem: Problem, fingerprints: Fingerprints) -> dict[str, Any]:
    path = relative_path(problem.name) if problem.in_file else problem.name
    return {
        "description": f"{problem.code}: {problem.said}",
        "check_name": problem.code,
        "fingerprint": fingerprints.of(problem),
        "severity": _SEVERITIES[problem.severity],
        "location": {"path": encodable(path), "lines": {"begin": problem.region.line, "end": problem.region.end_line}},
    }
