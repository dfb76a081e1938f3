"""The prompts that an argument of `diff`, or of `check` with several hosts, names: each with what it is analysed with.

A file's are read as `check` reads them, by the settings nearest to it; a file of a revision by those that hold for the path today.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from promptlens.checking import Checker, Plans, format_of
from promptlens.checking._entries import Plan, row_of_content
from promptlens.checking._sharing import Remark
from promptlens.config import Settings
from promptlens.errors import InputError
from promptlens.gitfiles import is_begun_name, read_revision, split_name
from promptlens.inputs import Argument, Unreadable, prompt_argument, read_stdin, refuse_missing, told_apart
from promptlens.job import Job, make_job
from promptlens.render import Trouble
from promptlens.running import told
from promptlens.sources import Prompt, read, read_content
from promptlens.sources._prompt import Item
from promptlens.terminal import talk


class Given(NamedTuple):
    """A prompt: what it is called, its text, and of one in a file the file's job and what tells it from the others there."""

    name: str
    text: str
    job: Job | None = None
    key: str = ""


def given_by(argument: str, kind: str | None, settings: Settings, asked: Mapping[str, Any]) -> list[Given]:
    """The prompts of one argument: a text, a file, `-` or `git:REVISION:PATH`. Raises `InputError` where there is none."""
    plans = Plans(settings, asked)
    if kind != "text" and (split_name(argument) or is_begun_name(argument)):
        return _of_revision(argument, plans)
    if kind is None:
        refuse_missing(argument)
    (given,) = told_apart([argument], kind or "auto")  # type: ignore[arg-type]
    return _of_file(given.value, plans.plan(given.value), named=True) if given.kind == "path" else _of_text(given)


def all_given(arguments: Iterable[Argument], settings: Settings, asked: Mapping[str, Any]) -> Iterator[tuple[str, Job]]:
    """The texts that all arguments of `check` name, each with its job. Raises `InputError` for the first that cannot be read."""
    usual, checker = make_job(settings), Checker(settings, asked)
    for argument in arguments:
        prompts = _of_path(argument.value, checker) if argument.kind == "path" else _of_text(argument)
        yield from ((prompt.text, prompt.job or usual) for prompt in prompts)


def _of_text(given: Argument) -> list[Given]:
    found: list[Given] = []
    for prompt in read_stdin("text") if given.kind == "stdin" else [prompt_argument(given.value, given.name)]:
        if isinstance(prompt, Unreadable):
            raise InputError(f"{prompt.name}: {prompt.message}")
        found.append(Given(prompt.name, prompt.text))
    return found


def _of_path(path: str, checker: Checker) -> Iterator[Given]:
    """The prompts of what a path, a pattern or a folder names; of a folder those that there are."""
    nothing = True
    for file in checker.files(path, tells_none=False):
        if isinstance(file, Trouble):
            raise InputError(told(file))
        if isinstance(file, Remark):
            talk("note", file.message)
            continue
        for prompt in _of_file(*file):
            nothing = False
            yield prompt
    if nothing and os.path.isdir(path):
        talk("note", f"{path}: there are no prompts in it.")


def _of_file(path: str, plan: Plan, named: bool) -> list[Given]:
    row = format_of(path, plan, named=named)
    return _listed(read(path, as_format=row.name, settings=plan.read), path, plan.job_of(row), named=named) if row else []


def _of_revision(name: str, plans: Plans) -> list[Given]:
    """The prompts of a file as it was in a revision."""
    _revision, path = split_name(name) or ("", "")
    content, plan = read_revision(name), plans.plan(path)
    row = row_of_content(content, path, plan)
    return _listed(read_content(name, content, row, plan.read), name, plan.job_of(row))


def _listed(items: Iterable[Item], name: str, job: Job, *, named: bool = True) -> list[Given]:
    """The prompts among what a file holds, as far as their texts are known; several are told apart by their keys."""
    prompts = [item for item in items if isinstance(item, Prompt) and not item.computed]
    if not prompts and named:
        raise InputError(f"{name}: there is no prompt in it.")
    return [Given(f"{name} · {_key(p)}" if len(prompts) > 1 else name, p.text, job, _key(p)) for p in prompts]


def _key(prompt: Prompt) -> str:
    return f"{prompt.key} ({prompt.role})" if prompt.key else f"{prompt.line}"
