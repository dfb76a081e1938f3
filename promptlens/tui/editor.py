"""The prompt editor: a TextArea that analyses its text on each change and draws it in the colours of the report.

The rows on screen are drawn here, from styles by character (coloring.py): a prompt is mostly one very long line, and TextArea would style
all of it anew for each of its rows. Cursor, deletion and selection go by grapheme clusters, and characters that must not reach a terminal
are held as stand-ins (standins.py): `prompt` is the text without them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.document._document import EditResult, Location, Selection
from textual.document._edit import Edit
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widgets import TextArea

from promptlens.report import Report
from promptlens.spans import Span, cell_width
from promptlens.tui.coloring import NOTHING, Coloring, cluster_edges, coloring, runs, token_words
from promptlens.tui.drawing import escaped
from promptlens.tui.palette import Palette
from promptlens.tui.standins import is_standin, sign, to_document, to_prompt, typed

Analysis = Callable[[str], Report]
MAX_UNDO = 500


class PromptEditor(TextArea):
    """An editor of one prompt. `analysis` makes its reports; each one is announced by `Analysed`."""

    class Analysed(Message):
        """The text was read anew."""

        def __init__(self, editor: PromptEditor, report: Report) -> None:
            super().__init__()
            self.editor = editor
            self.report = report

        @property
        def control(self) -> PromptEditor:
            return self.editor

    def __init__(self, analysis: Analysis, palette: Palette, text: str = "", **options: Any) -> None:
        self._edges: dict[int, Span] = {}
        self._rows: list[tuple[int, int, int]] = []
        self._starts: list[int] = [0]
        self._drawn: dict[tuple[int, int], list[Segment]] = {}
        self._lit: tuple[Span, ...] = ()
        self._said = ""
        self.coloring: Coloring = NOTHING
        self.report: Report | None = None
        self.analysis = analysis
        self.palette = palette
        super().__init__(to_document(text), soft_wrap=True, highlight_cursor_line=False, max_checkpoints=MAX_UNDO, **options)
        self.match_cursor_bracket = False
        self._line_starts()

    # --- text

    @property
    def prompt(self) -> str:
        """The text as the user means it."""
        return to_prompt(self.document.text)

    def load_prompt(self, text: str) -> None:
        """Another prompt, with no way back to this one."""
        self.load_text(to_document(text))

    def replace_span(self, span: Span, text: str) -> None:
        """Replace a stretch of the prompt; one step of the undo history of its own."""
        self.history.checkpoint()
        self.replace(to_document(text), self.location_of(span.start), self.location_of(span.end), maintain_selection_offset=False)
        self.history.checkpoint()

    def replace_all(self, text: str) -> None:
        """Another text as an edit that can be undone: only what differs is replaced."""
        from promptlens.sources._prompt import difference

        for start, end, new in difference(self.prompt, text):
            self.replace_span(Span(start, end), new)

    def edit(self, edit: Edit) -> EditResult:
        """Any edit, with stand-ins in its text."""
        edit.text = typed(edit.text)
        done = super().edit(edit)
        self.analyse()  # here, so that no frame shows the text without its colours
        return done

    def get_text_range(self, start: Location, end: Location) -> str:
        """The text between two places, as the user means it."""
        return to_prompt(super().get_text_range(start, end))

    # --- places

    def location_of(self, index: int) -> Location:
        """Row and column of a place of the prompt."""
        row = bisect_right(self._starts, index) - 1
        return row, min(index - self._starts[row], len(self.document.get_line(row)))

    def index_of(self, location: Location) -> int:
        """The place of a row and column."""
        row, column = location
        return self._starts[min(row, len(self._starts) - 1)] + column

    @property
    def cursor_index(self) -> int:
        return self.index_of(self.cursor_location)

    def select_span(self, span: Span) -> None:
        """Select a stretch of the prompt and bring it into view."""
        self.selection = Selection(self.location_of(span.start), self.location_of(span.end))
        self.scroll_cursor_visible()

    def light(self, *spans: Span) -> None:
        """Underline stretches, for panes that point at words; none: nothing."""
        if spans != self._lit:
            self._lit = spans
            self.refresh()

    @property
    def lit(self) -> tuple[Span, ...]:
        """The stretches that are lit up."""
        return self._lit

    def _line_starts(self) -> None:
        starts, at = [], 0
        for line in self.document.lines:
            starts.append(at)
            at += len(line) + 1
        self._starts = starts
        self._edges = cluster_edges(self.document.text)

    def get_cursor_left_location(self) -> Location:
        """One cluster to the left: what the arrow goes over and backspace deletes."""
        location = super().get_cursor_left_location()
        around = self._edges.get(self.index_of(location))
        return location if around is None else self.location_of(around.start)

    def get_cursor_right_location(self) -> Location:
        """One cluster to the right."""
        around = self._edges.get(self.cursor_index)
        return super().get_cursor_right_location() if around is None else self.location_of(around.end)

    def clamp_visitable(self, location: Location) -> Location:
        """The nearest place that is in the text and between clusters."""
        row, column = super().clamp_visitable(location)
        if self._edges and len(self._starts) == self.document.line_count:
            around = self._edges.get(self.index_of((row, column)))
            if around is not None and self.index_of((row, column)) > around.start:
                return self.location_of(around.start)
        return row, column

    # --- analysis

    def on_text_area_changed(self) -> None:
        """Read the text anew where it changed in another way than by an edit (undo, another prompt)."""
        if self.report is None or self.prompt != self.report.usage.prompt:
            self.analyse()

    def analyse(self) -> None:
        """Make a report of the text as it is and draw it."""
        self._line_starts()
        report = self.report = self.analysis(self.prompt)
        self.coloring = coloring(report)
        self._drawn.clear()
        self._lit = ()
        self.refresh()
        self._name_token()
        self.post_message(self.Analysed(self, report))

    def on_text_area_selection_changed(self) -> None:
        self._name_token()

    def _name_token(self) -> None:
        """Name the token under the cursor in the border, behind the count of all."""
        if self.report is None or self.coloring.text != self.report.usage.prompt or self.cursor_index > len(self.coloring.text):
            return
        use = self.report.usage.encoders[0]
        count, words = f"{use.used + use.lost_count} tokens", token_words(self.coloring, self.cursor_index)
        said = f"{count} · {words}" if words else count
        if said != self._said:
            self._said = said
            self.border_subtitle = escaped(said)

    def use_palette(self, palette: Palette) -> None:
        """Draw in other colours."""
        self.palette = palette
        self._drawn.clear()
        self.refresh()

    # --- drawing

    def get_line(self, line_index: int) -> Text:
        """A line in its colours: the hook of TextArea for who draws rows its way."""
        line = Text(end="", no_wrap=True)
        start = self._starts[line_index]
        for segment in self._segments(start, start + len(self.document.get_line(line_index))):
            line.append(segment.text, segment.style)
        return line

    def render_lines(self, crop: Region) -> list[Strip]:
        self._rows = [row for line in range(self.document.line_count) for row in self._rows_of(line)]
        return super().render_lines(crop)

    def _rows_of(self, line: int) -> list[tuple[int, int, int]]:
        """The rows of a line as (line, first place, end), places counted in the whole text."""
        if line >= len(self._starts):
            return []
        start = self._starts[line]
        offsets = [0, *self.wrapped_document.get_offsets(line), len(self.document.get_line(line))]
        return [(line, start + a, start + b) for a, b in pairwise(offsets)]

    def render_line(self, y: int) -> Strip:
        """One row of the screen."""
        if not self.document.text and self.placeholder:
            return super().render_line(y)
        ground = self.rich_style
        width = self.scrollable_content_region.width
        number = y + self.scroll_offset.y
        if number >= len(self._rows):
            return Strip.blank(width, ground)
        _, start, end = self._rows[number]
        last = number + 1 == len(self._rows) or self._rows[number + 1][1] != end
        segments = self._segments(start, end)
        over = self._overlays(start, end, last)
        strip = Strip(_overlaid(segments, over) if over else segments)
        return strip.adjust_cell_length(width, ground).apply_style(ground)

    def _segments(self, start: int, end: int) -> list[Segment]:
        """A stretch of the text in its colours, cut up no further than its styles and stand-ins ask."""
        found = self._drawn.get((start, end))
        if found is not None:
            return found
        text = self.document.text
        styles = self.coloring.styles
        if len(styles) != len(text):  # drawn between an edit and its report
            styles = [*styles[: len(text)], *["syntax"] * (len(text) - len(styles))]
        style = self.palette.style
        found = []
        for low, high, name in runs(styles, start, end):
            if name.startswith("mark"):
                found.append(Segment("┃", style(name)))
            else:
                found += _shown(text[low:high], style(name))
        self._drawn[start, end] = found
        return found

    def _overlays(self, start: int, end: int, last: bool) -> list[tuple[int, int, Style]]:
        """What lies over the colours of a row, as (first cell, end, style): lit words, the selection, the cursor."""
        over: list[tuple[int, int, Style]] = []
        text = self.document.text

        def lay(low: int, high: int, style: Style) -> None:
            low, high = max(low, start), min(high, end + 1)
            if low < high:
                at = cell_width(text[start:low])
                over.append((at, at + max(cell_width(text[low : min(high, end)]), 1), style))

        for span in self._lit:
            lay(span.start, min(span.end, end), self.palette.style("lit"))
        low, high = sorted(map(self.index_of, self.selection))
        if low < high:
            lay(low, min(high, end), self.get_component_rich_style("text-area--selection"))
        cursor = self.cursor_index
        if self._draw_cursor and (start <= cursor < end or (cursor == end and last)):
            around = self._edges.get(cursor)
            lay(cursor, around.end if around else cursor + 1, self.get_component_rich_style("text-area--cursor"))
        return over


def _shown(text: str, style: Style) -> list[Segment]:
    """A stretch of one style; stand-ins are drawn as signs."""
    if text.isascii() or not any(map(is_standin, text)):
        return [Segment(text, style)]
    turned = style + Style(reverse=True)
    return [Segment(sign(c), turned) if is_standin(c) else Segment(c, style) for c in text]


def _overlaid(segments: list[Segment], over: list[tuple[int, int, Style]]) -> list[Segment]:
    """Segments with styles laid over stretches of cells, later ones on top; cells past the end are blanks."""
    cells = max(max(end for _, end, _ in over), sum(s.cell_length for s in segments))
    strip = Strip(segments).extend_cell_length(cells)
    for start, end, style in over:
        before, middle, after = strip.divide([start, end, cells]) if end < cells else [*strip.divide([start, cells]), Strip([])]
        restyled = [Segment(s.text, (s.style or Style()) + style, s.control) for s in middle]
        strip = Strip([*before, *restyled, *after])
    return list(strip)
