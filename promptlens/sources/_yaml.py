"""YAML with places: what `yaml.safe_load` gives, each string a `Text` that knows where it stands.

Built from PyYAML's events without recursion: depth, number of values and the size that aliases would expand to are bounded, so that a
"billion laughs" file is refused at once. It builds no objects of any tag.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from promptlens.sources._document import Document, shown
from promptlens.sources._prompt import Notice, Text

if TYPE_CHECKING:
    from yaml import Event, ScalarEvent

MAX_DEPTH = 100
MAX_VALUES = 1_000_000  # with what aliases stand for

_PROPERTY = re.compile(r"(?:[&!][^\s,\[\]{}]*\s+)+")
_TRAILING = re.compile(r"(?:\r\n|\r|\n)(?:[ \t]*(?:\r\n|\r|\n))*[ \t]*\Z")
_NEWLINE = re.compile(r"\r\n|\r|\n")
_MERGE = "tag:yaml.org,2002:merge"


@dataclass(slots=True)
class _Open:
    """A container that is being read: `value` is filled, `key` waits for its value, `size` counts values with expanded aliases."""

    value: dict[Any, Any] | list[Any]
    anchor: str | None
    column: int
    flow: bool
    size: int = 1
    key: Any = None
    has_key: bool = False
    merged: list[Any] = field(default_factory=list)


class _Merge:
    """The key `<<`."""


@dataclass(slots=True)
class _Builder:
    document: Document
    resolver: Any
    stack: list[_Open] = field(default_factory=list)
    anchors: dict[str, tuple[Any, int]] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)
    root: Any = None
    documents: int = 0

    def fault(self, index: int, why: str) -> Exception:
        return self.document.unreadable(index, f"not usable YAML: {why}", hint="Correct it there, or name another format.")

    def put(self, value: Any, size: int, index: int) -> None:
        if not self.stack:
            self.root = value
            return
        top = self.stack[-1]
        top.size += size
        if top.size > MAX_VALUES:
            raise self.fault(index, f"it holds, or its aliases expand to, more than {MAX_VALUES:,} values")
        if isinstance(top.value, list):
            top.value.append(value)
        elif not top.has_key:
            self.take_key(top, value, index)
        else:
            top.has_key = False
            if isinstance(top.key, _Merge):
                top.merged.append(value)
            else:
                top.value[top.key] = value

    def take_key(self, top: _Open, key: Any, index: int) -> None:
        if isinstance(key, dict | list):
            raise self.fault(index, "a list or a map is used as a key")
        if isinstance(top.value, dict) and key in top.value and not isinstance(key, _Merge):
            line, column = self.document.position(index)
            message = f"the key {shown(str(key))!r} is said again here; programs keep only this one"
            self.notices.append(Notice("duplicate", message, self.document.path, line, column, str(key)))
        top.key, top.has_key = key, True

    def close(self) -> None:
        done = self.stack.pop()
        if isinstance(done.value, dict):
            for other in done.merged:
                for each in other if isinstance(other, list) else [other]:
                    for key, value in each.items() if isinstance(each, dict) else ():
                        done.value.setdefault(key, value)
        if done.anchor:
            self.anchors[done.anchor] = (done.value, done.size)
        self.put(done.value, done.size, 0)


def load(document: Document) -> tuple[Any, list[Notice]]:
    """The value of a YAML document, and a notice for each key said twice."""
    import yaml  # 20 ms

    builder = _Builder(document, yaml.resolver.Resolver())
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        for event in yaml.parse(document.text, Loader=loader):
            _take(builder, event)
    except yaml.MarkedYAMLError as error:
        raise builder.fault(_index(error.problem_mark or error.context_mark), error.problem or "it cannot be parsed") from None
    except yaml.YAMLError as error:  # a character that YAML does not allow
        at = getattr(error, "position", 0)
        raise builder.fault(at if isinstance(at, int) else 0, str(getattr(error, "reason", "it cannot be parsed"))) from None
    return builder.root, builder.notices


def _index(mark: Any) -> int:
    return int(mark.index) if mark is not None else 0


def _take(builder: _Builder, event: Event) -> None:
    import yaml

    index = _index(event.start_mark)
    if isinstance(event, yaml.ScalarEvent):
        value = _scalar(builder, event)
        if event.anchor:
            builder.anchors[event.anchor] = (value, 1)
        builder.put(value, 1, index)
    elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
        if len(builder.stack) >= MAX_DEPTH:
            raise builder.fault(index, f"it is nested deeper than {MAX_DEPTH} levels")
        container: dict[Any, Any] | list[Any] = {} if isinstance(event, yaml.MappingStartEvent) else []
        builder.anchors.pop(event.anchor or "", None)
        builder.stack.append(_Open(container, event.anchor, event.start_mark.column if event.start_mark else 0, bool(event.flow_style)))
    elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
        builder.close()
    elif isinstance(event, yaml.AliasEvent):
        if event.anchor not in builder.anchors:
            raise builder.fault(index, f"the alias *{event.anchor} stands for nothing, or for what it is part of")
        builder.put(*builder.anchors[event.anchor], index)
    elif isinstance(event, yaml.DocumentStartEvent):
        builder.documents += 1
        if builder.documents > 1:
            raise builder.fault(index, "it holds more than one document")


def _scalar(builder: _Builder, event: ScalarEvent) -> Any:
    import yaml

    plain = event.style in (None, "")
    if plain and event.tag is None:
        tag = builder.resolver.resolve(yaml.ScalarNode, event.value, (True, False))
        if tag == _MERGE:
            return _Merge()
        if tag != "tag:yaml.org,2002:str":
            return _other(tag, event.value)
    text = builder.document.text
    start, end = _index(event.start_mark), _index(event.end_mark)
    if event.anchor or event.tag:
        properties = _PROPERTY.match(text, start, end)
        start = properties.end() if properties else start
    if event.style in ("|", ">"):
        end = _content_end(text, start, end)
    top = builder.stack[-1] if builder.stack else None
    context = "flow" if top and top.flow else str(top.column if top else 0)
    if event.style in ("|", ">") and text[end - 1 : end] in ("\n", "\r"):
        context += "\n"  # something may follow: what is written in its place must end the line too
    return Text(event.value, start, end, "yaml", context)


def _content_end(text: str, start: int, end: int) -> int:
    """Where a block scalar ends: blank lines after it are part of it only where its header says so (`|+`)."""
    header = text[start : text.find("\n", start) if "\n" in text[start:end] else end]
    trailing = _TRAILING.search(text, start, end)
    if trailing is None or "+" in header:
        return end
    first = _NEWLINE.match(text, trailing.start())
    return first.end() if first else end


def _other(tag: str, value: str) -> Any:
    """A scalar that is no string: programs do not take it for a prompt, so that its exact value is of no use."""
    kind = tag.rpartition(":")[2]
    if kind == "null":
        return None
    return value.lower() in ("yes", "true", "on") if kind == "bool" else len(value)
