"""A table of values between things: only the rows and columns in view are drawn, each value printed on its step of the heat ramp.

The arrows move the cell under the cursor; the first column compares with the whole prompt. It leaves out what the values mean.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.strip import Strip

from promptlens.render._runs import Row, Run
from promptlens.tui.drawing import fit, hint_line, segments_of
from promptlens.tui.key_names import with_keys
from promptlens.tui.palette import Palette

CELL = 6
LEAST_LABEL, MOST_LABEL = 12, 28


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell shows: a few characters, and its step on the ramp; 0: none."""

    text: str
    step: int = 0


@dataclass(frozen=True, slots=True)
class Values:
    """Labels of the rows, titles of the columns, and what gives a cell by its row and column."""

    labels: Sequence[str]
    columns: Sequence[str]
    cell: Callable[[int, int], Cell]

    def lines(self) -> list[str]:
        """All of it as lines of tab-separated text."""
        head = "\t".join(["", *self.columns])
        rows = range(len(self.labels))
        return [head, *("\t".join([self.labels[r], *(self.cell(r, c).text for c in range(len(self.columns)))]) for r in rows)]


NOTHING = Values((), (), lambda row, column: Cell(""))


class Matrix(ScrollView, can_focus=True):
    """The table. A cell is at (column, row)."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(0, -1)", "Up", show=False, id="matrix.up"),
        Binding("down,j", "move(0, 1)", "Down", show=False, id="matrix.down"),
        Binding("left,h", "move(-1, 0)", "Left", show=False, id="matrix.left"),
        Binding("right", "move(1, 0)", "Right", show=False, id="matrix.right"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="matrix.page_up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="matrix.page_down"),
        Binding("home", "move(-1000000, 0)", "First", show=False, id="matrix.first"),
        Binding("end", "move(1000000, 0)", "Last", show=False, id="matrix.last"),
        Binding("enter", "choose", "Select", id="matrix.choose"),
        Binding("y", "copy", "Copy table", id="matrix.copy"),
    ]

    cursor: var[tuple[int, int]] = var((0, 0))

    class Moved(Message):
        """The cursor is on another cell, or the matrix shows something else."""

        def __init__(self, matrix: Matrix) -> None:
            super().__init__()
            self.matrix = matrix

    class Chosen(Message):
        """Enter, or a click on the cell under the cursor."""

        def __init__(self, matrix: Matrix) -> None:
            super().__init__()
            self.matrix = matrix

    def __init__(self, palette: Palette, hint: str, **options: Any) -> None:
        super().__init__(**options)
        self.palette = palette
        self.hint = hint
        self.values = NOTHING

    def show(self, values: Values, *, hint: str = "") -> None:
        """Show other values; the cursor stays where it is, as far as there is such a cell."""
        self.values, self.hint = values, hint
        self._measure()
        self.cursor = self._inside(*self.cursor)
        self.post_message(self.Moved(self))
        self.refresh()

    def use_palette(self, palette: Palette) -> None:
        self.palette = palette
        self.refresh()

    def on_resize(self) -> None:
        self._measure()

    def _measure(self) -> None:
        self.virtual_size = Size(self._label_width + CELL * len(self.values.columns), len(self.values.labels) + 1)

    @property
    def _label_width(self) -> int:
        return min(max(self.size.width // 3, LEAST_LABEL), MOST_LABEL)

    def _inside(self, column: int, row: int) -> tuple[int, int]:
        columns, rows = len(self.values.columns), len(self.values.labels)
        return min(max(column, 0), max(columns - 1, 0)), min(max(row, 0), max(rows - 1, 0))

    # --- keys and mouse

    def watch_cursor(self) -> None:
        column, row = self.cursor
        # the labels and titles lie over the first cells: what is behind them does not count as in view
        wide = self._label_width
        self.scroll_to_region(Region(column * CELL, row, wide + CELL, 2), animate=False, force=True, immediate=True)
        self.post_message(self.Moved(self))
        self.refresh()

    def action_move(self, columns: int, rows: int) -> None:
        column, row = self.cursor
        self.cursor = self._inside(column + columns, row + rows)

    def action_page(self, direction: int) -> None:
        self.action_move(0, direction * max(self.scrollable_content_region.height - 2, 1))

    def action_choose(self) -> None:
        if self.values.labels:
            self.post_message(self.Chosen(self))

    def action_copy(self) -> None:
        self.app.copy_to_clipboard("\n".join(self.values.lines()))
        self.notify(f"Table of {len(self.values.labels)} rows copied.", markup=False)

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None or offset.y == 0 or offset.x < self._label_width:
            return
        at = ((offset.x - self._label_width + self.scroll_offset.x) // CELL, offset.y - 1 + self.scroll_offset.y)
        if at == self._inside(*at):
            again = at == self.cursor
            self.cursor = at
            if again or event.chain > 1:
                self.action_choose()

    # --- drawing

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        ground = self.rich_style
        if not self.values.labels:
            return hint_line(with_keys(self, self.hint), y, width, self.palette, ground)
        row = y - 1 + self.scroll_offset.y
        if row >= len(self.values.labels):
            return Strip.blank(width, ground)
        label = self._label(row) if y else Run(" " * self._label_width)
        cells = self._cells(row) if y else self._titles()
        first, end = self.scroll_offset.x, self.scroll_offset.x + width - self._label_width
        whole = range(-(-first // CELL), end // CELL)  # a figure that is cut would be another figure
        cells = [cell if n in whole else Run(" " * CELL) for n, cell in enumerate(cells)]
        scrolled = Strip(segments_of(cells, self.palette)).crop(first, end)
        strip = Strip.join([Strip(segments_of([label], self.palette)), self._with_cursor(scrolled, row) if y else scrolled])
        return strip.adjust_cell_length(width, ground).apply_style(ground)

    def _label(self, row: int) -> Run:
        here = row == self.cursor[1]
        return Run(fit(f"{row + 1:>3} {self.values.labels[row]}", self._label_width - 1) + " ", "title" if here else "")

    def _titles(self) -> Row:
        here = self.cursor[0]
        return [
            Run(fit(title, CELL - 1, right=True) + " ", "title" if n == here else "header") for n, title in enumerate(self.values.columns)
        ]

    def _cells(self, row: int) -> Row:
        found = []
        for column in range(len(self.values.columns)):
            cell = self.values.cell(row, column)
            found.append(Run(fit(cell.text, CELL - 1, right=True) + " ", f"heat{cell.step}" if cell.step else "dim"))
        return found

    def _with_cursor(self, strip: Strip, row: int) -> Strip:
        if row != self.cursor[1]:
            return strip
        start = self.cursor[0] * CELL - self.scroll_offset.x
        length = strip.cell_length
        low, high = min(max(start, 0), length), min(max(start + CELL, 0), length)
        over = Style(reverse=True, bold=True) if self.has_focus else Style(underline=True, bold=True)
        before, inside, after = (strip.crop(a, b) for a, b in ((0, low), (low, high), (high, length)))
        lit = Strip([s._replace(style=(s.style or Style()) + over) for s in inside], inside.cell_length)
        return Strip.join([before, lit, after])
