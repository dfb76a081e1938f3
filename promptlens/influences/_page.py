"""The page of `promptlens influence`: the prompt as a heat strip, the ranking, what does nothing, which boundaries move.

    a photo of a red cat
    · 22222 ·· · 555 999      9 is the strongest word, · no more than a comma does

The marks say it without colour too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import ceil, isnan
from typing import Any

from promptlens.encoder.preview import LABEL as PREVIEW_LABEL
from promptlens.hosts import HOSTS
from promptlens.influences._result import MEANING, Influence, Similarity
from promptlens.models import ENCODERS, get_model
from promptlens.render._runs import Atom, Row, Run, atoms, quoted, visible_text, wrap
from promptlens.render._table import Column, Table, table_rows

LEVELS = 9
LABEL_CHARS = 40
_LISTED = 12
WHERE = "own, later, end: shares of the change at the word's own positions, at later words, at EOS and padding."


def level(found: Influence, n: int) -> int:
    """Step of the ramp of a unit: 9 for the strongest, 0 for what a comma does too."""
    if found.approximate:
        return 0 if found.is_quiet(n) else {"high": LEVELS, "medium": 5, "low": 1}[found.band(n)]
    score, most = found.scores[n], max((s for s in found.scores if not isnan(s)), default=0.0)
    if isnan(score) or found.is_quiet(n) or not most:
        return 0
    return max(1, min(LEVELS, ceil(LEVELS * score / most))) if most != float("inf") else LEVELS


def page(found: Influence, width: int, top: int | None = None) -> Iterator[Row]:
    """Rows of at most `width` cells; `top`: only so many of the ranking."""
    names = f"{HOSTS[found.host].name} · {get_model(found.model).title}"
    if found.approximate:
        yield from wrap([Run(PREVIEW_LABEL, "title")], width)
    yield from wrap([Run(names, "title"), Run(f" · influence of each {found.unit} · lens {found.lens} · {found.method}", "dim")], width)
    yield []
    yield from strip(found, width)
    yield from wrap([Run(_legend(found), "dim")], width, first="  ", indent="  ")
    yield []
    yield from table_rows(_ranking(found, top), width)
    if not found.approximate or found.quiet or any(found.moved) or found.left_out:
        yield []
    if found.lens == "conditioning":
        yield from wrap([Run(WHERE, "dim")], width)
    yield from notes(found, width)
    yield []
    yield from wrap([Run(MEANING, "dim")], width)


def notes(found: Influence, width: int) -> Iterator[Row]:
    """In words: the noise floor, what does nothing, which boundaries move, what the numbers of targets mean."""
    if not found.approximate:
        yield from wrap([Run(floor_words(found))], width)
    yield from _quiet(found, width)
    yield from _moved(found, width)
    yield from _left_out(found, width)
    if not found.approximate:
        yield from _aims(found, width)


def _legend(found: Influence) -> str:
    if found.approximate:
        return f"9 high, 5 medium, 1 low: thirds of the {found.unit}s; · does no more than a comma"
    return f"9 is the strongest {found.unit}, · does no more than a comma"


def strip(found: Influence, width: int) -> Iterator[Row]:
    """The prompt in lines, and under each the marks of its words."""
    for line in prompt_lines(found, width - 2):
        yield [Run("  "), *(Run(a.text, a.style) for a, _ in line)]
        yield [Run("  "), *(Run(mark(found, n) * a.width, a.style) for a, n in line)]


def mark(found: Influence, n: int | None) -> str:
    """The sign of a unit: its step, or a dot for what a comma does too. A blank for what is between units."""
    return " " if n is None else str(level(found, n) or "·")


Piece = tuple[Atom, int | None]
"""What is printed of a cluster of the prompt, and the unit that it belongs to."""


def prompt_lines(found: Influence, width: int) -> Iterator[list[Piece]]:
    """The prompt in lines of at most `width` cells, broken between words where that is possible."""
    line: list[Piece] = []
    for word in _words(_pieces(found)):
        cells = sum(a.width for a, _ in word)
        full = sum(a.width for a, _ in line) + cells > width
        if line and full and (line[-1][0].kind == " " or word[0][0].kind == " "):
            yield line
            line = []
            if word[0][0].kind == " ":
                continue
        for item in word:
            if sum(a.width for a, _ in line) + item[0].width > width:
                yield line
                line = []
            line.append(item)
    if line:
        yield line


def _pieces(found: Influence) -> Iterator[Piece]:
    text = "".join(" " if c in "\n\r\t" else c for c in found.prompt)
    at = 0
    for n, span in enumerate(found.spans):
        if span.start < at:
            continue
        yield from ((a, None) for a in atoms(text[at : span.start], "syntax"))
        step = level(found, n)
        yield from ((a, n) for a in atoms(span.of(text), f"heat-{step}" if step else "dim"))
        at = span.end
    yield from ((a, None) for a in atoms(text[at:], "syntax"))


def _words(items: Iterator[Piece]) -> Iterator[list[Piece]]:
    word: list[Piece] = []
    for item in items:
        if item[0].kind == " ":
            if word:
                yield word
            yield [item]
            word = []
        else:
            word.append(item)
    if word:
        yield word


def _ranking(found: Influence, top: int | None) -> Table:
    order = found.ranking[:top]
    records = [{"rank": rank, **found.records()[n], "mark": level(found, n)} for rank, n in enumerate(order, start=1)]
    columns = [
        Column("#", "rank", right=True),
        Column(found.unit, "text", _label),
        Column("band", "band") if found.approximate else Column("score", "score", figure, right=True),
        *(Column(name, name, figure, right=True) for name in found.by_encoder if len(found.by_encoder) > 1 and not found.approximate),
        Column("tokens", "tokens", right=True),
    ]
    if found.lens == "conditioning":
        columns += [
            Column(title, f"split_{key}", _share, right=True) for key, title in (("own", "own"), ("later", "later"), ("end", "end"))
        ]
    if found.toward is not None:
        columns.append(Column("toward", "toward", _sign if found.approximate else _signed, right=True))
    if found.against is not None:
        columns.append(Column("against", "against", _sign if found.approximate else _signed, right=True))
    columns.append(Column("", "mark", lambda step: "█" * step if step else "·"))
    return Table(tuple(columns), records, style_of=_style)


def _style(record: Mapping[str, Any]) -> str:
    return f"heat-{record['mark']}" if record["mark"] else "dim"


def _label(text: str) -> str:
    return visible_text(text[: 4 * LABEL_CHARS])


def figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}" if value >= 0.00005 or not value else f"{value:.0e}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"


def _signed(value: float | None) -> str:
    return "-" if value is None else f"{value:+.4f}"


def _sign(value: float | None) -> str:
    return "-" if not value else "+" if value > 0 else "−"


def floor_words(found: Influence) -> str:
    if not found.noise_commas:
        how = "adding a comma"
    else:
        done = "hiding" if found.method == "mask" else "deleting"
        how = f"{done} a comma, the median of {found.noise_commas}" if found.noise_commas > 1 else f"{done} the comma"
    if isnan(found.noise_floor):
        return "There is no comma to compare with here, so the noise floor is unknown."
    return f"Noise floor {figure(found.noise_floor)}: the effect of {how}."


def _quiet(found: Influence, width: int) -> Iterator[Row]:
    quiet = found.quiet
    if not quiet:
        return
    tokens = sum(found.tokens[n] for n in quiet)
    what = f"These {len(quiet)} {found.unit}s do" if len(quiet) > 1 else f"This {found.unit} does"
    yield from wrap([Run(f"{what} nothing measurable: {tokens} token{'s' if tokens != 1 else ''}", "title")], width)
    yield from wrap([Run(_listed(found, quiet))], width, first="  ", indent="  ")
    lost = [n for n in quiet if found.lost[n]]
    if lost:
        yield from wrap([Run(f"Of these, {len(lost)} never {'reaches' if len(lost) == 1 else 'reach'} the encoder.")], width)


def _moved(found: Influence, width: int) -> Iterator[Row]:
    moved = [n for n, m in enumerate(found.moved) if m]
    if moved:
        yield from wrap([Run(f"Without these a chunk boundary moves, so their number is that of the move too ({len(moved)}):")], width)
        yield from wrap([Run(_listed(found, moved))], width, first="  ", indent="  ")


def _left_out(found: Influence, width: int) -> Iterator[Row]:
    if found.left_out:
        names = " and ".join(ENCODERS[name].title for name in found.left_out)
        yield from wrap(
            [Run(f"The model also reads the prompt with {names}, which is not run: what that makes of it is not in here.")], width
        )


def _aims(found: Influence, width: int) -> Iterator[Row]:
    if found.toward_cosine is not None:
        yield from wrap([Run(f"Cosine with the target {found.toward_cosine:.4f}; + pulls the prompt to it, - away from it.")], width)
    if found.against_distance is not None:
        yield from wrap([Run(f"Distance to the other prompt {found.against_distance:.4f}; + sets them apart.")], width)


def _listed(found: Influence, units: Sequence[int]) -> str:
    shown = ", ".join(quoted(found.labels[n], LABEL_CHARS) for n in units[:_LISTED])
    return shown if len(units) <= _LISTED else f"{shown} and {len(units) - _LISTED} more"


def similarity_page(found: Similarity, width: int) -> Iterator[Row]:
    """Each unit with the whole prompt, the closest first, and the unit it is most like."""
    space = "projected" if found.projected else "not projected"
    names = f"{found.host} · {get_model(found.model).title}"
    yield from wrap([Run(names, "title"), Run(f" · similarity of each {found.unit} · {found.encoder}, {space}", "dim")], width)
    yield []
    order = sorted(range(len(found.labels)), key=lambda n: (-found.whole[n], n))
    records = [{"text": found.labels[n], "whole": float(found.whole[n]), **_closest(found, n)} for n in order]
    columns = (
        Column(found.unit, "text", _label),
        Column("with the prompt", "whole", _signed, right=True),
        Column("most like", "like", _label),
        Column("cosine", "cosine", _signed),
    )
    yield from table_rows(Table(columns, records), width)
    yield []
    yield from wrap([Run("Cosines of texts are all high: only their order says something. Similarity is not influence.", "dim")], width)


def _closest(found: Similarity, n: int) -> dict[str, Any]:
    others = [m for m in range(len(found.labels)) if m != n and found.labels[m] != found.labels[n]]
    if not others:
        return {"like": "-", "cosine": None}
    best = max(others, key=lambda m: (found.values[n, m], -m))
    return {"like": found.labels[best], "cosine": float(found.values[n, best])}
