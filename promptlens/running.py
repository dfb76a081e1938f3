"""A run over many prompts: each is analysed and written as it comes, and a bad one never stops the others."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

from promptlens.errors import PromptLensError
from promptlens.inputs import Prompt, Unreadable, prompt_argument
from promptlens.job import Job
from promptlens.render import Entry, Trouble, load_format
from promptlens.report import Report
from promptlens.terminal import Screen, talk

OK, FINDINGS, UNREADABLE = 0, 1, 2

# Rules look at a prompt many times over; of a longer text only the tokens are counted.
JUDGED_UP_TO_CHARS = 100_000


def entries(prompts: Iterable[Prompt | Unreadable], job: Job, negative: str | None = None) -> Iterator[Entry | Trouble]:
    """A report for each prompt, then one for the negative prompt; what cannot be read or analysed is a `Trouble`."""
    for prompt in prompts:
        yield _entry(prompt, job)
    if negative is not None:
        given = prompt_argument(negative, "<negative>")
        if isinstance(given, Unreadable):
            yield Trouble(given.message, given.name)
        else:
            yield Entry(_judged(job.report(negative, negative=True), given.name), given.name, "negative")


def _entry(prompt: Prompt | Unreadable, job: Job) -> Entry | Trouble:
    if isinstance(prompt, Unreadable):
        return Trouble(prompt.message, prompt.name, prompt.line, prompt.id)
    try:
        report = job.for_line(prompt.options).report(prompt.text)
    except PromptLensError as error:  # a line's own options: only that line is wrong
        return Trouble(f"line {prompt.line}: {error}", prompt.name, prompt.line, prompt.id)
    return Entry(_judged(report, prompt.name), prompt.name, id=prompt.id)


def _judged(report: Report, name: str) -> Report:
    """The report, without findings where the prompt is too long to look for them."""
    length = len(report.usage.prompt)
    if length <= JUDGED_UP_TO_CHARS:
        return report
    talk("note", f"{name}: with {length:,} characters it is too long for the rules; its tokens are counted all the same.")
    return Report(report.usage, ())


def write_reports(found: Iterable[Entry | Trouble], format_name: str, screen: Screen) -> int:
    """Write reports to stdout in a format, troubles to stderr where the format does not hold them; the exit code."""
    output = load_format(format_name)
    troubles = findings = 0

    def counted() -> Iterator[Entry | Trouble]:
        nonlocal troubles, findings
        for entry in found:
            if isinstance(entry, Entry):
                findings += not entry.report.ok
            else:
                troubles += 1
                if not output.tells_trouble:
                    sys.stdout.flush()
                    talk("error", f"{entry.name}: {entry.message}")
            yield entry

    for text in output.write(counted(), screen):
        sys.stdout.write(text)
        sys.stdout.flush()  # who sends a line may wait for its report
    if troubles and output.tells_trouble:
        talk("error", f"{troubles} of the prompts could not be checked; their lines say why.")
    return UNREADABLE if troubles else FINDINGS if findings else OK
