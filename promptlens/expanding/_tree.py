"""Templates as Dynamic Prompts' library parses them, made into trees of _nodes.py.

Importing this imports dynamicprompts (0.2 s). Names of wildcards are resolved here, each value parsed in turn.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from dynamicprompts.commands import LiteralCommand, SequenceCommand, VariantCommand, WildcardCommand, WrapCommand
from dynamicprompts.commands.variable_commands import VariableAccessCommand, VariableAssignmentCommand
from dynamicprompts.commands.wrap_command import split_wrapper_string
from dynamicprompts.parser.parse import parse
from dynamicprompts.wildcards import WildcardManager
from pyparsing import ParseBaseException

from promptlens.expanding._nodes import Choice, Node, Sequence, Text, all_texts

MAX_DEPTH = 40  # wildcards in wildcards, and braces in braces
MAX_NODES = 2_000_000
MAX_NAMES = 1_000  # that a wildcard's name may stand for

_BRACES = re.compile(r"[{}]")
_SYNTAX = re.compile(r"[{}$%#]|__")


class Unreadable(Exception):
    """Dynamic Prompts cannot read the template; the message says why and where."""


@dataclass(slots=True)
class Reader:
    """Makes trees of templates; `unknown` collects wildcards without values."""

    wildcards: WildcardManager
    unknown: dict[str, None] = field(default_factory=dict)
    _values: dict[str, tuple[Node, ...]] = field(default_factory=dict)
    _nodes: int = 0

    def read(self, template: str) -> Node:
        """The tree of a template. Raises `Unreadable`."""
        return self._tree(_parsed(template), {}, 0)

    def _tree(self, command: Any, variables: dict[str, Node], depth: int) -> Node:
        self._nodes += 1
        if depth > MAX_DEPTH:
            raise Unreadable(f"its choices and wildcards are nested more than {MAX_DEPTH} deep; does a wildcard name itself?")
        if self._nodes > MAX_NODES:
            raise Unreadable(f"its wildcards hold more than {MAX_NODES:,} pieces of text")
        match command:
            case LiteralCommand():
                return Text(command.literal)
            case SequenceCommand():
                return Sequence(tuple(self._tree(token, variables, depth) for token in command.tokens))
            case VariantCommand():
                options = tuple(self._tree(option.value, variables, depth + 1) for option in command.variants)
                most = min(command.max_bound, len(options))
                return Choice(options, min(command.min_bound, most), most, command.separator)
            case WrapCommand():
                return self._wrapped(command, variables, depth)
            case WildcardCommand():
                return self._wildcard(command, variables, depth)
            case VariableAssignmentCommand():
                if command.overwrite or command.name not in variables:
                    variables[command.name] = self._tree(command.value, variables, depth + 1)
                return Text("")
            case VariableAccessCommand():
                if command.name in variables:
                    return variables[command.name]
                return Text("") if command.default is None else self._tree(command.default, variables, depth + 1)
        raise Unreadable(f"it holds a {type(command).__name__}, which is not known here")

    def _wrapped(self, command: WrapCommand, variables: dict[str, Node], depth: int) -> Node:
        inner = self._tree(command.inner, variables, depth + 1)
        if not isinstance(command.wrapper, LiteralCommand):
            return Sequence((self._tree(command.wrapper, variables, depth + 1), inner))
        before, after = split_wrapper_string(command.wrapper.literal)
        return Sequence((Text(before), inner, Text(after)))

    def _wildcard(self, command: WildcardCommand, variables: dict[str, Node], depth: int) -> Node:
        inside = dict(variables) | {name: self._tree(value, variables, depth + 1) for name, value in command.variables.items()}
        if not isinstance(command.wildcard, str):  # a name that is itself a choice
            names = list(islice(all_texts(self._tree(command.wildcard, inside, depth + 1)), MAX_NAMES))
            found = tuple(self._named(name, inside, depth) for name in names)
            return found[0] if len(found) == 1 else Choice(found)
        return self._named(command.wildcard, inside, depth)

    def _named(self, name: str, variables: dict[str, Node], depth: int) -> Node:
        if not variables and name in self._values:
            return Choice(self._values[name], name=name)
        values = self.wildcards.get_values(name).string_values
        if not values:
            self.unknown[name] = None
            return Text(self.wildcards.to_wildcard(name))
        options = tuple(self._value(value, variables, depth) for value in values)
        if not variables:
            self._values[name] = options
        return Choice(options, name=name)

    def _value(self, value: str, variables: dict[str, Node], depth: int) -> Node:
        if not _SYNTAX.search(value):  # most are plain, and the library takes a millisecond for each
            self._nodes += 1
            return Text(value)
        return self._tree(_parsed(value), dict(variables), depth + 1)


def _parsed(template: str) -> Any:
    deepest = depth = 0
    for match in _BRACES.finditer(template):
        depth += 1 if match.group() == "{" else -1 if depth else 0
        deepest = max(deepest, depth)
    if deepest > MAX_DEPTH:
        raise Unreadable(f"its braces are nested more than {MAX_DEPTH} deep")
    try:
        return parse(template)
    except ParseBaseException as error:
        raise Unreadable(f"at line {error.lineno}, column {error.column} it makes no sense: {template[error.loc :][:20]!r}") from None
    except RecursionError:
        raise Unreadable("it is nested too deep") from None


def manager_of(folder: Path | None) -> WildcardManager:
    """The wildcards of a folder. The library's own talk about names without values is silenced: they are in `Reader.unknown`."""
    logging.getLogger("dynamicprompts").addHandler(logging.NullHandler())
    logging.getLogger("dynamicprompts").propagate = False
    return WildcardManager(folder)
