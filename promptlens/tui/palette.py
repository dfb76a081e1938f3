"""The colours of the editor and the panes: rich styles by name, blended with the theme's background so that they suit light and dark."""

from __future__ import annotations

from functools import lru_cache

from rich.style import Style
from textual.color import Color

# Four hues for the chunks in turn. Neighbours differ for colour-blind people too; the marks say it without colour.
HUES = ("#3f8fe0", "#2fa886", "#a877e8", "#cf9a3a")
LOST = "#e5484d"
WARNING = "#d6a84a"
OK = "#2fb39a"
# Influence in nine steps, from what does next to nothing to what does most: dark blue over green to red, each lighter than the one before
# in the middle, with a number beside it wherever it is shown.
RAMP = ("#27364f", "#26496b", "#2b6580", "#358378", "#5c9a68", "#96a957", "#cfa748", "#ea8a43", "#ee5f4c")


class Palette:
    """Styles for one theme: `background` and `foreground` are those of the surface that text stands on."""

    def __init__(self, background: Color, foreground: Color) -> None:
        self.background = background
        self.foreground = foreground
        self.style = lru_cache(maxsize=512)(self._style)

    def _blend(self, hue: str, share: float) -> str:
        return self.background.blend(Color.parse(hue), share).hex6

    def _muted(self, share: float = 0.45) -> str:
        return self.foreground.blend(self.background, share).hex6

    def _text(self, hue: str) -> str:
        """A hue as text: mixed with the foreground so that it can be read on the background."""
        return Color.parse(hue).blend(self.foreground, 0.25).hex6

    def _style(self, name: str) -> Style:
        """The style of a name that coloring.py or a pane uses."""
        plain = self.foreground.hex6
        if name[:1].isdigit():
            return self._shade(name)
        if name.startswith("mark"):
            return Style(color=self._text(HUES[int(name[4])]), bold=True)
        if name.startswith("hue"):
            return Style(color=self._text(HUES[int(name[3])]))
        if name.startswith("heat"):
            return self._heat(int(name[4:]))
        return {
            "": Style(color=plain),
            "title": Style(color=plain, bold=True),
            "syntax": Style(color=self._muted(0.4)),
            "dim": Style(color=self._muted(0.35)),
            "removed": Style(color=self._muted(0.5), italic=True),
            "lost": Style(color=self._text(LOST), strike=True),
            "failed": Style(color=self._text(LOST), reverse=True),
            "error": Style(color=self._text(LOST), bold=True),
            "lost-mark": Style(color=self._text(LOST), bold=True),
            "lost-words": Style(color=self._text(LOST)),
            "warning": Style(color=self._text(WARNING), bold=True),
            "info": Style(color=self._text(HUES[0]), bold=True),
            "ok": Style(color=self._text(OK)),
            "header": Style(color=self._muted(0.3), bold=True),
            "lit": Style(color=plain, underline=True, bold=True),
        }[name]

    def _shade(self, name: str) -> Style:
        share = 0.42 if name[1] == "a" else 0.22
        return Style(
            color=self.foreground.hex6,
            bgcolor=self._blend(HUES[int(name[0])], share),
            underline="+" in name or "-" in name,
            bold="+" in name or "!" in name,
            italic="-" in name,
            reverse="!" in name,
        )

    def _heat(self, step: int) -> Style:
        """Step 1 to 9 of the ramp; 0 is what does no more than a comma."""
        if step == 0:
            return Style(color=self._muted(0.35))
        ground = RAMP[step - 1]
        return Style(color="#101318" if Color.parse(ground).brightness > 0.45 else "#f4f6fa", bgcolor=ground)

    def cursor_row(self, style: Style | None, focused: bool) -> Style:
        """A style in the row under a table's cursor; a ground of its own stays, because its text is made for it."""
        style = style or Style()
        return style if style.bgcolor is not None else style + Style(bgcolor=self._blend(HUES[0], 0.45 if focused else 0.15))
