"""Pages of `promptlens diff` and `check --host all`: one prompt in several hosts, and what changed between two prompts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from promptlens.comparing import LOST, Boundary, Change, EncoderChange, HostView, Phrase, PromptDiff, boundaries, same_cuts, token_changes
from promptlens.hosts import HOSTS, EncoderUse
from promptlens.models import Model
from promptlens.render._bars import ASCII, LINES, Glyphs, some
from promptlens.render._draw import chunk_style
from promptlens.render._page import same_splits
from promptlens.render._runs import Row, Run, cluster_start, quoted, wrap
from promptlens.render._table import Column, Table, table_rows
from promptlens.render._words import chunk_sizes, counter, encoder_name, listed, many, options_in_words
from promptlens.report import Report, Usage
from promptlens.terminal import Screen

LISTED = 12
LISTED_CUTS = 6
LISTED_CHUNKS = 6
AROUND = 28  # characters of the prompt on either side of a cut

_COLUMNS = (
    Column("host", "host"),
    Column("encoders", "encoders"),
    Column("tokens", "tokens", right=True),
    Column("chunks", "chunks"),
    Column("it shows", "shown", right=True),
    Column("lost", "lost", right=True),
)


def host_page(prompt: str, views: Sequence[HostView], model: Model, screen: Screen) -> Iterator[Row]:
    """A table of what each host makes of a prompt, then each way in which it is cut, and by whom."""
    yield from wrap([Run(f"{many(len(views), 'host')} · {model.title}", "title")], screen.width)
    yield []
    records = [record for view in views for record in _records(view)]
    if records:
        yield from table_rows(
            Table(_COLUMNS, records, style_of=lambda r: "lost-words" if r["lost"] not in ("0", "?") else ""), screen.width
        )
        yield []
    yield from _failures(views, screen.width)
    groups = same_cuts(views)
    if len(groups) == 1 and len(groups[0]) > 1:
        yield from wrap([Run("They all cut this prompt at the same places.", "ok")], screen.width)
    for group in groups:
        yield from _cuts(prompt, group, screen)
    read = [view.host for view in views if view.report and not view.report.usage.host.observed]
    if read:
        yield []
        words = f"{listed([HOSTS[name].title for name in read])}: rules read in the code and documents, not observed."
        yield from wrap([Run(words, "dim")], screen.width, indent="  ")


def _records(view: HostView) -> Iterator[dict[str, Any]]:
    """A row for each encoder of a host, or for several that get the same."""
    report = view.report
    if report is None or report.usage.failure:
        return
    groups = same_splits(report.usage.encoders)
    for number, group in enumerate(groups):
        use = group[0]
        yield {
            "host": view.host if not number else "",
            "encoders": listed([encoder_name(u) for u in group]),
            "tokens": "?" if use.unknown else f"{use.used + use.lost_count:,}",
            "chunks": "not counted" if use.unknown else chunk_sizes(use, LISTED_CHUNKS),
            "shown": counter(use) if report.usage.host.counter and use.shown_count is not None and not number else "-",
            "lost": "?" if use.unknown else f"{use.lost_count:,}",
        }


def _failures(views: Sequence[HostView], width: int) -> Iterator[Row]:
    """Hosts that fail on the prompt, or that do not take it at all."""
    said = False
    for view in views:
        failure = view.report.usage.failure if view.report else None
        why = f"fails on this prompt ({failure.name}): {failure.message}" if failure else view.refusal
        if why:
            said = True
            yield from wrap([Run(view.host, "error"), Run(f"  {why}")], width, indent="  ")
    if said:
        yield []


def _cuts(prompt: str, group: Sequence[HostView], screen: Screen) -> Iterator[Row]:
    """The places at which a group of hosts cuts the prompt, each with the words around it."""
    glyphs = ASCII if screen.ascii else LINES
    report = group[0].report
    assert report is not None
    usage = report.usage
    names = [view.host for view in group]
    splits = same_splits(usage.encoders)
    for split in splits:
        whom = f" · {listed([encoder_name(u) for u in split])}" if len(splits) > 1 else ""
        texts = f" · the longest of {many(len(usage.lines), 'text')}" if len(usage.lines) > 1 else ""
        head = [Run(listed(names), "title"), Run(f"{whom}{texts}", "dim")]
        found = boundaries(usage, split[0])
        if not found:
            yield from wrap([*head, Run(f"  {_uncut(split[0])}", "dim")], screen.width, indent="  ")
            continue
        yield from wrap(head, screen.width, indent="  ")
        for before, n in some(len(found), LISTED_CUTS - 1, 1):
            if n > before + 1:
                yield [Run(f"  … {many(n - before - 1, 'more cut')} …", "dim")]
            yield from wrap(_around(prompt, found[n], glyphs), screen.width, first="  ", indent="     ")


def _uncut(use: EncoderUse) -> str:
    """What is said of an encoder that has no cuts."""
    if use.unknown:
        return "not counted: its vocabulary is not here"
    return "no cut: all of it is one chunk" if use.used else "no words"


def _around(prompt: str, cut: Boundary, glyphs: Glyphs) -> list[Run]:
    """`…golden hour, ┃2┃ volumetric lighting…`."""
    start, end = cluster_start(prompt, max(cut.at - AROUND, 0)), cluster_start(prompt, min(cut.at + AROUND, len(prompt)))
    label = "lost" if cut.chunk == LOST else str(cut.chunk + 1)
    style = chunk_style(cut.chunk)
    before, after = (quoted(text)[1:-1] for text in (prompt[start : cut.at], prompt[cut.at : end]))
    return [
        Run("…" if start else "", "dim"),
        Run(before, chunk_style(cut.chunk - 1) if cut.chunk > 0 else "even"),
        Run(f"{glyphs.mark}{label}{glyphs.mark}", f"{style}-mark"),
        Run(after, style),
        Run("…" if end < len(prompt) else "", "dim"),
    ]


def diff_page(diff: PromptDiff, names: tuple[str, str], screen: Screen) -> Iterator[Row]:
    """What changed between two prompts: counts, tokens, phrases."""
    width = screen.width
    yield from _diff_head(diff, names, width)
    if any(report.usage.failure for report in diff.reports):
        for name, report in zip(names, diff.reports, strict=True):
            yield from _diff_failure(name, report, width)
        return
    if diff.before.usage.prompt == diff.after.usage.prompt:
        yield from wrap([Run("The two prompts are the same text.", "ok")], width)
        return
    if diff.same:
        yield from wrap([Run("The texts differ, but the encoders get the very same tokens and weights.", "ok")], width)
        return
    for change in diff.encoders:
        said = ", ".join(_went(noun, pair) for noun, pair in _numbers(change).items())
        yield from wrap([Run(change.encoder.upper(), "title"), Run(f"  {said}")], width, indent="  ")
    went, came = token_changes(diff.before.usage.encoders[0], diff.after.usage.encoders[0])
    yield from wrap([Run(f"{many(len(went), 'token')} removed, {len(came):,} added", "dim")], width)
    yield []
    yield from _changes(diff, width)
    yield from _lost(diff, width)


def _numbers(change: EncoderChange) -> dict[str, tuple[int, int]]:
    return {"token": change.used, "chunk": change.chunks, "free": change.free, "lost": change.lost}


def _went(noun: str, pair: tuple[int, int]) -> str:
    """`75 → 82 tokens`, or `0 lost` where nothing changed."""
    before, after = pair
    plural = "s" if noun in ("token", "chunk") and after != 1 else ""
    return f"{before:,} → {after:,} {noun}{plural}" if before != after else f"{after:,} {noun}{plural}"


def _diff_head(diff: PromptDiff, names: tuple[str, str], width: int) -> Iterator[Row]:
    usage = diff.after.usage
    options = options_in_words(usage)
    head = [Run(f"{usage.host.title} · {usage.model.title}", "title"), Run(f" · {options}" if options else "", "dim")]
    yield from wrap([*head, Run(f" · {names[0]} → {names[1]}", "dim")], width, indent="  ")
    yield []


def _diff_failure(name: str, report: Report, width: int) -> Iterator[Row]:
    failure = report.usage.failure
    if failure:
        words = f" {report.usage.host.title} fails on this prompt ({failure.name}): {failure.message}"
        yield from wrap([Run(f"{name}:", "error"), Run(words)], width, indent="  ")


_SIGNS = {"added": ("+", "ok"), "removed": ("-", "lost-words"), "moved": ("~", "even-mark"), "reweighed": ("~", "warning")}


def _changes(diff: PromptDiff, width: int) -> Iterator[Row]:
    """Phrases that came, went, moved to another chunk, or weigh otherwise."""
    for before, n in some(len(diff.changes), LISTED - 2, 2):
        if n > before + 1:
            yield [Run(f"  … {many(n - before - 1, 'more change')} …", "dim")]
        change = diff.changes[n]
        sign, style = _SIGNS[change.kind]
        runs = [
            Run(f"{sign} ", style),
            Run(quoted(change.phrase.text, 80)[1:-1], style),
            Run(f"  {_what(change, diff.after.usage)}", "dim"),
        ]
        yield from wrap(runs, width, first="  ", indent="    ")
    if diff.changes:
        yield []


def _what(change: Change, usage: Usage) -> str:
    """What a line of the list says behind the phrase."""
    before, after = change.before, change.after
    if change.kind == "reweighed" and before and after:
        return f"weight {before.weight:g} → {after.weight:g}"
    if change.kind == "moved" and before and after:
        names = [use.encoder.name.upper() for use in usage.encoders]
        moves = [(name, _chunks(a), _chunks(b)) for name, a, b in zip(names, before.chunks, after.chunks, strict=True) if a != b]
        if len({move[1:] for move in moves}) == 1 and len(moves) == len(names):
            return f"{moves[0][1]} → {moves[0][2]}"
        return ", ".join(f"{name}: {a} → {b}" for name, a, b in moves)
    phrase: Phrase = change.phrase
    return f"{many(max(phrase.tokens, default=0), 'token')}, {_chunks(phrase.chunks[0])}"


def _chunks(chunks: tuple[int, ...]) -> str:
    if not chunks:
        return "no token"
    if chunks == (LOST,):
        return "lost"
    said = [str(chunk + 1) for chunk in chunks if chunk != LOST]
    return f"chunk{'s' if len(said) > 1 else ''} {listed(said)}{', rest lost' if LOST in chunks else ''}"


def _lost(diff: PromptDiff, width: int) -> Iterator[Row]:
    """Whether words are lost now that were not, or no longer are."""
    before, after = (max(change.lost[n] for change in diff.encoders) for n in (0, 1))
    if before == after == 0:
        yield from wrap([Run("Nothing is lost in either.", "ok")], width)
    elif not after:
        yield from wrap([Run(f"Nothing is lost any more ({many(before, 'token')} before).", "ok")], width)
    else:
        yield from wrap([Run(f"{many(after, 'token')} never reach the model ({before:,} before).", "error")], width)
