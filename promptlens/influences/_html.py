"""The heat strip as HTML that needs nothing else: for a notebook, a post, a browser. Pointing at a word tells its numbers.

A notebook may strip style sheets, so `fragment` carries its styles in the elements and tells by tooltip; `document` adds a style sheet that
tells at once, by keyboard and touch too, and the ranking.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import isfinite

from promptlens.encoder.preview import LABEL as PREVIEW_LABEL
from promptlens.hosts import HOSTS
from promptlens.influences._notes import notes
from promptlens.influences._precision import caution
from promptlens.influences._result import MEANING, Influence
from promptlens.influences._steps import LEVELS, level
from promptlens.influences._told import RAMP, bar_share, score, told
from promptlens.models import get_model
from promptlens.render._runs import plain, visible_text

_BOX = "font:17px/2.3 system-ui,sans-serif;color:#2b2320;background:#fffaf6;padding:1.2em 1.6em;border-radius:12px;max-width:60em"
_SMALL = "color:#6d6460;font-size:14px;line-height:1.5"
_WARN = "background:#ffedc2;color:#7a4f00;font-weight:bold;font-size:14px;line-height:1.5;border-radius:6px;padding:.3em .6em;margin:.4em 0"
_PAGE = """\
body{margin:0;padding:1.5em;background:#f4ede7;display:flex;justify-content:center}
[data-told]{position:relative;cursor:default}
[data-told]:focus{outline:2px solid #a8481a}
[data-told]:hover::after,[data-told]:focus::after{content:attr(data-told);position:absolute;left:0;top:2.1em;z-index:1;width:max-content;
max-width:min(20em,60vw);background:#2b2320;color:#fff;font:13px/1.4 system-ui,sans-serif;padding:.4em .7em;border-radius:6px;direction:ltr}
table{border-collapse:collapse;font-size:15px;line-height:1.3;width:100%}
td{padding:3px 12px 3px 0;vertical-align:middle}
td:first-child{max-width:18em;overflow-wrap:anywhere}
td:nth-child(2){width:55%}
td:nth-child(n+3){white-space:nowrap;color:#6d6460}
i{display:block;height:1.1em;border-radius:4px}
"""


def fragment(found: Influence) -> str:
    """The strip in a box of its own."""
    return _boxed(found, _strip(found, pages=False))


def document(found: Influence) -> str:
    """A whole page: the strip, the ranking, and what it says in words."""
    title = escape(f"promptlens influence: {visible_text(found.prompt[:60])}")
    viewport = '<meta name="viewport" content="width=device-width,initial-scale=1">'
    head = f'<!doctype html><html lang="en"><head><meta charset="utf-8">{viewport}<title>{title}</title><style>{_PAGE}</style></head>'
    rows = "".join(_row(found, n) for n in found.ranking)
    told_so = "".join(f"<div>{escape(plain(row).strip())}</div>" for row in notes(found, 10_000))
    below = f'<table style="margin:1em 0">{rows}</table><div style="font-size:15px;line-height:1.5">{told_so}</div>'
    return f"{head}<body>{_boxed(found, _strip(found, pages=True), below)}</body></html>\n"


def _boxed(found: Influence, strip: str, below: str = "") -> str:
    names = f"{HOSTS[found.host].title} · {get_model(found.model).title} · lens {found.lens}, {found.method}"
    title = f'<b style="font-size:20px">What each {found.unit} does to the text embedding</b>'
    said = PREVIEW_LABEL if found.approximate else caution(found.lens) if found.precision == "bf16" else ""
    warning = f'<div style="{_WARN}">{escape(said)}</div>' if said else ""
    return (
        f'<div style="{_BOX}"><div>{title}</div><div style="{_SMALL}">{escape(names)}</div>{warning}'
        f'<div style="margin:.6em 0;overflow-wrap:anywhere">{strip}</div><div style="{_SMALL}">{escape(_legend(found))}</div>{below}'
        f'<div style="{_SMALL};margin-top:.6em">{escape(MEANING)}</div></div>'
    )


def _legend(found: Influence) -> str:
    if found.approximate:
        return f"9 high, 5 medium, 1 low: thirds of the {found.unit}s. Those without a digit do no more than a comma."
    floor = f" (noise floor {found.noise_floor:.4g})" if isfinite(found.noise_floor) else ""
    return f"{LEVELS} is the strongest {found.unit}; those without a digit do no more than a comma{floor}."


def _strip(found: Influence, *, pages: bool) -> str:
    parts, at = [], 0
    for n, span in enumerate(found.spans):
        if span.start < at:
            continue
        parts += [_plain(found.prompt[at : span.start]), _word(found, n, pages=pages)]
        at = span.end
    return "".join([*parts, _plain(found.prompt[at:])])


def _plain(text: str) -> str:
    return "<br>".join(escape(visible_text(line.replace("\t", " "))) for line in text.replace("\r\n", "\n").split("\n"))


def _word(found: Influence, n: int, *, pages: bool) -> str:
    """A word in its colour; of pages the style sheet tells what it does, elsewhere the browser's tooltip."""
    step = level(found, n)
    style = f"background:{RAMP[step - 1]};border-radius:5px;padding:2px 3px" if step else "opacity:.6"
    digit = f'<sub style="font-size:11px;font-weight:bold;color:#4a1d06">{step}</sub>' if step else ""
    says = escape(told(found, n))
    tells = f'data-told="{says}" tabindex="0"' if pages else f'title="{says}"'
    return f'<span style="{style}" {tells}>{_plain(found.labels[n])}{digit}</span>'


def _row(found: Influence, n: int) -> str:
    """A line of the ranking."""
    step = level(found, n)
    bar = f'<i style="width:{100 * bar_share(found, n):.1f}%;min-width:3px;background:{RAMP[step - 1] if step else "#ddd6d1"}"></i>'
    tokens = f"{found.tokens[n]} token{'s' if found.tokens[n] != 1 else ''}"
    cells: Sequence[str] = (f'<span dir="auto">{_plain(found.labels[n])}</span>', bar, score(found, n), tokens)
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
