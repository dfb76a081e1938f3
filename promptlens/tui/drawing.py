"""From the rows of runs that the project's pages are made of to what Textual draws. Text is never read as markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.strip import Strip

from promptlens.render._runs import Row, Run, cluster_start, visible_text, wrap
from promptlens.spans import cell_width, clusters
from promptlens.tui.palette import Palette


def text_of(rows: Iterable[Row], palette: Palette) -> Text:
    """Rows as one text of several lines, wrapped already."""
    text = Text(no_wrap=True, end="")
    for n, row in enumerate(rows):
        if n:
            text.append("\n")
        for run in row:
            text.append(run.text, palette.style(run.style))
    return text


def escaped(text: str) -> Any:
    """Text for a border, which would read markup."""
    return Text(text, end="")


def hint_line(said: str, y: int, width: int, palette: Palette, ground: Style) -> Strip:
    """Line `y` of a text that stands where a widget has nothing to show; its paragraphs are wrapped."""
    rows = [row for paragraph in said.split("\n") for row in wrap([Run(paragraph, "dim")], max(width - 2, 8), first=" ", indent=" ")]
    strip = Strip(segments_of(rows[y], palette)) if y < len(rows) else Strip([])
    return strip.adjust_cell_length(width, ground).apply_style(ground)


def segments_of(row: Sequence[Run], palette: Palette) -> list[Segment]:
    """One row as segments."""
    return [Segment(run.text, palette.style(run.style)) for run in row if run.text]


def fit(text: str, width: int, *, right: bool = False) -> str:
    """Text in exactly so many cells: what is too long ends in an ellipsis, between clusters; what cannot be printed is an escape.

    >>> fit("silver", 4), fit("7", 3, right=True)
    ('sil…', '  7')
    """
    text = visible_text(text)
    cells = cell_width(text)
    if cells > width:
        text, cells = _cut(text, width)
    blank = " " * (width - cells)
    return blank + text if right else text + blank


def _cut(text: str, width: int) -> tuple[str, int]:
    if width <= 0:
        return "", 0
    kept, cells = "", 0
    head = text[: cluster_start(text, 4 * width)]
    for span in clusters(head):
        wide = cell_width(span.of(head))
        if cells + wide > width - 1:
            break
        kept += span.of(head)
        cells += wide
    return f"{kept}…", cells + 1
