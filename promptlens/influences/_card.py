"""The heat strip and the ranking as a picture in SVG, for a post: a light card that needs nothing but the reader's own fonts.

Words are placed by terminal cells, each in the middle of its box, so a font of other widths than expected spoils nothing. Where words of a
right-to-left script stand side by side they are placed from right to left. Pointing at a word in a browser tells its numbers. Left out:
pictures of similarity.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from xml.sax.saxutils import escape

from promptlens.encoder.preview import LABEL as PREVIEW_LABEL
from promptlens.hosts import HOSTS
from promptlens.influences._boxes import Box, boxes
from promptlens.influences._notes import notes
from promptlens.influences._page import prompt_lines
from promptlens.influences._precision import LABEL as BF16_LABEL
from promptlens.influences._result import BANDS, MEANING, Influence
from promptlens.influences._steps import LEVELS, level, mark
from promptlens.influences._told import RAMP, bar_share, largest, score, told
from promptlens.models import get_model
from promptlens.render._runs import Row, Run, plain, visible_text, wrap
from promptlens.render._table import shortened
from promptlens.spans import clusters

WIDTH, MARGIN = 1200, 60
CELL, LINE = 13.5, 62  # of the prompt: a cell at 22 px, and from one line to the next
BAR_LINE, BAR_LEFT, BAR_LONGEST = 32, 340, 560
NOTE_LINE, NOTE_CELLS = 27, 116
RANKED = 10
LABEL_CELLS = 24

_MONO = "'DejaVu Sans Mono', 'Cascadia Mono', Menlo, Consolas, 'Liberation Mono', 'Noto Sans Mono', monospace"
_SANS = "'Segoe UI', 'Helvetica Neue', 'DejaVu Sans', 'Liberation Sans', 'Noto Sans', Arial, sans-serif"
_EMOJI = "'Noto Color Emoji', 'Apple Color Emoji', 'Segoe UI Emoji'"
_STYLE = f"""\
.word {{ font: 22px {_MONO}; text-anchor: middle; fill: #2b2320 }}
.e {{ font-family: {_EMOJI}, sans-serif }}
.step {{ font: bold 13px {_SANS}; text-anchor: middle; fill: #4a1d06 }}
.quiet {{ fill: #766e69 }}
.between {{ fill: #6d6460 }}
.h1 {{ font: bold 30px {_SANS}; fill: #2b2320 }}
.h2 {{ font: 18px {_SANS}; fill: #6d6460 }}
.warn {{ font: bold 18px {_SANS}; fill: #7a4f00 }}
.note {{ font: 17px {_SANS}; fill: #2b2320 }}
.title {{ font-weight: bold }}
.dim {{ fill: #6d6460 }}
.label {{ font: 18px {_MONO}; text-anchor: end; fill: #2b2320 }}
.floor {{ font: 14px {_SANS}; text-anchor: middle; fill: #6d6460 }}
.figure {{ font: 17px {_SANS}; fill: #6d6460 }}
"""


def card(found: Influence) -> str:
    """The whole picture."""
    parts: list[str] = []
    y = _head(found, parts)
    for line in prompt_lines(found, int((WIDTH - 2 * MARGIN) / CELL)):
        for box, cells in boxes(line):
            parts += _box(found, box, MARGIN + cells * CELL, y)
        y += LINE
    if found.scores:
        parts += _legend(found, y + 4)
        y = _ranking(found, parts, y + 66)
    for row in (*notes(found, NOTE_CELLS), [], *wrap([Run(MEANING, "dim")], NOTE_CELLS)):
        parts += _note(row, y)
        y += NOTE_LINE if row else NOTE_LINE // 2
    height = y - NOTE_LINE + MARGIN - 14
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">\n'
        f"<title>{escape(_title(found))}</title>\n<style>\n{_STYLE}</style>\n"
        f'<rect width="{WIDTH}" height="{height}" rx="18" fill="#fffaf6"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _title(found: Influence) -> str:
    return f"What each {found.unit} does to the text embedding"


def _head(found: Influence, parts: list[str]) -> int:
    """Title, host and model, and a band that says so where it is a preview or rough; the line of the first words."""
    y = MARGIN + 22
    parts.append(_text(MARGIN, y, _title(found), "h1"))
    y += 33
    names = f"{HOSTS[found.host].title} · {get_model(found.model).title}"
    parts.append(_text(MARGIN, y, f"{names} · lens {found.lens}, {found.method}", "h2"))
    said = PREVIEW_LABEL if found.approximate else BF16_LABEL if found.precision == "bf16" else ""
    if said:
        y += 40
        parts.append(f'<rect x="{MARGIN}" y="{y - 22}" width="{WIDTH - 2 * MARGIN}" height="32" rx="6" fill="#ffedc2"/>')
        parts.append(_text(MARGIN + 12, y, said, "warn"))
    return y + 62


def _box(found: Influence, box: Box, x: float, y: int) -> Iterator[str]:
    """A word in its colour, its step below it; or what stands between words."""
    middle = x + box.cells * CELL / 2
    if box.unit is None:
        yield _text(middle, y, box.text, "word between")
        return
    step = level(found, box.unit)
    quiet = "" if step else " quiet"
    yield f"<g><title>{escape(told(found, box.unit))}</title>"
    if step:
        width = box.cells * CELL + 6
        yield f'<rect x="{x - 3:g}" y="{y - 25}" width="{width:g}" height="36" rx="6" fill="{RAMP[step - 1]}"/>'
    yield _text(middle, y, box.text, f"word{quiet}")
    yield _text(middle, y + 28, mark(found, box.unit), f"step{quiet}")
    yield "</g>"


def _legend(found: Influence, y: int) -> Iterator[str]:
    """What the steps mean."""
    x = MARGIN
    for step in (1, 5, LEVELS) if found.approximate else range(1, LEVELS + 1, 2):
        yield f'<rect x="{x}" y="{y - 16}" width="34" height="22" rx="5" fill="{RAMP[step - 1]}"/>'
        yield _text(x + 17, y, str(step), "step")
        x += 40
    if found.approximate:
        meaning = f"{', '.join(reversed(BANDS))}: thirds of the {found.unit}s"
    else:
        meaning = f"weak to strong, 9 is the strongest {found.unit}"
    yield _text(x + 6, y, f"{meaning};  · no more than a comma", "h2")


def _ranking(found: Influence, parts: list[str], y: int) -> int:
    """A bar for each of the strongest units, and a line at the noise floor; where the next part begins."""
    ranked = found.ranking[:RANKED]
    top = y
    for n in ranked:
        parts += _bar(found, n, y)
        y += BAR_LINE

    if not found.approximate and 0 < found.noise_floor <= largest(found):
        x = BAR_LEFT + BAR_LONGEST * found.noise_floor / largest(found)
        line = f'y1="{top - 24}" y2="{y - BAR_LINE + 12}" stroke="#8b837d" stroke-dasharray="4 4" stroke-width="1.5"'
        parts.append(f'<line x1="{x:g}" x2="{x:g}" {line}/>')
        parts.append(_text(x, top - 30, "noise floor", "floor"))
    if len(found.scores) > RANKED:
        parts.append(_text(BAR_LEFT, y, f"and {len(found.scores) - RANKED} more", "figure"))
        y += BAR_LINE
    return y + 22


def _bar(found: Influence, n: int, y: int) -> Iterator[str]:
    step = level(found, n)
    length = max(BAR_LONGEST * bar_share(found, n), 3)
    fill = RAMP[step - 1] if step else "#ddd6d1"
    yield f"<g><title>{escape(told(found, n))}</title>"
    yield _text(BAR_LEFT - 16, y, shortened(visible_text(found.labels[n].strip()), LABEL_CELLS), "label")
    yield f'<rect x="{BAR_LEFT}" y="{y - 16}" width="{length:g}" height="22" rx="4" fill="{fill}"/>'
    aims = (("toward", found.toward), ("against", found.against))
    aimed = [f"{name} {values[n]:+.4f}" for name, values in aims if values is not None and not found.approximate]
    yield _text(BAR_LEFT + length + 12, y, " · ".join([score(found, n), *aimed]), "figure")
    yield "</g>"


def _note(row: Row, y: int) -> Iterator[str]:
    text = plain(row)
    if text.strip():
        style = next((run.style for run in row if run.text.strip()), "")
        indent = 24 if text.startswith("  ") else 0
        yield _text(MARGIN + indent, y, text.strip(), f"note {style}".rstrip())


def _text(x: float, y: int, text: str, style: str) -> str:
    """A text; emoji name fonts of their own, for a drawer may look for one font that has all the rest of a text too."""
    groups = groupby((span.of(text) for span in clusters(text)), key=_is_emoji)
    parts = (f'<tspan class="e">{escape("".join(g))}</tspan>' if emoji else escape("".join(g)) for emoji, g in groups)
    return f'<text x="{x:g}" y="{y}" class="{style}">{"".join(parts)}</text>'


def _is_emoji(cluster: str) -> bool:
    return any(c >= "\U0001f000" or c == "\ufe0f" for c in cluster)
