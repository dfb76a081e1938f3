"""The picture as pixels: resvg (extra: plot) draws the SVG with the fonts of this machine."""

from __future__ import annotations

import re
from typing import Any

from promptlens.errors import InputError

ZOOM = 2  # sharp on dense screens
MAX_HEIGHT = 16_384  # pixels: what browsers and image viewers still open

_HEIGHT = re.compile(r'viewBox="0 0 \d+ (\d+)"')
_CANVAS = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 20" width="20" height="20">{}</svg>'
_LETTER = '<text x="2" y="16" style="font: 16px monospace">M</text>'


def drawer() -> Any:
    """The library, ready to draw. Raises `InputError` where it or any font is missing: pixels are not to be had then."""
    try:
        import resvg_py
    except ImportError:
        way_out = "Install it with: pip install 'promptlens[plot]'"
        raise InputError(f"A .png is drawn by resvg-py, which is not installed. {way_out}, or take .svg or .html.") from None
    if resvg_py.svg_to_bytes(svg_string=_CANVAS.format(_LETTER)) == resvg_py.svg_to_bytes(svg_string=_CANVAS.format("")):
        raise InputError("A .png needs fonts, and this machine has none. Install some (DejaVu, Noto), or take .svg or .html.")
    return resvg_py


def png(svg: str) -> bytes:
    """The picture in pixels, twice as many as units where that is not too high. Raises `InputError`."""
    match = _HEIGHT.search(svg)
    assert match is not None  # every card has one
    height = int(match[1])
    if height > MAX_HEIGHT:
        raise InputError(f"The picture would be {height:,} pixels high, and {MAX_HEIGHT:,} is the most a .png may be. Take .svg or .html.")
    zoom = ZOOM if height * ZOOM <= MAX_HEIGHT else 1
    return bytes(drawer().svg_to_bytes(svg_string=svg, zoom=zoom))
