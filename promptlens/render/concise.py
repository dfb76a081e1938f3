"""One line for each finding, for grep and for editors; of a text, or of the only prompt of a run, also one for each encoder.

    hero.txt:1:4: warning TB201 ...
    hero.txt: clip-l 76/150 tokens, 2 chunks (75|1), 0 lost

The error of a host that fails is told like a finding. Counts of lost tokens are over all texts of a prompt.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from promptlens.reach import all_read_by
from promptlens.render import Clean, Entry, Item, Note
from promptlens.render._listing import pages_or_lists
from promptlens.render._runs import visible_text
from promptlens.render._tally import Tally
from promptlens.render._words import counter, many, readers_in_words
from promptlens.report import Usage
from promptlens.terminal import Screen

tells_trouble = False
tells_clean = False

LISTED_CHUNKS = 12


def write(entries: Iterable[Item], screen: Screen) -> Iterator[str]:
    """The lines of each prompt; a `Trouble` is told on stderr."""
    tally, in_list, on_page = Tally(), False, False
    for way, item in pages_or_lists(entries, tally):
        in_list = in_list or (way == "list" and isinstance(item, (Clean, Entry)))
        if isinstance(item, Entry):
            on_page = on_page or way == "page"
            yield _written(_of_prompt(item, counts=way == "page"), screen)
        elif isinstance(item, Note):
            finding = item.finding
            text = f"{item.line}:{item.column}: {finding.severity} {finding.code} {visible_text(finding.message)}"
            yield _written(f"{visible_text(item.name)}:{text}\n", screen)
    if tally.files and (in_list or not on_page):
        yield _written(f"{tally.sentence()}\n", screen)


def _of_prompt(entry: Entry, *, counts: bool) -> str:
    """The lines of a prompt: how it fills each encoder, and what is wrong with it."""
    usage = entry.report.usage
    lines = [_failed(entry)] if usage.failure else []
    if counts and not usage.failure:
        lines = [f" {_line(usage, n)}" for n in range(len(usage.encoders))]
    for finding in entry.report.findings:
        lines.append(f"{_place(entry, finding.span.start)}: {finding.severity} {finding.code} {visible_text(finding.message)}")
    name = visible_text(entry.name)
    return "".join(f"{name}:{line}\n" for line in lines)


def _written(text: str, screen: Screen) -> str:
    return text.encode("ascii", "backslashreplace").decode() if screen.ascii else text


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


def _failed(entry: Entry) -> str:
    usage = entry.report.usage
    failure = usage.failure
    assert failure is not None
    return f"{_place(entry, failure.span.start)}: error {usage.host.name} {failure.name}: {visible_text(failure.message)}"


def _place(entry: Entry, index: int) -> str:
    return "{}:{}".format(*entry.place(index))
