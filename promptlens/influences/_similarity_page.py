"""The page of `promptlens similarity`: each unit with the whole prompt, and the unit it is most like."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from promptlens.influences._precision import caution
from promptlens.influences._ranking import label, signed_figure
from promptlens.influences._result import Similarity
from promptlens.models import get_model
from promptlens.render._runs import Row, Run, wrap
from promptlens.render._table import Column, Table, table_rows


def similarity_page(found: Similarity, width: int) -> Iterator[Row]:
    """Each unit with the whole prompt, the closest first, and the unit it is most like."""
    space = "projected" if found.projected else "not projected"
    if found.precision == "bf16":
        yield from wrap([Run(caution("similarity"), "title")], width)
    names = f"{found.host} · {get_model(found.model).title}"
    yield from wrap([Run(names, "title"), Run(f" · similarity of each {found.unit} · {found.encoder}, {space}", "dim")], width)
    yield []
    if not found.labels:
        yield from wrap([Run(f"There is no {found.unit} in this prompt to compare.")], width)
        return
    order = sorted(range(len(found.labels)), key=lambda n: (-found.whole[n], n))
    records = [{"text": found.labels[n], "whole": float(found.whole[n]), **_closest(found, n)} for n in order]
    columns = (
        Column(found.unit, "text", label),
        Column("with the prompt", "whole", signed_figure, right=True),
        Column("most like", "like", label),
        Column("cosine", "cosine", signed_figure),
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
