"""Comments that silence rules: `# promptlens: ignore[TB201, TB4]`, `# promptlens: ignore`, and `# promptlens: ignore-file[...]`.

On a line of its own a comment is about the next prompt of the file, behind a prompt about that one, and `ignore-file` about all of them. A
host that reads comments as text gets them like any other words, so they are looked for only where the format or the host has comments.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import BinaryIO

from promptlens.sources import Prompt

MARK = b"promptlens:"
ALL = ("",)
BLOCK_BYTES = 1024 * 1024

_DIRECTIVE = re.compile(r"#\s*promptlens:\s*ignore(?P<file>-file)?(?:\[(?P<codes>[^\]\n]*)\])?", re.IGNORECASE)


@dataclass(slots=True)
class Directives:
    """Beginnings of codes that are silenced: in the whole file, and by the line that a comment stands on."""

    everywhere: tuple[str, ...] = ()
    alone: dict[int, tuple[str, ...]] = field(default_factory=dict)
    behind: dict[int, tuple[str, ...]] = field(default_factory=dict)
    _reached: int = 0

    def silenced(self, prompt: Prompt) -> tuple[str, ...]:
        """What is silenced for a prompt; to be asked in the order of the file."""
        last = prompt.line + prompt.text.count("\n")
        before = [codes for line, codes in self.alone.items() if self._reached < line < prompt.line]
        inside = [codes for line, codes in {**self.alone, **self.behind}.items() if prompt.line <= line <= last]
        self._reached = last
        return tuple(dict.fromkeys((*self.everywhere, *(code for codes in (*before, *inside) for code in codes))))


def directives_of(lines: Iterable[tuple[int, str]]) -> Directives | None:
    """The directives among numbered lines; None where there are none."""
    found = Directives()
    for number, line in lines:
        for match in _DIRECTIVE.finditer(line):
            named = match.group("codes")
            codes = ALL if named is None else tuple(code.strip().upper() for code in named.split(",") if code.strip())
            if match.group("file"):
                found.everywhere = (*found.everywhere, *codes)
            elif line[: match.start()].strip():
                found.behind[number] = (*found.behind.get(number, ()), *codes)
            else:
                found.alone[number] = (*found.alone.get(number, ()), *codes)
    return found if found.everywhere or found.alone or found.behind else None


def directives_in(content: bytes) -> Directives | None:
    """The directives of a file that is in memory."""
    if MARK not in content.lower():
        return None
    lines = re.split(r"\r\n|\r|\n", content.decode("utf-8-sig", "replace"))
    return directives_of(enumerate(lines, start=1))


def directives_at(path: str) -> Directives | None:
    """The directives of a file, read line by line. A file that cannot be read has none: its reader says why."""
    try:
        with open(path, "rb") as handle:
            if not _has_mark(handle):
                return None
            handle.seek(0)
            return directives_of((number, line.decode("utf-8-sig", "replace")) for number, line in enumerate(handle, start=1))
    except OSError:
        return None


def _has_mark(handle: BinaryIO) -> bool:
    last = b""
    while block := handle.read(BLOCK_BYTES):
        if MARK in last + block.lower():
            return True
        last = block[-len(MARK) :].lower()
    return False


def only_a_directive(text: str) -> bool:
    """True for a prompt that is nothing but a comment of this kind."""
    match = _DIRECTIVE.search(text)
    return match is not None and not text[: match.start()].strip() and "\n" not in text.strip()
