"""What the Hosts pane says of one prompt in every host: a row for each host and split, and where its cuts fall. No widgets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from promptlens.comparing import LOST, Boundary, HostView, boundaries, same_cuts
from promptlens.hosts import HOSTS, EncoderUse
from promptlens.models import Model
from promptlens.render._page import same_splits
from promptlens.render._runs import Row, Run, cluster_start, quoted, visible_text, wrap
from promptlens.render._words import chunk_sizes, encoder_name, listed, many
from promptlens.report import Usage
from promptlens.spans import Span
from promptlens.tui.coloring import HUES
from promptlens.tui.drawing import fit
from promptlens.tui.listing import Column, Entry

COLUMNS = (
    Column("", 1),
    Column("host", 16),
    Column("tokens", 6, right=True),
    Column("chunks", 11),
    Column("lost", 4, right=True),
    Column("way", 3, right=True),
    Column("where it cuts", 0),
)
WIDE = 90  # cells from which on a model is called by its whole name
LISTED_CHUNKS = 3
LISTED_CUTS = 8
SHOWN_CHARS = 14  # of the words behind a cut, in the table
AROUND_CHARS = 24  # on either side of a cut, below the table

_WORDS = re.compile(r"[^\s,]+(?: [^\s,]+)?")


@dataclass(frozen=True, slots=True)
class HostRow:
    """One host, and those of its encoders that get the same; none where it refuses. `way` counts the ways of cutting, 0: none."""

    view: HostView
    uses: tuple[EncoderUse, ...]
    cuts: tuple[Boundary, ...]
    way: int
    first: bool

    @property
    def usage(self) -> Usage | None:
        return self.view.report.usage if self.view.report is not None else None

    @property
    def spans(self) -> tuple[Span, ...]:
        """The words at which its chunks begin."""
        prompt = self.usage.prompt if self.usage is not None else ""
        return tuple(_words_at(prompt, cut.at) for cut in self.cuts)


def host_rows(views: Sequence[HostView]) -> tuple[HostRow, ...]:
    """A row for each host, or for each split where its encoders are cut otherwise; hosts that do not take the model come last."""
    ways = {view.host: n for n, group in enumerate(same_cuts(views), start=1) for view in group}
    rows: list[HostRow] = []
    for view in sorted(views, key=lambda v: v.report is None):
        if view.report is None or view.report.usage.failure is not None:
            rows.append(HostRow(view, (), (), 0, True))
            continue
        usage = view.report.usage
        for n, group in enumerate(same_splits(usage.encoders)):
            rows.append(HostRow(view, tuple(group), boundaries(usage, group[0]), ways[view.host], not n))
    return tuple(rows)


def host_entries(rows: Sequence[HostRow], current: str) -> list[Entry]:
    """The table; the host in use is marked."""
    return [_entry(row, current) for row in rows]


def _entry(row: HostRow, current: str) -> Entry:
    here = row.view.host == current
    mark = Run("●" if here and row.first else "", "ok")
    name = HOSTS[row.view.host].title if row.first else f"  {listed([encoder_name(use) for use in row.uses])}"
    title = Run(name, "title" if here and row.first else "" if row.uses else "dim")
    if not row.uses:
        said, style = _why_not(row.view)
        return Entry((mark, title, Run("-", "dim"), Run("-", "dim"), Run("-", "dim"), Run("", "dim"), Run(said, style)), row)
    use = row.uses[0]
    if use.unknown:
        return Entry((mark, title, Run("?", "dim"), Run("not counted", "dim"), Run("?", "dim"), Run(str(row.way), "dim"), Run("")), row)
    lost = use.lost_count
    cells = (
        Run(f"{use.used + lost:,}"),
        Run(chunk_sizes(use, LISTED_CHUNKS)),
        Run(f"{lost:,}", "lost-mark" if lost else "dim"),
        Run(str(row.way), "dim"),
        Run(cuts_in_words(row), "lost-words" if lost else ""),
    )
    return Entry((mark, title, *cells), row)


def _why_not(view: HostView) -> tuple[str, str]:
    """Why a host has no numbers, and the style to say it in."""
    failure = view.report.usage.failure if view.report is not None else None
    return (f"fails on this prompt: {failure.name}", "error") if failure else ("does not take this model", "dim")


def cuts_in_words(row: HostRow) -> str:
    """The words at which chunks begin: `2┃volumetric lighting  3┃seagulls`."""
    if not row.cuts:
        return "nowhere: all of it is one chunk" if row.uses[0].used else "no words"
    assert row.usage is not None
    shown = [f"{_label(c)}┃{fit(s.of(row.usage.prompt), SHOWN_CHARS).rstrip()}" for c, s in zip(row.cuts, row.spans, strict=True)]
    return "  ".join(shown[:LISTED_CUTS])


def _label(cut: Boundary) -> str:
    return "lost" if cut.chunk == LOST else str(cut.chunk + 1)


def _words_at(prompt: str, at: int) -> Span:
    """The first words behind a cut."""
    found = _WORDS.search(prompt, at)
    return Span(at, max(found.end() if found else at, min(at + 1, len(prompt))))


def head_row(rows: Sequence[HostRow], model: Model, width: int) -> list[Row]:
    """`SDXL in 11 hosts: 4 ways of cutting this prompt; 2 hosts lose words.`"""
    taking = [row for row in rows if row.view.report is not None and row.first]
    ways = len({row.way for row in rows if row.way})
    losing = len({row.view.host for row in rows if row.uses and row.uses[0].lost_count})
    failing = len([row for row in taking if not row.uses])
    said = [f"{many(ways, 'way')} of cutting this prompt" if ways > 1 else "all cut this prompt alike"]
    said.append(f"{many(losing, 'host')} lose{'s' if losing == 1 else ''} words" if losing else "none loses words")
    if failing:
        said.append(f"{many(failing, 'host')} fail{'s' if failing == 1 else ''} on it")
    name = model.title if width >= WIDE else model.name.upper()
    return wrap([Run(f"{name} in {many(len(taking), 'host')}: ", "title"), Run("; ".join(said), "dim")], width)


def detail_rows(row: HostRow, rows: Sequence[HostRow], width: int) -> list[Row]:
    """All that is said of one host: who cuts alike, and the words around each cut."""
    host = HOSTS[row.view.host]
    if row.usage is None:
        return wrap([Run(visible_text(row.view.refusal), "dim")], width)
    if row.usage.failure is not None:
        failure = row.usage.failure
        return wrap([Run(f"{host.title} fails on this prompt ({failure.name}): {visible_text(failure.message)}", "error")], width)
    alike = [HOSTS[r.view.host].title for r in rows if r.way == row.way and r.first and r.view.host != host.name]
    said = f"cuts it as {listed(alike)}" if alike else "cuts it as no other host"
    unseen = "" if host.observed else " · rules read in code and documents, not observed"
    found = wrap([Run(f"{host.title} ", "title"), Run(f"{said}{unseen}", "dim")], width)
    if row.uses[0].unknown:
        return found + wrap([Run(visible_text(row.uses[0].unknown), "dim")], width)
    runs: list[Run] = []
    for cut in row.cuts[:LISTED_CUTS]:
        runs += [*_around(row.usage.prompt, cut), Run("   ")]
    left = len(row.cuts) - LISTED_CUTS
    return found + (wrap([*runs, Run(f"and {left} more" if left > 0 else "", "dim")], width) if runs else [])


def _around(prompt: str, cut: Boundary) -> list[Run]:
    """`…golden hour, ┃2┃ volumetric lighting…`."""
    start, end = (cluster_start(prompt, min(max(at, 0), len(prompt))) for at in (cut.at - AROUND_CHARS, cut.at + AROUND_CHARS))
    before, after = (quoted(text)[1:-1] for text in (prompt[start : cut.at], prompt[cut.at : end]))
    hue = "lost-mark" if cut.chunk == LOST else f"mark{cut.chunk % HUES}"
    after_style = "lost-words" if cut.chunk == LOST else ""
    return [
        Run(f"{'…' if start else ''}{before}", "dim"),
        Run(f"┃{_label(cut)}┃", hue),
        Run(f"{after}{'…' if end < len(prompt) else ''}", after_style),
    ]
