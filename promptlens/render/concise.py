"""One line for each prompt and encoder, for grep and for editors.

    hero.txt: clip-l 76/150 tokens, 2 chunks (75|1), 0 lost

The line of a prompt that the host fails on names the error and its place. Counts of lost tokens are over all texts of a prompt.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from promptlens.render import Entry, Trouble
from promptlens.render._runs import visible_text
from promptlens.render._words import counter, many
from promptlens.report import Usage
from promptlens.spans import line_column
from promptlens.terminal import Screen

tells_trouble = False

LISTED_CHUNKS = 12


def write(entries: Iterable[Entry | Trouble], screen: Screen) -> Iterator[str]:
    """The lines of each prompt; a `Trouble` is told on stderr."""
    for entry in entries:
        if isinstance(entry, Entry):
            name = visible_text(entry.name)
            usage = entry.report.usage
            lines = [_failed(usage)] if usage.failure else [_line(usage, n) for n in range(len(usage.encoders))]
            lines += [f"{f.severity} {f.code} at {_place(usage, f.span.start)}: {visible_text(f.message)}" for f in entry.report.findings]
            text = "".join(f"{name}: {line}\n" for line in lines)
            yield text.encode("ascii", "backslashreplace").decode() if screen.ascii else text


def _line(usage: Usage, number: int) -> str:
    use = usage.encoders[number]
    lost = sum(line.encoders[number].lost_count for line in usage.lines)
    sizes = [str(chunk.used) for chunk in use.chunks]
    if len(sizes) > LISTED_CHUNKS:
        sizes = [*sizes[: LISTED_CHUNKS - 2], "...", sizes[-1]]
    texts = f", {many(len(usage.lines), 'text')}" if len(usage.lines) > 1 else ""
    # No separators in numbers: these lines are read by programs too.
    return f"{use.encoder.name} {counter(use)} tokens, {_plain(len(use.chunks), 'chunk')} ({'|'.join(sizes)}), {lost} lost{texts}"


def _plain(count: int, noun: str) -> str:
    return many(count, noun).replace(",", "")


def _failed(usage: Usage) -> str:
    failure = usage.failure
    assert failure is not None
    return f"{usage.host.name} {failure.name} at {_place(usage, failure.span.start)}: {visible_text(failure.message)}"


def _place(usage: Usage, index: int) -> str:
    return "{}:{}".format(*line_column(usage.prompt, index))
