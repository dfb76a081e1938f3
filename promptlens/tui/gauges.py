"""What the Budget pane says of a report: a gauge for each chunk and encoder, why each ended, what is lost. Rows of runs, no widgets."""

from __future__ import annotations

from collections.abc import Iterator

from promptlens.hosts import EncoderUse
from promptlens.render._bars import some
from promptlens.render._draw import drawing
from promptlens.render._runs import Row, Run, visible_text, wrap
from promptlens.render._words import encoder_name, many, why_ended
from promptlens.report import Report
from promptlens.tui.coloring import HUES

FIRST_BARS, LAST_BARS = 12, 2
EIGHTHS = " ▏▎▍▌▋▊▉"
# The mark behind the number of a gauge: why the chunk ended.
MARKS = {"end": "", "full": "▐", "comma": ",", "break": "BREAK", "group": "( )", "sentence": ".", "vectors": "<>", "text": "¶"}


def budget_rows(report: Report, width: int) -> list[Row]:
    """The whole pane, `width` cells wide."""
    usage = report.usage
    if usage.failure is not None:
        message = f"{usage.host.title} fails on this prompt ({usage.failure.name}): {usage.failure.message}"
        return wrap([Run(message, "error")], width)
    rows: list[Row] = []
    for number, use in enumerate(usage.encoders):
        same = next((u for u in usage.encoders[:number] if splits(u) == splits(use) and u.encoder.capacity == use.encoder.capacity), None)
        if same is not None:
            rows += wrap([Run(encoder_name(use), "title"), Run(f"  same split as {encoder_name(same)}", "dim")], width)
            continue
        rows += wrap([Run(encoder_name(use), "title"), Run(f"  {use.encoder.window} = BOS + {use.encoder.capacity} + EOS", "dim")], width)
        if use.unknown:
            rows += wrap([Run(f" not counted: {visible_text(use.unknown)}", "dim")], width)
            continue
        rows += _gauges(report, use, width)
        rows += _totals(use, width)
    rows += _lines(report, width)
    return rows


def _gauges(report: Report, use: EncoderUse, width: int) -> Iterator[Row]:
    drawn = drawing(report.usage.prompt, report.usage.fragments, use)
    digits = len(str(len(use.chunks)))
    if not use.chunks:
        yield [Run(" nothing to read", "dim")]
        return
    for before, n in some(len(use.chunks), FIRST_BARS, LAST_BARS):
        if n > before + 1:
            yield [Run(f" … {many(n - before - 1, 'more chunk')} …", "dim")]
        chunk = use.chunks[n]
        count = f" {chunk.used:>2}/{use.encoder.capacity}"
        mark = f" {MARKS[chunk.cut]}" if MARKS[chunk.cut] else ""
        cells = max(width - digits - 2 - len(count) - max(len(mark), 2), 4)
        filled, free = gauge(chunk.used, use.encoder.capacity, cells)
        hue = f"hue{n % HUES}"
        yield [Run(f" {n + 1:>{digits}} ", f"mark{n % HUES}"), Run(filled, hue), Run(free, "dim"), Run(count), Run(mark, "dim")]
        why = why_ended(use, n, drawn.cut_word(chunk.stop))
        if n + 1 < len(use.chunks) or use.lost_places or chunk.cut not in ("end", "text"):
            indent = " " * (digits + 2)
            yield from wrap([Run(why, "dim")], width, first=indent, indent=indent)


def gauge(used: int, capacity: int, cells: int) -> tuple[str, str]:
    """A bar in eighths of a cell, and the free rest of it.

    >>> gauge(75, 75, 4), gauge(0, 75, 4)
    (('████', ''), ('', '░░░░'))
    """
    eighths = min(8 * cells * used // capacity, 8 * cells) or min(used, 1)
    bar = "█" * (eighths // 8) + EIGHTHS[eighths % 8].strip()
    return bar, "░" * (cells - len(bar))


def splits(use: EncoderUse) -> tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]:
    """Where an encoder's chunks begin and end, and what it loses: what tells two encoders of one vocabulary apart."""
    return tuple((c.start, c.stop) for c in use.chunks), use.lost_places


def _totals(use: EncoderUse, width: int) -> Iterator[Row]:
    lost = use.lost_count
    first = Run(f"lost {lost}", "lost-mark" if lost else "ok")
    yield from wrap([first, Run(f"  {next_cut(use)}", "dim")], width, first=" ", indent=" ")


def next_cut(use: EncoderUse) -> str:
    """How much room is left: `38 tokens to the next cut`."""
    if use.lost_count:
        return "no room left"
    wasted = f", {use.wasted} wasted" if use.wasted else ""
    return f"{many(use.free, 'token')} to the next cut{wasted}"


def _lines(report: Report, width: int) -> Iterator[Row]:
    """A word on the other texts of the prompt."""
    usage = report.usage
    others = len(usage.lines) - len(usage.counted_lines)
    if others:
        yield from wrap([Run(f"{many(len(usage.lines), 'text')} (AND, prompt editing): this is the longest.", "dim")], width)


def compact_rows(report: Report, width: int) -> list[Row]:
    """One line an encoder, for narrow screens."""
    usage = report.usage
    if usage.failure is not None:
        return [[Run(f"{usage.host.title} fails on this prompt: {usage.failure.name}"[:width], "error")]]
    groups: list[tuple[list[str], EncoderUse]] = []
    for use in usage.encoders:
        names = next((n for n, known in groups if not use.unknown and not known.unknown and splits(known) == splits(use)), None)
        if names is None:
            groups.append(([encoder_name(use)], use))
        else:
            names.append(encoder_name(use))
    return [_compact_row(" = ".join(names), use, width) for names, use in groups]


def _compact_row(names: str, use: EncoderUse, width: int) -> Row:
    """Small gauges of an encoder's first chunks and its last, and how much is free or lost."""
    name = Run(f"{names} ", "title")
    if use.unknown:
        return [name, Run("not counted: its vocabulary is not here"[: max(width - len(name.text), 0)], "dim")]
    tail = Run(f"lost {use.lost_count}" if use.lost_count else f"{use.free} free", "lost-mark" if use.lost_count else "dim")
    room = width - len(name.text) - len(tail.text)
    shown = [*some(len(use.chunks), max((room - 2) // 16 - 1, 0), 1)] if use.chunks else []
    numbers = sum(len(f"{n + 1}{use.chunks[n].used}/{use.encoder.capacity} ") for _, n in shown)
    cells = max(min((room - 2 - numbers) // max(len(shown), 1), 20), 1)
    row = [name]
    for before, n in shown:
        chunk = use.chunks[n]
        filled, free = gauge(chunk.used, use.encoder.capacity, cells)
        row += [
            Run("… " if n > before + 1 else "", "dim"),
            Run(f"{n + 1}", f"mark{n % HUES}"),
            Run(filled, f"hue{n % HUES}"),
            Run(free, "dim"),
            Run(f"{chunk.used}/{use.encoder.capacity} "),
        ]
    return [*row, tail]


def summary(report: Report, findings: int | None) -> list[str]:
    """The right end of the top bar, what matters most first: `42 free`, `3 findings`, `2 chunks`."""
    use = report.usage.encoders[0]
    room = f"{use.lost_count} lost" if use.lost_count else f"{use.free} free"
    said = [report.usage.failure.name if report.usage.failure else room]
    if findings is not None:
        said.append(many(findings, "finding"))
    if not report.usage.failure:
        said.append(many(len(use.chunks), "chunk"))
    return said
