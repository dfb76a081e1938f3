"""A run over many prompts: each is analysed and written as it comes, and a bad one never stops the others."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from promptlens.config import Settings
from promptlens.errors import PromptLensError
from promptlens.inputs import Argument, Prompt, StdinFormat, Unreadable, prompt_argument, read_stdin
from promptlens.job import Job, make_job
from promptlens.judging import JUDGED_UP_TO_CHARS, judged
from promptlens.progress import BAR
from promptlens.render import Entry, Format, Item, Note, Trouble, load_format
from promptlens.report import Report
from promptlens.terminal import Screen, talk

if TYPE_CHECKING:
    from promptlens.checking import Checker

OK, FINDINGS, UNREADABLE = 0, 1, 2


@dataclass(slots=True)
class Outcome:
    """What a run came to."""

    errors: int = 0
    warnings: int = 0
    troubles: int = 0

    def add(self, item: Item) -> None:
        """Count one more item."""
        if isinstance(item, Trouble):
            self.troubles += 1
        elif isinstance(item, Entry):
            self.errors += fails(item.report)
            self.warnings += sum(f.severity == "warning" for f in item.report.findings)
        elif isinstance(item, Note):
            self.errors += item.finding.severity == "error"
            self.warnings += item.finding.severity == "warning"

    def code(self, *, exit_zero: bool = False, max_warnings: int | None = None) -> int:
        """The exit code."""
        if self.troubles:
            return UNREADABLE
        if exit_zero:
            return OK
        return FINDINGS if self.errors or (max_warnings is not None and self.warnings > max_warnings) else OK


def fails(report: Report) -> bool:
    """Whether a prompt is reason enough for exit code 1: the host fails on it, or a rule that runs says it is wrong."""
    usage = report.usage
    if len(usage.prompt) > JUDGED_UP_TO_CHARS:
        return not report.ok
    return usage.failure is not None or any(f.severity == "error" for f in report.findings)


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for: the arguments, how standard input is read (None: as one prompt, or as a file), and a negative prompt."""

    arguments: Sequence[Argument]
    stdin_format: StdinFormat | None
    negative: str | None
    settings: Settings
    asked: Mapping[str, Any]

    @property
    def stdin_is_file(self) -> bool:
        """Whether standard input is read like a file."""
        return bool(self.asked["stdin_filename"] or self.asked["as_format"]) and self.stdin_format is None


def run_items(request: Request) -> Iterator[Item]:
    """The entries of all arguments, in order, and of the negative prompt."""
    job = make_job(request.settings)
    opposite = None if request.negative is None else job.report(request.negative, negative=True)
    files: Checker | None = None
    try:
        for kind, arguments in groupby(request.arguments, key=attrgetter("kind")):
            if files is None and (kind == "path" or (kind == "stdin" and request.stdin_is_file)):
                from promptlens.checking import Checker  # the readers of files, 50 ms: only where there are files

                files = Checker(request.settings, request.asked)
            if kind == "path" and files is not None:
                yield from files.paths(argument.value for argument in arguments)
                continue
            for argument in arguments:
                if kind == "text":
                    yield _entry(prompt_argument(argument.value, argument.name), job, opposite)
                elif files is not None and request.stdin_is_file:
                    yield from files.stdin()
                else:
                    for prompt in read_stdin(request.stdin_format or "text"):
                        yield _entry(prompt, job, opposite)
    finally:
        if files is not None:
            files.close()
    if request.negative is not None:
        yield negative_entry(request.negative, job)


def negative_entry(negative: str, job: Job) -> Item:
    """The entry of a negative prompt that was given as a text."""
    given = prompt_argument(negative, "<negative>")
    if isinstance(given, Unreadable):
        return Trouble(given.message, given.name)
    return Entry(judged(job.report(negative, negative=True), given.name), given.name, "negative")


def _entry(prompt: Prompt | Unreadable, job: Job, opposite: Report | None) -> Item:
    if isinstance(prompt, Unreadable):
        return Trouble(prompt.message, prompt.name, prompt.line, prompt.id)
    try:
        own = job.for_line(prompt.options)
        report = own.report(prompt.text)
    except PromptLensError as error:  # a line's own options: only that line is wrong
        return Trouble(f"line {prompt.line}: {error}", prompt.name, prompt.line, prompt.id)
    entry = Entry(judged(report, prompt.name), prompt.name, id=prompt.id)
    if opposite is None or own is not job:
        return entry
    from promptlens.checking import with_pair  # the readers of files, 50 ms: only for a pair

    return with_pair(entry, opposite, job)


def write_reports(found: Iterable[Item], format_name: str, screen: Screen, *, statistics: bool = False) -> Outcome:
    """Write reports to stdout in a format, troubles to stderr where the format does not hold them; `statistics`: only how often what is."""
    output: Format = load_format(format_name)
    if statistics:
        from promptlens.render._statistics import Statistics

        output = Statistics(format_name)
    outcome = Outcome()

    def counted() -> Iterator[Item]:
        for item in found:
            outcome.add(item)
            if isinstance(item, Trouble) and not output.tells_trouble:
                sys.stdout.flush()
                BAR.line.show("")  # it is the end of a file
                talk("error", told(item))
            yield item

    together = sys.stdout.isatty()  # with the bar, which stands below what is written; results that go elsewhere leave it alone
    for text in filter(None, output.write(counted(), screen)):
        if together:
            BAR.line.wipe()
        sys.stdout.write(text)
        sys.stdout.flush()  # who sends a line may wait for its report
        if together:
            BAR.line.again()
    if outcome.troubles and output.tells_trouble:
        talk("error", f"{outcome.troubles} of the prompts could not be checked; their lines say why.")
    return outcome


def told(trouble: Trouble) -> str:
    """A trouble in one line."""
    if not trouble.code:
        return f"{trouble.name}: {trouble.message}"
    place = "".join(f":{number}" for number in (trouble.line, trouble.column) if number is not None)
    return f"{trouble.name}{place}: {trouble.code} {trouble.message} {trouble.hint}".rstrip()
