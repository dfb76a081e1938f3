"""One line for each prompt and encoder, for grep and for editors.

    hero.txt: clip-l 76/150 tokens, 2 chunks (75|1), 0 lost

What has a place says it as editors expect, `hero.txt:1:4: error a1111 ValueError: ...`: the error of a host that fails, and findings.
Counts of lost tokens are over all texts of a prompt.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from promptlens.reach import all_read_by
from promptlens.render import Entry, Trouble
from promptlens.render._runs import visible_text
from promptlens.render._words import counter, many, readers_in_words
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
            lines = [_failed(usage)] if usage.failure else [f" {_line(usage, n)}" for n in range(len(usage.encoders))]
            lines += [f"{_place(usage, f.span.start)}: {f.severity} {f.code} {visible_text(f.message)}" for f in entry.report.findings]
            text = "".join(f"{name}:{line}\n" for line in lines)
            yield text.encode("ascii", "backslashreplace").decode() if screen.ascii else text


def _line(usage: Usage, number: int) -> str:
    use = usage.encoders[number]
    if use.unknown:
        return f"{use.encoder.name} not counted: {use.unknown}"
    lost = sum(line.encoders[number].lost_count for line in usage.lines)
    sizes = [str(chunk.used) for chunk in use.chunks]
    if len(sizes) > LISTED_CHUNKS:
        sizes = [*sizes[: LISTED_CHUNKS - 2], "...", sizes[-1]]
    texts = f", {many(len(usage.lines), 'text')}" if len(usage.lines) > 1 else ""
    readers = readers_in_words(all_read_by(use, usage.encoders))
    # No separators in numbers: these lines are read by programs too.
    tokens, chunks = counter(use).replace(",", ""), many(len(use.chunks), "chunk").replace(",", "")
    return f"{use.encoder.name} {tokens} tokens, {chunks} ({'|'.join(sizes)}), {lost} lost{readers}{texts}"


def _failed(usage: Usage) -> str:
    failure = usage.failure
    assert failure is not None
    return f"{_place(usage, failure.span.start)}: error {usage.host.name} {failure.name}: {visible_text(failure.message)}"


def _place(usage: Usage, index: int) -> str:
    return "{}:{}".format(*line_column(usage.prompt, index))
