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
    group: list[File] = []
    size = FIRST_GROUP
    for file in files:
        if group and (not isinstance(file, File) or not _alike(file.plan, group[0].plan) or len(group) >= size or not asks()):
            yield _request(group, crew, asks())
            group, size = [], min(size + FIRST_GROUP if asks() else size, GROUP)
        if not isinstance(file, File):
            yield [file], None, None
        else:
            group.append(file)
    if group:
        yield _request(group, crew, asks())


def _alike(plan: Plan, other: Plan) -> bool:
    """Whether the same holds for files: where settings are for single files, each has a plan of its own."""
    return plan is other or plan == other


def _request(group: list[File], crew: Crew, asks: bool) -> tuple[Group, Plan | None, Request | None]:
    plan = group[0].plan
    files = [(file.path, file.named) for file in group]
    return [*group], plan, ("files", crew.number(plan), files) if asks else None
