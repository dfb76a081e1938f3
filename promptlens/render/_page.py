"""The page that `check` shows of a prompt, as rows of styled text: what is used, where the prompt is cut, what is lost.

Drawn plain or in colour by full.py and as a picture by svg.py. A long list is cut short and says by how much.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from promptlens.hosts import EncoderUse
from promptlens.reach import all_read_by, counted_use
from promptlens.render import Entry
from promptlens.render._bars import ASCII, LINES, Glyphs, bars, some
from promptlens.render._draw import Drawing, drawing, prompt_atoms
from promptlens.render._runs import Row, Run, quoted, wrap, wrap_atoms
from promptlens.render._words import (
    counter,
    encoder_name,
    line_in_words,
    listed,
    many,
    options_in_words,
    readers_in_words,
    removed_reason,
    summary_in_words,
)
from promptlens.report import Line, Usage
from promptlens.terminal import Screen

LISTED = 8
LISTED_FINDINGS = 12
SAID_ALREADY = frozenset({"TB101"})  # lost words


def page(entry: Entry, screen: Screen) -> list[Row]:
    """The rows of one prompt's page."""
    rows = [*_sections(entry, screen)]
    while not rows[-1]:
        rows.pop()
    return rows


def _sections(entry: Entry, screen: Screen) -> Iterator[Row]:
    usage, width = entry.report.usage, screen.width
    glyphs = ASCII if screen.ascii else LINES
    yield from _header(entry, width)
    if usage.failure:
        yield from _failure(entry, width)
    else:
        if len(usage.lines) > 1:
            yield from _lines(usage, width)
        groups = same_splits(usage.encoders)
        for group in groups:
            yield from _group(usage, group, len(groups) > 1, width, glyphs)
        yield from _removed(usage, width)
    yield from _verdict(usage, width)
    yield from _findings(entry, width)


def same_splits(uses: Sequence[EncoderUse]) -> list[list[EncoderUse]]:
    """Encoders that cut the prompt at the same places, together; in the model's order."""
    groups: list[list[EncoderUse]] = []
    for use in uses:
        group = next((g for g in groups if _same_split(g[0], use)), None)
        if group is None:
            groups.append([use])
        else:
            group.append(use)
    return groups


def _same_split(a: EncoderUse, b: EncoderUse) -> bool:
    if a.encoder.capacity != b.encoder.capacity or a.unknown != b.unknown:
        return False
    if a.lost_places != b.lost_places or len(a.chunks) != len(b.chunks):
        return False
    if any((x.start, x.stop, x.cut) != (y.start, y.stop, y.cut) for x, y in zip(a.chunks, b.chunks, strict=True)):
        return False
    if a.stream is None or b.stream is None or a.stream.ids == b.stream.ids:
        return True
    return len(a.stream) == len(b.stream) and all(x.span == y.span for x, y in zip(a.tokens, b.tokens, strict=True))


def _header(entry: Entry, width: int) -> Iterator[Row]:
    usage = entry.report.usage
    options = options_in_words(usage)
    runs = [Run(f"{usage.host.title} · {usage.model.title}", "title")]
    if options:
        runs.append(Run(f" · {options}", "dim"))
    if entry.role == "negative":
        runs.append(Run(" · negative prompt", "dim"))
    if entry.name not in ("<text>", "<negative>"):
        runs.append(Run(f" · {entry.name}", "dim"))
    yield from wrap(runs, width, indent="  ")
    yield []


def _failure(entry: Entry, width: int) -> Iterator[Row]:
    """What the host dies of, and where."""
    usage = entry.report.usage
    failure = usage.failure
    assert failure is not None
    line, column = entry.place(failure.span.start)
    yield from wrap([Run(f"{usage.host.title} fails on this prompt ({failure.name}), so nothing reaches the model.", "error")], width)
    yield from wrap([Run(failure.message)], width, first="  ", indent="  ")
    before, after = usage.prompt[max(failure.span.start - 30, 0) : failure.span.start], usage.prompt[failure.span.end :][:30]
    place = [Run(f"line {line}, column {column}: ", "dim"), Run(quoted(before)[1:-1])]
    place += [Run(f">>{quoted(failure.span.of(usage.prompt), 60)[1:-1]}<<", "lost-mark"), Run(quoted(after)[1:-1])]
    yield from wrap(place, width, first="  ", indent="  ")
    yield []


def _lines(usage: Usage, width: int) -> Iterator[Row]:
    """The texts that AND and prompt editing make of a prompt, each with its count."""
    lines, counted = usage.lines, usage.counted_lines
    several_parts = any(line.parsed.part for line in lines)
    why = [*(["AND"] if several_parts and not usage.joined else []), *(["prompt editing"] if any(n.parsed.steps for n in lines) else [])]
    said = f"This prompt is {len(lines)} texts{f' ({listed(why)})' if why else ''}."
    longest = f"text {usage.counted + 1}, which is shown below."
    longest = f"The host counts the longest, {longest}" if usage.host.counter else f"The longest is {longest}"
    what = "The host joins them." if usage.joined else longest
    yield from wrap([Run(f"{said} {what}")], width)
    for before, n in some(len(lines), LISTED, 1, usage.counted):
        if n > before + 1:
            yield [Run(f"  … {many(n - before - 1, 'more text')} …", "dim")]
        yield from _line(lines[n], n, n in counted, several_parts, width)
    yield []


def _line(line: Line, number: int, counted: bool, several_parts: bool, width: int) -> Iterator[Row]:
    use = counted_use(line.encoders)
    told = line_in_words(line, several_parts)
    runs = [Run(f"{number + 1:>3}  ", "title" if counted else "dim"), Run(f"{counter(use)}, {many(len(use.chunks), 'chunk')}")]
    if told:
        runs.append(Run(f" · {told}", "dim"))
    if counted:
        runs.append(Run(" · shown below", "dim"))
    yield from wrap(runs, width, indent="     ")
    lost = max(u.lost_count for u in line.encoders)
    if lost and not counted:
        yield from wrap([Run(f"{many(lost, 'token')} of it never reach the model", "lost-mark")], width, first="     ", indent="     ")


def _group(usage: Usage, group: Sequence[EncoderUse], several: bool, width: int, glyphs: Glyphs) -> Iterator[Row]:
    """What encoders with the same split get: heading, bars, the prompt, what is lost."""
    use = group[0]
    if use.unknown:
        names = listed([encoder_name(u) for u in group])
        yield from wrap([Run(names, "title"), Run(f" · not counted: {use.unknown}", "warning")], width, indent="  ")
        yield []
        return
    drawn = drawing(usage.prompt, usage.fragments, use)
    names = listed([encoder_name(u) for u in group])
    total = use.used + use.lost_count
    told = f"{many(total, 'token')} in {many(len(use.chunks), 'chunk')}"
    heading = [Run(names, "title"), Run(": same split" if len(group) > 1 else "", "dim"), Run(f" · {told}")]
    if usage.host.counter and use.shown_count is not None:
        heading.append(Run(f" · the host counts {counter(use)}", "dim"))
    yield from wrap(heading, width, indent="  ")
    yield from bars(drawn, width, glyphs)
    yield []
    if use.encoder.summary_only:
        yield from wrap([Run(summary_in_words(usage, use, names), "dim")], width, indent="  ")
        yield []
    if usage.prompt:
        yield from wrap_atoms(prompt_atoms(drawn, glyphs.mark, glyphs.newline), width, first="  ", indent="  ")
        yield []
    yield from _lost(drawn, usage.encoders, names if several else "the model", width)


def _lost(drawn: Drawing, uses: Sequence[EncoderUse], whom: str, width: int) -> Iterator[Row]:
    """The words that never arrive."""
    use = drawn.use
    if not use.lost_places:
        return
    verb = "reaches" if use.lost_count == 1 else "reach"
    readers = all_read_by(use, uses)
    style = "warning" if readers else "error"
    yield from wrap([Run(f"{many(use.lost_count, 'token')} never {verb} {whom}{readers_in_words(readers)}:", style)], width, indent="  ")
    for start, end in use.lost_places[:LISTED]:
        text = drawn.lost_text(start, end)
        count = f" ({many(end - start, 'token')})" if len(use.lost_places) > 1 else ""
        if text:
            yield from wrap([Run(text, "lost-words"), Run(count, "dim")], width, first="  ", indent="  ")
    if len(use.lost_places) > LISTED:
        yield [Run(f"  … and {many(len(use.lost_places) - LISTED, 'more place')}", "dim")]
    yield []


def _removed(usage: Usage, width: int) -> Iterator[Row]:
    """What the host takes out before it reads the prompt, by kind."""
    reasons: dict[str, list[str]] = {}
    for fragment in usage.removed[:1000]:
        reasons.setdefault(removed_reason(fragment), []).append(quoted(fragment.text.strip(), 60))
    for reason, texts in reasons.items():
        more = f" and {len(texts) - LISTED} more" if len(texts) > LISTED else ""
        yield from wrap([Run(f"{reason}: "), Run(", ".join(texts[:LISTED]) + more, "syntax")], width, indent="  ")
    if reasons:
        yield []


def _verdict(usage: Usage, width: int) -> Iterator[Row]:
    if usage.failure or any(use.lost_places for line in usage.lines for use in line.encoders):
        return
    words = "Nothing is lost: every token reaches the model." if usage.encoders[0].used else "The prompt is empty: the model gets no words."
    if any(use.unknown for use in usage.encoders):
        words = "Nothing is lost, as far as it is counted."
    yield from wrap([Run(words, "ok")], width)
    yield []


def _findings(entry: Entry, width: int) -> Iterator[Row]:
    """What the rules found, but for what the page says already."""
    found = [finding for finding in entry.report.findings if finding.code not in SAID_ALREADY]
    for finding in found[:LISTED_FINDINGS]:
        line, column = entry.place(finding.span.start)
        style = "title" if finding.severity == "info" else finding.severity
        head = [Run(f"{finding.severity} {finding.code}", style), Run(f" {line}:{column} ", "dim"), Run(finding.message)]
        yield from wrap(head, width, indent="  ")
        if finding.hint:
            yield from wrap([Run(finding.hint, "dim")], width, first="  ", indent="  ")
    if len(found) > LISTED_FINDINGS:
        codes = Counter(finding.code for finding in found[LISTED_FINDINGS:])
        more = ", ".join(f"{code} {count:,} times" if count > 1 else code for code, count in sorted(codes.items()))
        yield from wrap([Run(f"… and {many(len(found) - LISTED_FINDINGS, 'more finding')}: {more}", "dim")], width, indent="  ")
