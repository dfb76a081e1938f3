"""Mends the picture that is made of the screen: Rich gives each text the width of its characters, where some of them take two cells.

Wide characters and signs are drawn apart, each from the cell it begins in, so that the columns of a table stand in line with any font.
"""

from __future__ import annotations

import re
from html import escape, unescape
from itertools import groupby

from promptlens.spans import cell_width, clusters

CHAR_WIDTH = 12.2  # that Rich gives a cell: 0.61 of its font of 20 pixels
_TEXT = re.compile(r'<text (class="[^"]*") x="([^"]*)" (y="[^"]*") textLength="([^"]*)" (clip-path="[^"]*")>([^<]*)</text>')


def mended(svg: str) -> str:
    """The picture with every character in its cells."""
    return _TEXT.sub(_in_cells, svg)


def _stands_alone(cluster: str) -> bool:
    """Whether a character is wide, or a sign that another font may give: neither box, block, nor letter of the font's own."""
    return cell_width(cluster) != 1 or (cluster[0] >= "\u2000" and not "\u2500" <= cluster[0] <= "\u259f")


def _in_cells(found: re.Match[str]) -> str:
    kind, x, y, _, clip, content = found.groups()
    text = unescape(content).replace("\xa0", " ")
    if text.isascii():
        return found[0]
    at, drawn = float(x), []
    for alone, part in groupby((span.of(text) for span in clusters(text)), _stands_alone):
        for piece in part if alone else ("".join(part),):
            cells = cell_width(piece)
            if piece.strip() and cells:
                shown = escape(piece).replace(" ", "&#160;")
                drawn.append(f'<text {kind} x="{at:g}" {y} textLength="{CHAR_WIDTH * cells:g}" {clip}>{shown}</text>')
            at += CHAR_WIDTH * cells
    return "".join(drawn)
