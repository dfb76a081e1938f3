"""What the Compare pane says of two reports of one model: counts of A and B, and a row for each phrase that is another. No widgets.

A phrase that stands somewhere else among the others is "moved"; one that is where it was may be in another chunk, or weigh otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from promptlens.comparing import LOST, EncoderChange, Phrase, PromptDiff
from promptlens.render._runs import Row, Run, visible_text, wrap
from promptlens.render._words import listed, options_in_words
from promptlens.report import Report
from promptlens.spans import Span
from promptlens.tui.listing import Column, Entry, Made

COLUMNS = (Column("", 1), Column("phrase", 0), Column("what", 12), Column("chunk A → B", 13), Column("tokens", 7), Column("weight", 10))

WIDE = 100  # cells from which on steps are written out

_SIGNS = {"added": ("+", "ok"), "removed": ("-", "lost-words"), "moved": ("↕", "info"), "chunk": ("~", "info"), "weight": ("~", "warning")}


class Changed(NamedTuple):
    """A phrase of A, of B, or of both, and what became of it: "added", "removed", "moved", "chunk", "weight"."""

    before: Phrase | None
    after: Phrase | None
    what: tuple[str, ...]

    @property
    def span(self) -> Span | None:
        """Its place in B; None where it is not in B."""
        return self.after.span if self.after is not None else None


def changed_phrases(diff: PromptDiff) -> list[Changed]:
    """The phrases that differ, in the order of B; what went stands where it was."""
    gone: dict[str, list[Phrase]] = {}
    for change in diff.changes:
        if change.kind == "removed" and change.before is not None:
            gone.setdefault(change.before.key, []).append(change.before)
    moved: dict[int, Phrase] = {}
    for number, change in enumerate(diff.changes):
        if change.kind == "added" and change.after is not None and gone.get(change.after.key):
            moved[number] = gone[change.after.key].pop(0)
    left = {id(phrase) for phrases in gone.values() for phrase in phrases}
    found = []
    for number, change in enumerate(diff.changes):
        if change.kind == "removed":
            if id(change.before) in left:
                found.append(Changed(change.before, None, ("removed",)))
        elif number in moved:
            found.append(_of_both(moved[number], change.after, ("moved",)))
        elif change.before is None:
            found.append(Changed(None, change.after, ("added",)))
        else:
            found.append(_of_both(change.before, change.after, ()))
    return found


def _of_both(before: Phrase, after: Phrase | None, what: tuple[str, ...]) -> Changed:
    assert after is not None
    if before.chunks != after.chunks:
        what = (*what, "chunk")
    if before.weight != after.weight:
        what = (*what, "weight")
    return Changed(before, after, what)


def change_entries(changed: Sequence[Changed]) -> Made:
    """A row for each phrase."""

    def entry(n: int) -> Entry:
        one = changed[n]
        sign, style = _SIGNS[one.what[0]]
        phrase = one.after or one.before
        assert phrase is not None
        number = _encoder_of(one)
        cells = (
            Run(sign, style),
            Run(" ".join(phrase.text.split()), style if one.what[0] in ("added", "removed") else ""),
            Run(", ".join(one.what), style),
            Run(_pair(*(chunks_in_words(p.chunks[number]) if p else None for p in one[:2]))),
            Run(_pair(*(str(max(p.tokens, default=0)) if p else None for p in one[:2])), "dim"),
            Run(_pair(*(f"{p.weight:.3g}" if p else None for p in one[:2])), "title" if "weight" in one.what else "dim"),
        )
        return Entry(cells, one)

    return Made(len(changed), entry)


def _encoder_of(one: Changed) -> int:
    """Number of the first encoder for which the phrase is in another chunk, else of the first that reads it."""
    if one.before and one.after:
        differing = [n for n, (a, b) in enumerate(zip(one.before.chunks, one.after.chunks, strict=True)) if a != b]
        if differing:
            return differing[0]
    phrase = one.after or one.before
    assert phrase is not None
    return next((n for n, chunks in enumerate(phrase.chunks) if chunks), 0)


def _pair(before: str | None, after: str | None) -> str:
    """`1 → 2`; one of them where the other is the same or is not there."""
    if before is None or after is None or before == after:
        return (after if before is None else before) or ""
    return f"{before} → {after}"


def chunks_in_words(chunks: tuple[int, ...]) -> str:
    """`1`, `1+2` where a boundary cuts the phrase, `2+lost`, or `none` where it costs no token."""
    return "+".join("lost" if chunk == LOST else str(chunk + 1) for chunk in chunks) or "none"


def head_rows(diff: PromptDiff, width: int) -> list[Row]:
    """What A and B are, in what they differ, and the counts of each encoder."""
    before, after = (report.usage for report in diff.reports)
    rows = wrap(
        [
            Run("A ", "title"),
            Run(_setting(diff.before, diff.after), "dim"),
            Run("  B ", "title"),
            Run(_setting(diff.after, diff.before), "dim"),
            Run(f"  {how_they_differ(diff)}", "info"),
        ],
        width,
    )
    for name, usage in (("A", before), ("B", after)):
        if usage.failure is not None:
            words = f"{name}: {usage.host.title} fails on it ({usage.failure.name}): {visible_text(usage.failure.message)}"
            rows += wrap([Run(words, "error")], width)
    unknown = {use.encoder.name for use in after.encoders if use.unknown}
    for names, change in _counted([change for change in diff.encoders if change.encoder not in unknown]):
        rows += wrap([Run(f"{names}  ", "title"), *_numbers(change, steps=width >= WIDE)], width, indent="  ")
    if unknown:
        rows += wrap([Run(f"{listed([name.upper() for name in unknown])} not counted: its vocabulary is not here", "dim")], width)
    return rows


def _setting(report: Report, other: Report) -> str:
    """The host, with its options where those are what differs."""
    usage, options = report.usage, options_in_words(report.usage)
    differs = usage.host == other.usage.host and options != options_in_words(other.usage)
    return f"{usage.host.title} ({options or 'usual settings'})" if differs else usage.host.title


def how_they_differ(diff: PromptDiff) -> str:
    """In a few words: `differ by the text and the host`."""
    before, after = (report.usage for report in diff.reports)
    ways = [
        name
        for name, differs in (
            ("the text", before.prompt != after.prompt),
            ("the host", before.host != after.host),
            ("settings", before.host == after.host and before.options != after.options),
        )
        if differs
    ]
    if not ways:
        return "the same, still"
    return f"differ by {listed(ways)}{', yet the encoders get the very same' if diff.same else ''}"


def _counted(changes: Sequence[EncoderChange]) -> Iterator[tuple[str, EncoderChange]]:
    """Encoders with the same numbers together."""
    groups: dict[EncoderChange, list[str]] = {}
    for change in changes:
        groups.setdefault(change._replace(encoder=""), []).append(change.encoder.upper())
    for change, names in groups.items():
        yield " = ".join(names), change


def _numbers(change: EncoderChange, *, steps: bool) -> Iterator[Run]:
    """`used 75 → 77 (+2)` and the others; `steps`: with what is in brackets."""
    for noun in ("used", "free", "lost", "chunks"):
        before, after = getattr(change, noun)
        style = "dim" if before == after else "title"
        if noun == "lost" and before != after:
            style = "lost-mark" if after > before else "ok"
        now = f" → {after:,}" if before != after else ""
        step = f" ({after - before:+,})" if now and steps else ""
        yield Run(f"{noun} {before:,}{now}{step}   ", style)


def detail_rows(one: Changed, diff: PromptDiff, swap_key: str, width: int) -> list[Row]:
    """All that is said of one phrase: the whole of it, the chunks for each encoder where they differ, and the key that brings A back."""
    phrase = one.after or one.before
    assert phrase is not None
    rows = wrap([Run(visible_text(" ".join(phrase.text.split())))], width)[:2]
    said = []
    for number, use in enumerate(diff.after.usage.encoders):
        if use.unknown:
            continue
        places = _pair(*(chunks_in_words(p.chunks[number]) if p else None for p in one[:2]))
        counts = _pair(*(str(p.tokens[number]) if p else None for p in one[:2]))
        said.append(f"{use.encoder.name.upper()}: chunk {places}, {counts} {'token' if counts == '1' else 'tokens'}")
    if one.after is None:
        said.append(f"not in B: {swap_key} puts A back into the editor")
    rows += wrap([Run(" · ".join(said), "dim")], width)
    return rows
