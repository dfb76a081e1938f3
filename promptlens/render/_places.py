"""What the formats for machines share: each problem of a run with its place in a file, its path, and a name by which it is known again.

Lines and columns count from 1, columns in characters (code points) of the file; ends are exclusive. A text that stands in no file has the
name it is given (`<text>`), and its places are those in the text.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from promptlens.render import Entry, Item, Note, Trouble
from promptlens.render._runs import visible_text
from promptlens.report import Edit, Finding, Severity
from promptlens.rules import Selection, run_rules
from promptlens.sources import NotWritable, Prompt
from promptlens.sources._prompt import Place, difference, file_edits
from promptlens.spans import Span, line_column

# Codes of what is no rule's finding.
HOST_FAILS = "host-error"
NOT_CHECKED = "not-checked"

# As in judging.py: of a longer prompt the rules find nothing, for they are not run.
JUDGED_UP_TO_CHARS = 100_000

_HALVES = re.compile("[\ud800-\udfff]")


class Region(NamedTuple):
    """From a line and column up to, and not with, another."""

    line: int = 1
    column: int = 1
    end_line: int = 1
    end_column: int = 1


class Problem(NamedTuple):
    """One thing to report. `name` is what it was found in, `text` the piece that it is about; both as they are, not made printable."""

    code: str
    severity: Severity
    message: str
    hint: str
    name: str
    region: Region
    text: str = ""
    key: str = ""
    in_file: bool = True
    edit: Edit | None = None
    source: Prompt | None = None

    @property
    def said(self) -> str:
        """Message and hint in one line, as they may be printed."""
        return visible_text(f"{self.message.removesuffix('.')}. {self.hint}".rstrip())


def problems(item: Item) -> Iterator[Problem]:
    """What there is to report about a prompt, a file, or something that could not be read; nothing about what is not analysed."""
    if isinstance(item, Entry):
        yield from _of_prompt(item)
    elif isinstance(item, Note):
        yield _problem(item.finding, item.name, _within(item.line, item.column, item.text, item.finding.span), item.text)
    elif isinstance(item, Trouble):
        line, column = item.line or 1, item.column or 1
        code = item.code or NOT_CHECKED
        yield Problem(code, "error", item.message, item.hint, item.name, Region(line, column, line, column), in_file=in_file(item.name))


def in_file(name: str) -> bool:
    """Whether a name is that of a file, and not `<text>` or `<stdin>`."""
    return not name.startswith("<")


def _of_prompt(entry: Entry) -> Iterator[Problem]:
    usage, source = entry.report.usage, entry.source
    failure = usage.failure
    if failure is not None:
        message = f"{usage.host.title} fails on this prompt ({failure.name}): {failure.message}"
        failed = Finding(HOST_FAILS, "error", failure.span, message.removesuffix("."))
        yield _problem(failed, entry.name, region_of(entry, failure.span), usage.prompt)._replace(source=source, in_file=_has_file(entry))
    found = entry.report.findings
    if not found and failure is None and len(usage.prompt) > JUDGED_UP_TO_CHARS and not entry.report.ok:
        found = run_rules(usage, Selection(("TB101",)))  # why such a prompt fails though the rules were not run
    for finding in found:
        problem = _problem(finding, entry.name, region_of(entry, finding.span), usage.prompt)
        yield problem._replace(key=source.key if source else "", source=source, in_file=_has_file(entry))


def _has_file(entry: Entry) -> bool:
    return entry.source is not None or in_file(entry.name)


def _problem(finding: Finding, name: str, region: Region, text: str) -> Problem:
    return Problem(finding.code, finding.severity, finding.message, finding.hint, name, region, finding.span.of(text), edit=finding.edit)


def region_of(entry: Entry, span: Span) -> Region:
    """Where a span of a prompt stands: in its file, or in the text."""
    if entry.source is None:
        return _within(1, 1, entry.report.usage.prompt, span)
    start = entry.source.locate(span.start)
    end = _end_of(entry.source, span) if span.end > span.start else start
    return Region(*start, *max(start, end))


def _end_of(source: Prompt, span: Span) -> tuple[int, int]:
    """Where the last character of a span ends. The next one may stand elsewhere: on another line, in another node."""
    last = span.end - 1
    for piece in source.pieces:
        if piece.place is None or not piece.start <= last < piece.end:
            continue
        shift = piece.skip - piece.start
        (line, column), after = piece.place.locate(last + shift), piece.place.locate(last + 1 + shift)
        return after if (after[0] == line and after[1] > column) or source.text[last] == "\n" else (line, column + 1)
    return source.locate(last)


def _within(line: int, column: int, text: str, span: Span) -> Region:
    """The region of a span of a text that begins at a line and column."""
    return Region(*_at(line, column, text, span.start), *_at(line, column, text, span.end))


def _at(line: int, column: int, text: str, offset: int) -> tuple[int, int]:
    more, inner = line_column(text, offset)
    return (line, column + inner - 1) if more == 1 else (line + more - 1, inner)


class Change(NamedTuple):
    """Put `text` into a file in place of what stands in a region."""

    region: Region
    text: str


def file_change(problem: Problem) -> Change | None:
    """The edit of a problem as one change of its file; None where there is none, it is a guess, or one change does not make it."""
    edit, source = problem.edit, problem.source
    if edit is None or not edit.safe or source is None:
        return None
    try:
        changes = set(file_edits(source, [(edit.span.start, edit.span.end, edit.replacement)]))
    except NotWritable:
        return None
    if len(changes) != 1:
        return None
    ((start, _, raw),) = changes
    place = next((p.place for p in source.pieces if p.place is not None and p.place.start == start), None)
    return None if place is None else _changed(place, raw)


def _changed(place: Place, raw: str) -> Change | None:
    """What turns the text of a place into another, without what both begin and end with."""
    for start, end, text in difference(place.raw, raw):
        return Change(_within(place.line, place.column, place.raw, Span(start, end)), text)
    return None


def relative_path(name: str) -> str:
    """The path of a file from the working directory, with "/" between its parts; one that is elsewhere stays as it is given.

    >>> relative_path("./prompts/../hero.txt")
    'hero.txt'
    """
    path = os.path.normpath(name)
    if os.path.isabs(path):
        here = os.getcwd().rstrip(os.sep) + os.sep
        path = path.removeprefix(here)
    return path if os.sep == "/" else path.replace(os.sep, "/")


def encodable(text: str) -> str:
    """A text that every reader of JSON takes: bytes that were no text, and halves of characters, become U+FFFD."""
    return text if text.isascii() else _HALVES.sub("\ufffd", text)


class Fingerprints:
    """Names for problems by which they are known again when lines move: the file, the rule, and the text that it is about.

    The same text in the same file twice is told apart by counting, so that each name is given once.
    """

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def of(self, problem: Problem) -> str:
        """The name of the next problem of a run."""
        path = relative_path(problem.name) if problem.in_file else problem.name
        parts = "\0".join((path, problem.code, problem.text or problem.message))
        known = hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()
        self._seen[known] += 1
        return hashlib.sha256(f"{known}:{self._seen[known]}".encode()).hexdigest()[:32]
