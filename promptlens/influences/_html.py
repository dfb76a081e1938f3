"""The heat strip as HTML that needs nothing else: for a notebook, a post, a browser. Pointing at a word tells its numbers."""

from __future__ import annotations

from html import escape
from math import isnan

from promptlens.encoder.preview import LABEL as PREVIEW_LABEL
from promptlens.influences._page import level
from promptlens.influences._result import MEANING, Influence
from promptlens.render._runs import visible_text

# Backgrounds of the steps, pale to strong; text stays dark on all of them. A small digit says the step without colour.
_RAMP = ("#fff4ec", "#ffe6d5", "#ffd7bb", "#ffc7a0", "#ffb685", "#ffa46a", "#fb9150", "#f27e38", "#e66b22")
_BOX = "font:16px/2.1 system-ui,sans-serif;color:#222;background:#fff;padding:1em;max-width:60em"


def fragment(found: Influence) -> str:
    """The strip in a box of its own."""
    parts, at = [], 0
    for n, span in enumerate(found.spans):
        if span.start < at:
            continue
        parts += [_plain(found.prompt[at : span.start]), _word(found, n)]
        at = span.end
    parts.append(_plain(found.prompt[at:]))
    title = f"Influence of each {found.unit}: lens {found.lens}, {found.method}, {found.host}, {found.model}"
    floor = f"{PREVIEW_LABEL}. 9 high, 5 medium, 1 low" if found.approximate else f"Noise floor {found.noise_floor:.4g}; 9 is the strongest"
    note = f"{floor}, words without a digit do no more than a comma. {MEANING}"
    return (
        f'<div style="{_BOX}"><div style="opacity:.6;font-size:13px">{escape(title)}</div>'
        f'<div>{"".join(parts)}</div><div style="opacity:.6;font-size:13px">{escape(note)}</div></div>'
    )


def document(found: Influence) -> str:
    """A whole page."""
    title = escape(f"promptlens influence: {visible_text(found.prompt[:60])}")
    head = f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>'
    return f"{head}<body>{fragment(found)}</body></html>\n"


def _plain(text: str) -> str:
    return "<br>".join(escape(visible_text(line)) for line in text.replace("\r\n", "\n").split("\n"))


def _by_encoder(found: Influence, n: int) -> list[str]:
    return [f"{name} {scores[n]:.4g}" for name, scores in found.by_encoder.items()]


def _word(found: Influence, n: int) -> str:
    step = level(found, n)
    score = "unknown" if isnan(found.scores[n]) else found.band(n) if found.approximate else f"{found.scores[n]:.4g}"
    told = [f"influence {score}", *(() if found.approximate else _by_encoder(found, n)), f"{found.tokens[n]} tokens"]
    told += ["moves a chunk boundary"] * found.moved[n] + ["never reaches the encoder"] * found.lost[n]
    style = f"background:{_RAMP[step - 1]};border-radius:3px;padding:1px 2px" if step else "opacity:.55"
    digit = f'<sub style="font-size:10px">{step}</sub>' if step else ""
    return f'<span style="{style}" title="{escape(", ".join(told))}">{_plain(found.labels[n])}{digit}</span>'
