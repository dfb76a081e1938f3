"""A table of which only the rows in view are drawn, so that a thousand tokens cost as much as ten.

`/` filters it, `y` copies the row and `Y` all of them, Enter chooses. What it shows is given as `Entry`s; what is empty says what to press,
in a hint that names keys by their bindings (key_names.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, overload

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.strip import Strip

from promptlens.render._runs import Row, Run, visible_text
from promptlens.spans import cell_width
from promptlens.tui.drawing import fit, hint_line, segments_of
from promptlens.tui.key_names import with_keys
from promptlens.tui.palette import Palette


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its title and its width in cells; 0: whatever is left, for one of them."""

    title: str
    width: int
    right: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """A row: its cells, and what it stands for (a span, a finding, a host)."""

    cells: tuple[Run, ...]
    value: Any = field(default=None, compare=False)

    @property
    def text(self) -> str:
        return "\t".join(visible_text(run.text) for run in self.cells)


class Made(Sequence[Entry]):
    """Entries that are made when they are looked at."""

    def __init__(self, count: int, make: Callable[[int], Entry]) -> None:
        self._count = count
        self._make = make

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, at: int) -> Entry: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Entry]: ...
    def __getitem__(self, at: int | slice) -> Entry | Sequence[Entry]:
        numbers = range(self._count)[at]
        return self._make(numbers) if isinstance(numbers, int) else [self._make(n) for n in numbers]


class Listing(ScrollView, can_focus=True):
    """The table. `columns` and `entries` are set together by `show`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="table.up"),
        Binding("down,j", "move(1)", "Down", show=False, id="table.down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="table.page_up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="table.page_down"),
        Binding("home", "move(-1000000)", "First", show=False, id="table.first"),
        Binding("end", "move(1000000)", "Last", show=False, id="table.last"),
        Binding("enter", "choose", "Select", id="table.choose"),
        Binding("slash", "filter", "Filter", key_display="/", id="table.filter"),
        Binding("y", "copy", "Copy", id="table.copy"),
        Binding("Y", "copy_all", "Copy all", show=False, id="table.copy_all"),
    ]

    cursor: var[int] = var(0)

    class Chosen(Message):
        """Enter or a click on an entry."""

        def __init__(self, listing: Listing, entry: Entry) -> None:
            super().__init__()
            self.listing = listing
            self.entry = entry

        @property
        def control(self) -> Listing:
            return self.listing

    class Highlighted(Message):
        """The cursor is on another entry, or on none."""

        def __init__(self, listing: Listing, entry: Entry | None) -> None:
            super().__init__()
            self.listing = listing
            self.entry = entry

        @property
        def control(self) -> Listing:
            return self.listing

    def __init__(self, palette: Palette, columns: Sequence[Column], hint: str, **options: Any) -> None:
        super().__init__(**options)
        self.palette = palette
        self.columns = tuple(columns)
        self.hint = hint
        self._all: Sequence[Entry] = ()
        self.entries: Sequence[Entry] = ()
        self._filter = ""
        self._filtering = False
        self._note = ""

    # --- what it shows

    def show(self, entries: Sequence[Entry], *, columns: Sequence[Column] | None = None, hint: str | None = None) -> None:
        """Show other entries; the cursor stays at its number."""
        self._all = entries
        self.columns = tuple(columns) if columns is not None else self.columns
        self.hint = self.hint if hint is None else hint
        self._refilter()

    def say(self, note: str) -> None:
        """A word at the right end of the header: `reading…`."""
        if note != self._note:
            self._note = note
            self.refresh()

    def use_palette(self, palette: Palette) -> None:
        self.palette = palette
        self.refresh()

    @property
    def entry(self) -> Entry | None:
        """The entry under the cursor."""
        return self.entries[self.cursor] if 0 <= self.cursor < len(self.entries) else None

    def _refilter(self) -> None:
        wanted = self._filter.casefold()
        self.entries = [e for e in self._all if wanted in e.text.casefold()] if wanted else self._all
        self.virtual_size = Size(self.size.width, len(self.entries) + 1)
        at = min(self.cursor, max(len(self.entries) - 1, 0))
        if at == self.cursor:
            self.post_message(self.Highlighted(self, self.entry))
        self.cursor = at
        self.refresh()

    def watch_cursor(self) -> None:
        self.scroll_to_region(Region(0, self.cursor + 1, 1, 1), animate=False, force=True, immediate=True)
        if self.cursor == 0:
            self.scroll_to(y=0, animate=False, immediate=True)
        self.post_message(self.Highlighted(self, self.entry))
        self.refresh()

    def on_focus(self) -> None:
        """Who comes in finds what is under the cursor lit."""
        self.post_message(self.Highlighted(self, self.entry))

    # --- keys and mouse

    def action_move(self, by: int) -> None:
        self.cursor = min(max(self.cursor + by, 0), max(len(self.entries) - 1, 0))

    def action_page(self, direction: int) -> None:
        self.action_move(direction * max(self.scrollable_content_region.height - 2, 1))

    def action_choose(self) -> None:
        if self.entry is not None:
            self.post_message(self.Chosen(self, self.entry))

    def action_copy(self) -> None:
        if self.entry is not None:
            self.app.copy_to_clipboard(self.entry.text)
            self.notify("Row copied.", markup=False)

    def action_copy_all(self) -> None:
        header = "\t".join(c.title for c in self.columns)
        self.app.copy_to_clipboard("\n".join([header, *(e.text for e in self.entries)]))
        self.notify(f"{len(self.entries)} rows copied.", markup=False)

    def action_filter(self) -> None:
        self._filtering = True
        self._refilter()

    def on_key(self, event: events.Key) -> None:
        """While the filter is being typed, keys are its letters; Escape takes it away."""
        if event.key == "escape" and (self._filtering or self._filter):
            self._filter, self._filtering = "", False
        elif not self._filtering:
            return
        elif event.key == "enter":
            self._filtering = False
        elif event.key == "backspace":
            self._filter = self._filter[:-1]
        elif event.is_printable and event.character:
            self._filter += event.character
        else:
            return
        event.stop()
        event.prevent_default()
        self._refilter()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While the filter is being typed its letters are no commands."""
        return not (
            self._filtering and action in ("move", "copy", "copy_all", "filter", "choose") and parameters not in ((-1000000,), (1000000,))
        )

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        number = offset.y + self.scroll_offset.y - 1
        if offset.y > 0 and 0 <= number < len(self.entries):
            again = number == self.cursor
            self.cursor = number
            if again or event.chain > 1:
                self.action_choose()

    # --- drawing

    def on_resize(self) -> None:
        self.virtual_size = Size(self.size.width, len(self.entries) + 1)

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        ground = self.rich_style
        if not self.entries and not (y == 0 and self._all):
            return self._hint_line(y - bool(self._all), width, ground)
        if y == 0:
            return Strip(segments_of(self._header(width), self.palette)).adjust_cell_length(width, ground).apply_style(ground)
        number = y + self.scroll_offset.y - 1
        if number >= len(self.entries):
            return Strip.blank(width, ground)
        strip = Strip(segments_of(self._cells(self.entries[number].cells, width), self.palette)).adjust_cell_length(width)
        if number == self.cursor:
            focused, over = self.has_focus, self.palette.cursor_row
            return Strip([s._replace(style=over(s.style, focused)) for s in strip], strip.cell_length)
        return strip.apply_style(ground)

    def _header(self, width: int) -> Row:
        """The titles; the filter, or a note, lies over their right end."""
        note = self._note
        if self._filter or self._filtering:
            note = f"/{visible_text(self._filter)}{'▏' if self._filtering else ''}  {len(self.entries)} of {len(self._all)}"
        shown = fit(note, min(cell_width(note), width)) if note else ""
        titles = self._cells([Run(c.title, "header") for c in self.columns], width)
        if not shown:
            return titles
        left = fit("".join(run.text for run in titles), max(width - cell_width(shown) - 1, 0))
        return [Run(left, "header"), Run(" "), Run(shown, "info")]

    def _cells(self, cells: Sequence[Run], width: int) -> Row:
        fixed = sum(c.width + 1 for c in self.columns if c.width)
        row: Row = []
        for column, run in zip(self.columns, cells, strict=False):
            wide = column.width or max(width - fixed, 4)
            row.append(Run(fit(run.text, wide, right=column.right), run.style))
            row.append(Run(" "))
        return row

    def _hint_line(self, y: int, width: int, ground: Style) -> Strip:
        said = "Nothing matches the filter. Escape takes it away." if self._all else with_keys(self, self.hint)
        return hint_line(said, y, width, self.palette, ground)
