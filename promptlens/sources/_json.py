"""JSON with places: like `json.loads`, but each string is a `Text` that knows where it stands.

Strict as RFC 8259, except for NaN and Infinity, which Python programs write. No recursion: depth and number of values are bounded, so that
a hostile file costs no more than its size. Of a key said twice the last value counts, as in Python and in browsers; it is recorded.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from promptlens.sources._document import Document, shown
from promptlens.sources._prompt import Notice, Text

MAX_DEPTH = 200
MAX_VALUES = 3_000_000

_TOKEN = re.compile(
    r"[ \t\n\r]*(?:"
    r'"(?P<string>[^"\\\x00-\x1f]*+(?:\\.[^"\\\x00-\x1f]*+)*+)"'
    r"|(?P<mark>[{}\[\]:,])"
    r"|(?P<number>-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?)(?![0-9A-Za-z.])"
    r"|(?P<word>true|false|null|NaN|-?Infinity)(?![0-9A-Za-z])"
    r")"
)
_SPACE = re.compile(r"[ \t\n\r]*")
_WORDS = {"true": True, "false": False, "null": None, "NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
_LONGEST_NUMBER = 300  # digits; Python refuses to convert numbers of more than 4,300
_END = object()


@dataclass(slots=True)
class _Reader:
    """The state of one reading: the open containers, and where the next value goes."""

    document: Document
    at: int
    end: int
    stack: list[dict[str, Any] | list[Any]] = field(default_factory=list)
    keys: list[Text] = field(default_factory=list)
    duplicates: list[Text] = field(default_factory=list)
    count: int = 0

    def fault(self, why: str, index: int | None = None) -> Exception:
        at = self.at if index is None else index
        return self.document.unreadable(at, f"not valid JSON: {why}", hint="Correct it there, or name another format.")

    def token(self) -> re.Match[str]:
        found = _TOKEN.match(self.document.text, self.at, self.end)
        if found is None:
            self.at = _SPACE.match(self.document.text, self.at, self.end).end()  # type: ignore[union-attr]  # matches always
            raise self.fault(self._seen())
        self.at = found.end()
        return found

    def _seen(self) -> str:
        if self.at >= self.end:
            return "it ends too early"
        char = self.document.text[self.at]
        if char == '"':
            return "this string is not closed, or holds a raw control character"
        return f"{shown(char)!r} is not expected here" if char != "'" else "strings need double quotes"

    def text(self, found: re.Match[str]) -> Text:
        start, end = found.start("string") - 1, found.end()
        inner = found["string"]
        if "\\" in inner:
            try:
                inner = json.loads(self.document.text[start:end])
            except json.JSONDecodeError as error:
                raise self.fault(error.msg.lower(), start + error.pos) from None
        return Text(inner, start, end, "json")


def loads(document: Document, start: int = 0, end: int | None = None) -> tuple[Any, list[Notice]]:
    """The value of a JSON document (or of a part of one: a line), and a notice for each key said twice."""
    reader = _Reader(document, start, len(document.text) if end is None else end)
    value = _value(reader)
    rest = _SPACE.match(document.text, reader.at, reader.end)
    reader.at = rest.end() if rest else reader.at
    if reader.at < reader.end:
        raise reader.fault("there is something after the end")
    return value, [_duplicate(document, key) for key in reader.duplicates]


def _duplicate(document: Document, key: Text) -> Notice:
    line, column = document.position(key.start)
    message = f"the key {shown(key)!r} is said again here; programs keep only this one"
    return Notice("duplicate", message, document.path, line, column, str.__str__(key))


def _value(reader: _Reader) -> Any:
    stack = reader.stack
    while True:
        value = _begin(reader)
        if value is _END:
            continue
        while True:  # the value is whole: put it where it belongs, and close what ends after it
            if not stack:
                return value
            top = stack[-1]
            if isinstance(top, list):
                top.append(value)
            else:
                key = reader.keys.pop()
                if key in top:
                    reader.duplicates.append(key)
                top[key] = value
            found = reader.token()
            mark = found["mark"]
            if mark == ",":
                if isinstance(top, dict):
                    _key(reader)
                break
            if mark != ("]" if isinstance(top, list) else "}"):
                raise reader.fault("a comma or a closing bracket is missing", found.start() + len(found[0]) - len(found[0].lstrip()))
            value = stack.pop()


def _begin(reader: _Reader) -> Any:
    """The next value, or _END when it opened a container that is not empty."""
    reader.count += 1
    if reader.count > MAX_VALUES:
        raise reader.fault(f"it holds more than {MAX_VALUES:,} values")
    found = reader.token()
    if found["string"] is not None:
        return reader.text(found)
    if found["number"] is not None:
        digits = found["number"]
        return int(digits) if len(digits) < _LONGEST_NUMBER and digits.lstrip("-").isdigit() else float(digits)
    if found["word"] is not None:
        return _WORDS[found["word"]]
    mark = found["mark"]
    if mark not in "{[":
        raise reader.fault(f"{mark!r} is not expected here", reader.at - 1)
    if len(reader.stack) >= MAX_DEPTH:
        raise reader.fault(f"it is nested deeper than {MAX_DEPTH} levels", reader.at - 1)
    inside = _SPACE.match(reader.document.text, reader.at, reader.end)
    at = inside.end() if inside else reader.at
    closing = "}" if mark == "{" else "]"
    if reader.document.text.startswith(closing, at) and at < reader.end:
        reader.at = at + 1
        return {} if mark == "{" else []
    reader.stack.append({} if mark == "{" else [])
    if mark == "{":
        _key(reader)
    return _END


def _key(reader: _Reader) -> None:
    found = reader.token()
    if found["string"] is None:
        raise reader.fault("a key in double quotes is expected here", reader.at - len(found[0].lstrip()))
    reader.keys.append(reader.text(found))
    found = reader.token()
    if found["mark"] != ":":
        raise reader.fault("a colon is missing here", reader.at - len(found[0].lstrip()))
