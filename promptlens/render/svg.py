"""The coloured page as an SVG picture, for a README. Its fonts are those of the reader's machine; nothing is fetched."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator

from rich.terminal_theme import TerminalTheme

from promptlens.render import Entry, Item
from promptlens.render._page import page
from promptlens.render._paint import console_for, draw
from promptlens.render._runs import Row, Run, visible_text
from promptlens.terminal import Screen

tells_trouble = False

TITLE_CHARS = 46

_THEME = TerminalTheme(
    (22, 24, 33),
    (205, 209, 222),
    [(40, 42, 54), (229, 72, 77), (47, 179, 154), (214, 168, 74), (76, 155, 232), (176, 128, 214), (80, 180, 200), (205, 209, 222)],
)

# rich fills the names in braces; its own template fetches a font.
_TEMPLATE = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" role="img">
<style>
.{unique_id}-matrix {{ font: {char_height}px/{line_height}px "Fira Code", "Cascadia Mono", Menlo, "DejaVu Sans Mono", monospace; }}
.{unique_id}-title {{ font: 15px system-ui, "Segoe UI", Helvetica, Arial, sans-serif; opacity: 0.6; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def write(entries: Iterable[Item], screen: Screen) -> Iterator[str]:
    """One picture of all pages."""
    pages = [entry for entry in entries if isinstance(entry, Entry)]
    rows: list[Row] = []
    for entry in pages:
        rows += [[], *page(entry, Screen(screen.width, color=True))] if rows else page(entry, Screen(screen.width, color=True))
    if rows:
        yield picture(rows, screen.width, _title(pages))


def picture(rows: Iterable[Row], width: int, title: str) -> str:
    """Rows drawn in a terminal window of so many cells."""
    console = console_for(Screen(width + 2, color=True), io.StringIO(), record=True)
    draw(console, [[], *([Run(" "), *row] for row in rows), []])  # some room on all sides
    return console.export_svg(title=title, theme=_THEME, code_format=_TEMPLATE, unique_id="promptlens")


def _title(pages: list[Entry]) -> str:
    """The command that shows the same."""
    usage, name = pages[0].report.usage, pages[0].name
    shown = visible_text(name)
    if name.startswith("<"):
        prompt = visible_text(usage.prompt[: TITLE_CHARS * 2])
        shown = f'"{prompt[:TITLE_CHARS]}…"' if len(prompt) > TITLE_CHARS else f'"{prompt}"'
    return f"promptlens check --host {usage.host.name} {shown}"
