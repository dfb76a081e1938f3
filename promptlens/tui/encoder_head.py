"""The lines above an answer of the encoder: that it is a preview or of an earlier prompt, what was measured, how far a measurement is."""

from __future__ import annotations

from promptlens.encoder.preview import LABEL
from promptlens.render._runs import Row, Run, visible_text, wrap
from promptlens.spans import Span
from promptlens.tui.encoding import Message


def head_rows(answer: Message | None, facts: str, percent: int | None, pull_key: str, *, stale: bool, width: int) -> list[Row]:
    """The lines. `answer` is what is shown, `percent` how far what is being measured is, `pull_key` what pulls weights."""
    rows: list[Row] = []
    if answer is not None and answer["approximate"]:
        rows += wrap([Run(f"{LABEL.partition(';')[0]}; {pull_key} pulls the real one", "warning")], width)
    if stale:
        rows += wrap([Run("Of an earlier text or setting", "title"), Run(f" · {_progress(percent)}", "dim")], width)
    elif answer is not None:
        rows += wrap([Run(visible_text(facts), "dim")], width)
        rows += [row for line in answer["problems"] for row in wrap([Run(visible_text(line), "warning")], width)]
    elif percent is not None:
        rows += wrap([Run(_progress(percent), "dim")], width)
    return rows


def _progress(percent: int | None) -> str:
    if percent is None:
        return "measured anew when you pause"
    return f"measuring {percent} %" if percent else "measuring; the first time the text encoder is loaded"


def span_of(unit: Message) -> Span:
    """The span in an answer's unit."""
    return Span(*unit["span"])


def encoder_words(answer: Message) -> str:
    """The weights of an answer: "clip-l fp16, clip-g fp16"."""
    if answer["approximate"]:
        return "preview encoder"
    return ", ".join(f"{w['encoder']} {w['precision']}".strip() for w in answer["weights"])
