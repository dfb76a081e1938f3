"""The entries of one file: a report for each of its prompts, notes of what is in it besides, and what could not be read.

A positive and a negative prompt that belong together are also compared with each other. Which files there are is left to _discovery.py.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from promptlens.checking._directives import Directives, directives_at, directives_in, only_a_directive
from promptlens.checking._names import SharedNames
from promptlens.fixes import fixable
from promptlens.hosts import HOSTS
from promptlens.job import Job
from promptlens.judging import judged
from promptlens.models import get_model
from promptlens.render import Entry, Item, Note, Trouble, Unchecked
from promptlens.report import Report
from promptlens.rules import DEFAULT_SETTINGS, EVERY_RULE, FileNote, run_file_rules, run_pair_rules
from promptlens.sources import FORMATS, Format, Notice, Prompt, ReadSettings, Role, UnreadableFile, detect, read, read_content
from promptlens.sources._document import HEAD_BYTES, open_file

Analysis = Callable[[str], Report]

# Text of no telling name that somebody asks for is read as prompts, one a line.
TEXT_SUFFIXES = ("", ".text")
UNREADABLE = "TB501"
TRIED_UP_TO_CHARS = 5_000
UNTOLD = "its name and content do not say what it is"


@dataclass(frozen=True, slots=True)
class Plan:
    """What holds for one file: the job of its prompts and how to read it.

    `format` and `role` are None where the file itself says what they are; `any_host`: nobody chose the job's host, so that a file that is
    made for one host is read as that does. `counts_fixes`: of each prompt it is tried what fixing would take away.
    `names` knows the styles of files that were read before.
    """

    job: Job
    read: ReadSettings = field(default_factory=ReadSettings)
    format: str | None = None
    role: Role | None = None
    any_host: bool = False
    counts_fixes: bool = False
    names: SharedNames | None = field(default=None, compare=False)

    def job_of(self, row: Format) -> Job:
        """The job of the prompts of a format."""
        return self.job.for_host(row.host) if row.host and self.any_host else self.job


def check_file(path: str, plan: Plan, *, named: bool = True) -> Iterator[Item]:
    """The entries of a file. `named`: it was asked for by its name, so that it is an error if nothing says what it is."""
    try:
        row = format_of(path, plan, named=named)
        if row is not None:
            silence = directives_at(path) if has_comments(row, plan) else None
            yield from entries_of(read(path, as_format=row.name, settings=plan.read), row, plan, path, silence)
    except UnreadableFile as error:
        yield from unreadable(error, plan)


def check_content(content: bytes, name: str, plan: Plan) -> Iterator[Item]:
    """The entries of a file's content that came another way, such as standard input; `name` is as good as the file's own."""
    try:
        row = row_of_content(content, name, plan)
        items = read_content(name, content, row, plan.read)
        yield from entries_of(items, row, plan, name, directives_in(content) if has_comments(row, plan) else None)
    except UnreadableFile as error:
        yield from unreadable(error, plan)


def row_of_content(content: bytes, name: str, plan: Plan) -> Format:
    """The format of content that came another way than as a file."""
    return FORMATS[plan.format] if plan.format else detect(name, content[:HEAD_BYTES], plan.read) or FORMATS[_plain(plan)]


def _plain(plan: Plan) -> str:
    return "text" if plan.read.unit == "file" else "lines"


def format_of(path: str, plan: Plan, *, named: bool) -> Format | None:
    """The format of a file: the one that is set, else what its name and its content say; None where they do not and nobody asked."""
    if plan.format is not None:
        return FORMATS[plan.format]
    row = detect(path, head_of(path), plan.read)
    if row is None and named:
        if os.path.splitext(path)[1].lower() not in TEXT_SUFFIXES:
            raise UnreadableFile(path, UNTOLD, hint="Name its format with --as, or the keys of its prompts in the settings.")
        row = FORMATS[_plain(plan)]
    return row


def has_comments(row: Format, plan: Plan) -> bool:
    """Whether comments of a file are comments: to its format, or to the host that reads its prompts."""
    return bool(row.comment) or "comment" in HOSTS[plan.job_of(row).host].syntax


def entries_of(items: Iterable[Prompt | Notice], row: Format, plan: Plan, name: str, silence: Directives | None = None) -> Iterator[Item]:
    """The entries of what a format found in a file, in its order; `silence` says what its comments silence."""
    reading = Entries(row, plan, name, silence)
    if plan.names is not None and row.of_one_name:
        items = plan.names.told(items, row, name)
    try:
        for item in items:
            if isinstance(item, Notice):
                yield from reading.notes(item)
            else:
                yield from reading.prompt(item)
    except UnreadableFile:  # what was read before is told all the same
        yield from reading.rest()
        raise
    yield from reading.rest()


class Reader:
    """How the prompts of one file are analysed, each way looked up once."""

    def __init__(self, row: Format, plan: Plan, silence: Directives | None = None) -> None:
        self.silence = silence
        self.template = row.kind == "style"
        self.plan = plan
        self.job = plan.job_of(row)
        self.encoders = {encoder.name for encoder in get_model(self.job.model).encoders}
        self.analyses: dict[tuple[Role, str | None, tuple[str, ...]], Analysis] = {}

    def why_not(self, prompt: Prompt) -> str:
        """Why a prompt is not analysed; "" for one that is."""
        if prompt.computed or prompt.skipped:
            return prompt.computed or prompt.skipped or ""
        if prompt.encoder is not None and prompt.encoder not in self.encoders:
            return f"read by {prompt.encoder}, which {self.job.model} does not have"
        return ""

    def role(self, prompt: Prompt) -> Role:
        """What a prompt is for."""
        return self.plan.role or prompt.role

    def analysis(self, prompt: Prompt) -> Analysis:
        """What analyses a prompt; to be asked in the order of the file."""
        silenced = self.silence.silenced(prompt) if self.silence else ()
        role, encoder = self.role(prompt), prompt.encoder
        found = self.analyses.get((role, encoder, silenced))
        if found is None:
            found = self.job.analysis(role, template=self.template, encoder=encoder, silenced=silenced)
            self.analyses[role, encoder, silenced] = found
        return found


class Judged(NamedTuple):
    """What is found in a prompt, and how many of it fixing would take away (`Entry.fixable`)."""

    report: Report
    fixable: tuple[Mapping[str, int], Mapping[str, int]] | None

    @property
    def clean(self) -> bool:
        """True where nothing is found, and the host takes the prompt."""
        return not self.report.findings and self.report.usage.failure is None


class Entries:
    """The entries of one file as they come, and the prompt that waits for the other one of its pair."""

    def __init__(self, row: Format, plan: Plan, name: str, silence: Directives | None = None) -> None:
        self.reader = Reader(row, plan, silence)
        self.job = self.reader.job
        self.name = name
        self.waiting: Entry | None = None
        self.scattered: list[Item] | None = [] if row.name == "comfyui" else None

    def notes(self, notice: Notice) -> Iterator[Item]:
        """What the rules make of a notice."""
        rules, limits = self.job.rules or EVERY_RULE, self.job.limits or DEFAULT_SETTINGS
        found = [Note(f, self.name, notice.line, notice.column, notice.text) for f in run_file_rules(_note(notice), rules, limits)]
        if self.reader.silence:
            found = [note for note in found if not note.finding.code.startswith(self.reader.silence.everywhere or ("\0",))]
        yield from self.sent(found)

    def prompt(self, prompt: Prompt) -> Iterator[Item]:
        """The entry of a prompt, and of the one that waited for it."""
        if self.reader.silence and only_a_directive(prompt.text):
            return
        why = self.reader.why_not(prompt)
        if why:
            yield from self.sent([Unchecked(prompt, self.name, why)])
            return
        yield from self.entry(prompt, self.judged(prompt))

    def judged(self, prompt: Prompt) -> Judged:
        """What an analysis finds in a prompt; to be asked in the order of the file."""
        analysis = self.reader.analysis(prompt)
        report = judged(analysis(prompt.text), self.name)
        return Judged(report, _fixable(report, analysis, prompt) if self.reader.plan.counts_fixes and report.findings else None)

    def entry(self, prompt: Prompt, found: Judged) -> Iterator[Item]:
        """The entry of a prompt that was analysed, and of the one that waited for it."""
        entry = Entry(found.report, self.name, self.reader.role(prompt), source=prompt, fixable=found.fixable)
        if self.scattered is not None:
            self.scattered.append(entry)
            return
        before, self.waiting = self.waiting, entry
        if before is None:
            return
        if belong_together(before, entry):
            self.waiting = None
            yield from self.compared(before, entry)
        else:
            yield before

    def compared(self, first: Entry, second: Entry) -> tuple[Entry, Entry]:
        """Two prompts that belong together, the positive one with what comparing them finds."""
        positive, negative = (first, second) if second.role == "negative" else (second, first)
        better = with_pair(positive, negative.report, self.job)
        return (better, second) if positive is first else (first, better)

    def sent(self, items: Sequence[Item]) -> Iterator[Item]:
        """Items in their place behind the prompt that waits."""
        if self.scattered is not None:
            self.scattered += items
            return
        if self.waiting is not None and items:
            yield self.waiting
            self.waiting = None
        yield from items

    def rest(self) -> Iterator[Item]:
        """What is left at the end of the file."""
        if self.waiting is not None:
            yield self.waiting
        if self.scattered is None:
            return
        entries = [e for e in self.scattered if isinstance(e, Entry)]
        pair = [[e for e in entries if (e.role == "negative") == negative] for negative in (False, True)]
        if all(len(side) == 1 for side in pair):  # a graph with more of them does not say which belong together
            (positive,), (negative,) = pair
            better = with_pair(positive, negative.report, self.job)
            yield from (better if e is positive else e for e in self.scattered)
        else:
            yield from self.scattered


def _fixable(report: Report, analysis: Analysis, prompt: Prompt) -> tuple[Mapping[str, int], Mapping[str, int]] | None:
    """What fixing would take away; nothing where it cannot be written, and None (what the rules offer) of a prompt too long to try."""
    if not prompt.writable:
        return {}, {}
    return fixable(report, analysis) if len(prompt.text) <= TRIED_UP_TO_CHARS else None


def with_pair(positive: Entry, negative: Report, job: Job) -> Entry:
    """The entry with what comparing it with its negative prompt finds."""
    found = run_pair_rules(positive.report.usage, negative.usage, job.rules or EVERY_RULE, job.limits or DEFAULT_SETTINGS)
    if not found:
        return positive
    every = sorted((*positive.report.findings, *found), key=lambda f: (f.span, f.code))
    return positive._replace(report=Report(positive.report.usage, tuple(every)))


# What tells the two prompts of a pair apart in their keys: "night", "night (negative)"; "line 3 --prompt", "line 3 --negative_prompt"
_ROLE_IN_KEY = re.compile(r" \(negative\)$|(?:default_)?(?:positive|negative)?[_ ]?(?:prompt|text)?(?:_negative)?(?:_2)?$")


def belong_together(first: Entry, second: Entry) -> bool:
    """Whether two neighbours in a file are the positive and the negative prompt of a picture.

    Their keys are the same but for the word that says which is which.
    """
    if first.source is None or second.source is None or (first.role == "negative") == (second.role == "negative"):
        return False
    return _ROLE_IN_KEY.sub("", first.source.key) == _ROLE_IN_KEY.sub("", second.source.key)


def _note(notice: Notice) -> FileNote:
    return FileNote(notice.kind, notice.message, notice.text)


def unreadable(error: UnreadableFile, plan: Plan) -> Iterator[Trouble]:
    """The trouble of a file that is not what its format says, unless the rule that says so is left out."""
    if plan.job.rules is None or UNREADABLE in plan.job.rules.codes:
        yield Trouble(f"{error.why}.", error.path, error.line, column=error.column, code=UNREADABLE, hint=error.hint)


def head_of(path: str) -> bytes:
    """The first bytes of a file, by which formats are told apart."""
    handle, _ = open_file(path)
    with handle:
        try:
            return handle.read(HEAD_BYTES)
        except OSError as error:
            raise UnreadableFile(path, (error.strerror or type(error).__name__).lower()) from None
