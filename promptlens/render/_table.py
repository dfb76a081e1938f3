"""Tables: the tokens of a prompt, the hosts, the models; as text, JSON, a JSON object a line, or CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from promptlens.render._runs import Row, Run, visible_text, wrap
from promptlens.spans import cell_width, clusters
from promptlens.terminal import Screen

TableFormat = Literal["full", "json", "jsonl", "csv"]

GAP = 2  # cells between columns
CAP = 28  # cells of a column, but for the last


@dataclass(frozen=True, slots=True)
class Column:
    """A column of text: its heading, the key of its value in a record, and how the value is shown."""

    title: str
    key: str
    show: Callable[[Any], str] = str
    right: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Records with all their values, and the columns that are shown of them; `style_of` names the style of a record's row."""

    columns: tuple[Column, ...]
    records: Sequence[Mapping[str, Any]]
    caption: tuple[Row, ...] = ()
    style_of: Callable[[Mapping[str, Any]], str] = lambda record: ""


def all_rows(tables: Iterable[Table], width: int) -> Iterator[Row]:
    """Tables one below the other."""
    for number, table in enumerate(tables):
        if number:
            yield []
        yield from table_rows(table, width)


def table_rows(table: Table, width: int) -> Iterator[Row]:
    """The table as rows of at most `width` cells: columns as wide as they need to be, the last one wrapped."""
    for row in table.caption:
        yield from wrap(row, width, indent="  ")
    if not table.columns:
        return
    shown = [[visible_text(column.show(record[column.key])) for column in table.columns] for record in table.records]
    widths = _widths(table, shown, width)
    yield from _table_row([c.title for c in table.columns], table, widths, width, "dim")
    for record, cells in zip(table.records, shown, strict=True):
        yield from _table_row(cells, table, widths, width, table.style_of(record))


def _widths(table: Table, shown: Sequence[Sequence[str]], width: int) -> list[int]:
    """Cells of each column but the last; the widest gives way where the line is too short."""
    widths = [
        min(max([cell_width(column.title), *(cell_width(cells[n]) for cells in shown)]), CAP) for n, column in enumerate(table.columns[:-1])
    ]
    last = max([cell_width(table.columns[-1].title), *(cell_width(cells[-1]) for cells in shown)])
    room = width - min(last, 20) - GAP * len(widths)
    while sum(widths) > room and max(widths) > 4:
        widths[widths.index(max(widths))] -= 1
    return widths


def _table_row(cells: Sequence[str], table: Table, widths: Sequence[int], width: int, style: str) -> Iterator[Row]:
    row: Row = []
    for cell, column, room in zip(cells, table.columns, widths, strict=False):
        text = shortened(cell, room)
        blank = " " * (room - cell_width(text))
        before, after = (blank, "") if column.right else ("", blank)
        row += [Run(before), Run(text, style), Run(after + " " * GAP)]
    at = sum(widths) + GAP * len(widths)
    first, *rest = wrap([Run(cells[-1], style)], max(width - at, 1))
    yield [*row, *first]
    yield from ([Run(" " * at), *more] for more in rest)


def shortened(text: str, cells: int) -> str:
    """A text that fits, with a sign where its end was left out."""
    if cell_width(text) <= cells:
        return text
    kept, used = "", 0
    for span in clusters(text):
        used += cell_width(span.of(text))
        if used > cells - 1:
            break
        kept += span.of(text)
    return f"{kept}…"


def written(records: Sequence[Mapping[str, Any]], output_format: TableFormat, screen: Screen) -> Iterator[str]:
    """Records in a format for programs, every value of them."""
    from promptlens.render._json import dumped

    if output_format == "json":
        yield dumped(records, screen, indent=2) + "\n"
    elif output_format == "jsonl":
        yield from (dumped(record, screen) + "\n" for record in records)
    else:
        yield from _csv(records)


def _cell(value: Any) -> Any:
    """A value of a CSV table: lists by their items, text as it may be printed."""
    if isinstance(value, (list, tuple)):
        return " ".join(map(str, value))
    return visible_text(value) if isinstance(value, str) else value


def _csv(records: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    import csv
    import io

    buffer = io.StringIO()
    writer: csv.DictWriter[str] | None = None
    for record in records:
        if writer is None:
            writer = csv.DictWriter(buffer, list(record), lineterminator="\n")
            writer.writeheader()
        writer.writerow({key: _cell(value) for key, value in record.items()})
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
