"""Key paths: how the prompts of a structured file are named, and how they are found.

    prompts[2].text     a path: keys joined by dots, places in lists in brackets
    prompts[].text      the text of each entry of the list
    styles.*.prompt     of each value of the map (or list)
    **.caption          at any depth
    "a.b".text          a key with a dot in it, quoted

It knows maps, lists and strings; where they came from does not matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from promptlens.errors import OptionError
from promptlens.sources._prompt import Role, Text

Keys = tuple[tuple[str, Role], ...]  # key path and role
DEFAULT_KEYS: Keys = (
    ("**.prompt", "positive"),
    ("**.positive_prompt", "positive"),
    ("**.negative_prompt", "negative"),
    ("**.caption", "caption"),
)
_STEP = re.compile(r'\.?(?:"((?:[^"\\]|\\.)*)"|(\*\*)|(\*)|([^.\[\]"]+))|\[(\d*|\*)\]')
_PLAIN_KEY = re.compile(r"[^.\[\]\"*\x00-\x20]+")


class _Deep:
    """The step `**`."""


def parse(path: str) -> list[Any]:
    """The steps of a key path; raises `OptionError` for one that makes no sense."""
    steps: list[Any] = []
    at = 0
    while at < len(path):
        found = _STEP.match(path, at)
        if found is None or found.end() == at:
            raise OptionError(f"The key path {path!r} makes no sense at character {at + 1}. Write it like 'prompts[].text'.")
        quoted, deep, each, key, place = found.groups()
        if deep:
            steps.append(_Deep())
        elif each or place == "" or place == "*":
            steps.append(None)
        elif place is not None:
            steps.append(int(place))
        else:
            steps.append(quoted.replace('\\"', '"').replace("\\\\", "\\") if quoted is not None else key)
        at = found.end()
    if not steps:
        raise OptionError("A key path is empty. Write it like 'prompts[].text'.")
    return steps


def step_name(path: str, step: str | int) -> str:
    """The path one step further.

    >>> step_name(step_name("", "prompts"), 2)
    'prompts[2]'
    """
    if isinstance(step, int):
        return f"{path}[{step}]"
    name = step if _PLAIN_KEY.fullmatch(step) else '"' + step.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{path}.{name}" if path else name


def _children(value: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(value, dict):
        yield from ((str(key), child) for key, child in value.items())
    elif isinstance(value, list):
        yield from enumerate(value)


def find(value: Any, steps: list[Any]) -> Iterator[tuple[str, Text]]:
    """The strings that a path leads to, each with its own path."""
    waiting: list[tuple[str, Any, int]] = [("", value, 0)]
    while waiting:
        name, here, done = waiting.pop()
        if done == len(steps):
            if isinstance(here, Text):
                yield name, here
            continue
        step = steps[done]
        if isinstance(step, _Deep):
            deeper = [(step_name(name, k), child, done) for k, child in _children(here)]
            waiting += [*reversed(deeper), (name, here, done + 1)]
        elif step is None:
            waiting += reversed([(step_name(name, k), child, done + 1) for k, child in _children(here)])
        elif isinstance(step, int):
            if isinstance(here, list) and step < len(here):
                waiting.append((step_name(name, step), here[step], done + 1))
        elif isinstance(here, dict) and step in here:
            waiting.append((step_name(name, step), here[step], done + 1))


def found(value: Any, keys: Keys) -> list[tuple[str, Text, Role]]:
    """The prompts of a value in the order in which they stand in the file, each with its path; one that two paths lead to, once."""
    places: dict[int, tuple[str, Text, Role]] = {}
    for path, role in keys:
        for name, text in find(value, parse(path)):
            places.setdefault(text.start, (name, text, role))
    return [places[start] for start in sorted(places)]
