"""Files in groups that helper processes look at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from promptlens.checking._crew import Crew, Request
from promptlens.checking._entries import Plan
from promptlens.render import Trouble

# The first groups are small: what helpers learn of them they can tell one another.
GROUP = 100
FIRST_GROUP = 10
# One process finds the files that all of them look at.
FILE_HELPERS = 8


class File(NamedTuple):
    """A file to check, and what holds for it; `named`: somebody asked for it by its name."""

    path: str
    plan: Plan
    named: bool


class Remark(NamedTuple):
    """A note about what was found, to be told when those before are done."""

    message: str


Found = File | Trouble | Remark
Group = list[Found]


def shared(files: Iterable[Found], crew: Crew, asks: Callable[[], bool]) -> Iterator[tuple[Group, Any]]:
    """The files in groups, each with what a helper says of it: None where nobody was asked, as it is while `asks` says no."""
    yield from crew.most(FILE_HELPERS).answered(_asked(files, crew, asks))


def _asked(files: Iterable[Found], crew: Crew, asks: Callable[[], bool]) -> Iterator[tuple[Group, Plan | None, Request | None]]:
    group: Group = []
    plan: Plan | None = None  # of the files in the group
    size, most, asking = FIRST_GROUP, 1, False
    for file in files:
        if group and (len(group) >= most or not isinstance(file, File) or (file.plan is not plan and file.plan != plan)):
            yield _request(group, plan, crew if asking else None)
            group = []
        if not isinstance(file, File):
            yield [file], None, None
            continue
        if not group:  # where settings are for single files, each file has a plan of its own
            plan = file.plan
            asking = asking or asks()
            if asking:
                most, size = size, min(size + FIRST_GROUP, GROUP)
        group.append(file)
    if group:
        yield _request(group, plan, crew if asking else None)


def _request(group: Group, plan: Plan | None, crew: Crew | None) -> tuple[Group, Plan | None, Request | None]:
    """A group, and what is asked about it where there is somebody to ask."""
    if crew is None or plan is None:
        return group, plan, None
    return group, plan, ("files", crew.number(plan), [(file.path, file.named) for file in group if isinstance(file, File)])
