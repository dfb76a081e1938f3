"""The ranking as a table, with as many columns as a line has room for: figures are never cut short."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from promptlens.influences._notes import LABEL_CHARS, figure
from promptlens.influences._result import Influence
from promptlens.influences._steps import level
from promptlens.render._runs import Row, Run, visible_text, wrap
from promptlens.render._table import GAP, Column, Table, table_rows
from promptlens.spans import cell_width

SPLIT = ("own", "later", "end")
WORD_CELLS = 14


def ranking(found: Influence, top: int | None, width: int) -> Iterator[Row]:
    """The table, and a line that names what there was no room for."""
    order = found.ranking[:top]
    records = [{"rank": rank, **found.records()[n], "mark": level(found, n)} for rank, n in enumerate(order, start=1)]
    columns = list(_columns(found))
    left_out: list[str] = []
    for key in _expendable(found):
        if _cells(columns, records) <= width:
            break
        left_out += [c.title for c in columns if c.key == key and c.title]
        columns = [c for c in columns if c.key != key]
    yield from table_rows(Table(tuple(columns), records, style_of=_style), width)
    if left_out:
        yield from wrap([Run(f"No room for {', '.join(left_out)}: a wider terminal or --format csv has them.", "dim")], width)


def _columns(found: Influence) -> Iterator[Column]:
    signed = _sign if found.approximate else signed_figure
    yield Column("#", "rank", right=True)
    yield Column(found.unit, "text", label)
    yield Column("band", "band") if found.approximate else Column("score", "score", figure, right=True)
    if len(found.by_encoder) > 1 and not found.approximate:
        yield from (Column(name, name, figure, right=True) for name in found.by_encoder)
    yield Column("tokens", "tokens", right=True)
    if found.lens == "conditioning":
        yield from (Column(part, f"split_{part}", _share, right=True) for part in SPLIT)
    if found.toward is not None:
        yield Column("toward", "toward", signed, right=True)
    if found.against is not None:
        yield Column("against", "against", signed, right=True)
    yield Column("", "mark", lambda step: "█" * step if step else "·")


def _expendable(found: Influence) -> Sequence[str]:
    """Keys of the columns that go first where a line is too short."""
    return (*found.by_encoder, *(f"split_{part}" for part in SPLIT), "tokens", "mark", "against", "toward")


def _cells(columns: Sequence[Column], records: Sequence[Mapping[str, Any]]) -> int:
    """How wide the table is; a word may be shortened to `WORD_CELLS`."""
    widths = [max([len(c.title), *(cell_width(visible_text(c.show(r[c.key]))) for r in records)]) for c in columns]
    return sum(min(w, WORD_CELLS) if c.key == "text" else w for w, c in zip(widths, columns, strict=True)) + GAP * (len(columns) - 1)


def _style(record: Mapping[str, Any]) -> str:
    return f"heat-{record['mark']}" if record["mark"] else "dim"


def label(text: str) -> str:
    return visible_text(text[: 4 * LABEL_CHARS])


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"


def signed_figure(value: float | None) -> str:
    return "-" if value is None else f"{value:+.4f}"


def _sign(value: float | None) -> str:
    return "-" if not value else "+" if value > 0 else "−"
