"""TOML with places: `tomllib` says whether a file is valid, a scanner finds where its strings stand.

The value has the tables, lists and strings of the file; a string is a `Text`, anything else is None, as no prompt is a number. Deep
nesting, which the standard module reads by recursion, is refused.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import Any

from promptlens.sources._codec import decoded
from promptlens.sources._document import Document
from promptlens.sources._prompt import Text

MAX_DEPTH = 100
MAX_PARTS = 16  # of a dotted key: tomllib keeps every beginning of each; one key of 50,000 parts, 100 kB of text, took it 10 GB
MAX_LENGTH = 4_000_000  # characters; the files that hold prompts have some thousand

_SKIP = re.compile(r"(?:[ \t\r\n]++|#[^\n]*+)*+")
_BLANK = re.compile(r"[ \t]*+")
_BARE = re.compile(r"[A-Za-z0-9_-]++")
_STRING = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*+(?:"""""|""""|""")' r"|'''(?:[^']|'(?!''))*+(?:'''''|''''|''')" r'|"(?:[^"\\\n]|\\.)*+"' r"|'[^'\n]*+'",
    re.DOTALL,
)
_OTHER = re.compile(r"[^,\]}#\n]++")
_MANY_PARTS = re.compile(rf"""(?<![\w."'-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){{{MAX_PARTS}}}""")
_PLACE = re.compile(r"\(at line (\d+), column (\d+)\)|\(at end of document\)")


def load(document: Document) -> dict[str, Any]:
    """The top table of a TOML document."""
    text = document.text
    if len(text) > MAX_LENGTH:
        raise document.unreadable(0, f"a TOML file of more than {MAX_LENGTH:,} characters is not read")
    if "\r" in text.replace("\r\n", ""):
        raise document.unreadable(text.index("\r"), "not valid TOML: a carriage return that ends no line")
    many = _MANY_PARTS.search(text)
    if many:
        raise document.unreadable(many.start(), f"not usable TOML: a key of more than {MAX_PARTS} parts")
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _fault(document, str(error)) from None
    except (RecursionError, ValueError) as error:  # numbers and dates that Python cannot hold are ValueErrors
        why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise document.unreadable(0, f"not usable TOML: {why}") from None
    return _Scanner(document).document_table()


def _fault(document: Document, message: str) -> Exception:
    found = _PLACE.search(message)
    why = _PLACE.sub("", message).strip().lower()
    hint = "Correct it there, or name another format."
    if found is None or found[1] is None:
        return document.unreadable(len(document.text), f"not valid TOML: {why}", hint=hint)
    lines = document.text.split("\n")
    start = sum(len(line) + 1 for line in lines[: int(found[1]) - 1])
    return document.unreadable(start + int(found[2]) - 1, f"not valid TOML: {why}", hint=hint)


@dataclass(slots=True)
class _Scanner:
    """Walks a text that is known to be valid."""

    document: Document
    at: int = 0

    def skip(self, pattern: re.Pattern[str] = _SKIP) -> None:
        found = pattern.match(self.document.text, self.at)
        self.at = found.end() if found else self.at

    def seen(self, mark: str) -> bool:
        """Step over a mark if it is next."""
        if self.document.text.startswith(mark, self.at):
            self.at += len(mark)
            return True
        return False

    def document_table(self) -> dict[str, Any]:
        root: dict[str, Any] = {}
        table = root
        while True:
            self.skip()
            if self.at >= len(self.document.text):
                return root
            if self.seen("[["):
                path = self.key()
                self.at += 2
                owner = _descend(root, path[:-1])
                rows = owner.setdefault(path[-1], [])
                table = {}
                rows.append(table)
            elif self.seen("["):
                path = self.key()
                self.at += 1
                table = _descend(root, path)
            else:
                self.pair(table, 0)

    def key(self) -> list[str]:
        path: list[str] = []
        while True:
            self.skip(_BLANK)
            text = self.string()
            if text is None:
                found = _BARE.match(self.document.text, self.at)
                path.append(found[0] if found else "")
                self.at = found.end() if found else self.at
            else:
                path.append(str.__str__(text))
            self.skip(_BLANK)
            if not self.seen("."):
                return path

    def string(self) -> Text | None:
        found = _STRING.match(self.document.text, self.at)
        if found is None:
            return None
        self.at = found.end()
        return Text(decoded("toml", found[0], "")[0], found.start(), found.end(), "toml")

    def pair(self, table: dict[str, Any], depth: int) -> None:
        path = self.key()
        self.at += 1  # the equals sign
        self.skip(_BLANK)
        _descend(table, path[:-1])[path[-1]] = self.value(depth)

    def value(self, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise self.document.unreadable(self.at, f"not usable TOML: it is nested deeper than {MAX_DEPTH} levels")
        if self.seen("["):
            values: list[Any] = []
            self.skip()
            while not self.seen("]"):
                values.append(self.value(depth + 1))
                self.skip()
                self.seen(",")
                self.skip()
            return values
        if self.seen("{"):
            inline: dict[str, Any] = {}
            self.skip()
            while not self.seen("}"):
                self.pair(inline, depth + 1)
                self.skip()
                self.seen(",")
                self.skip()
            return inline
        text = self.string()
        if text is None:
            self.skip(_OTHER)
        return text


def _descend(table: dict[str, Any], path: list[str]) -> dict[str, Any]:
    """The table a dotted key leads to; of a list of tables, its last."""
    for name in path:
        inner = table.setdefault(name, {})
        table = inner[-1] if isinstance(inner, list) else inner
    return table
