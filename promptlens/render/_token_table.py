"""The table of `promptlens tokens`: every token of a prompt with its id, its place and its weight."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from math import isfinite
from typing import Any

from promptlens.errors import UnknownNameError
from promptlens.hosts import EncoderUse, Stream
from promptlens.render._draw import chunk_style
from promptlens.render._runs import Run
from promptlens.render._table import Column, Table
from promptlens.render._words import encoder_name, line_in_words, listed
from promptlens.report import Line, Report
from promptlens.tokens import Token


def token_tables(report: Report, encoder: str | None = None) -> list[Table]:
    """A table for each text of the prompt and each encoder, or each that is asked for; encoders with the same tokens share one.

    Raises `UnknownNameError` for an encoder that the model does not have.
    """
    usage = report.usage
    names = [e.name for e in usage.model.encoders]
    if encoder is not None and encoder not in names:
        raise UnknownNameError("encoder", encoder, names, where=usage.model.name)
    tables = []
    for number, line in enumerate(usage.lines):
        uses = [use for use in line.encoders if encoder in (None, use.encoder.name)]
        for _, same in groupby(uses, key=_content):
            tables.append(_table(report, number, line, list(same)))
    return tables


def _content(use: EncoderUse) -> tuple[Any, ...]:
    """What makes two encoders get the same: ids, weights and where they are cut."""
    if use.unknown:
        return (use.unknown,)
    return tuple((c.stream.ids[c.start : c.stop], c.weights[: c.used + c.lead], c.cut) for c in use.chunks), use.lost_places


def _table(report: Report, number: int, line: Line, uses: Sequence[EncoderUse]) -> Table:
    usage = report.usage
    records = list(_records(usage.prompt, number, uses))
    caption = listed([encoder_name(u) for u in uses])
    runs = [Run(caption, "title"), Run(": the same tokens" if len(uses) > 1 else "", "dim")]
    if uses[0].unknown:
        return Table((), (), ([Run(caption, "title"), Run(f" · not counted: {uses[0].unknown}", "warning")],))
    if len(usage.lines) > 1:
        told = line_in_words(line, usage.lines[-1].parsed.part > 0)
        runs.append(Run(f" · text {number + 1} of {len(usage.lines)}{f', {told}' if told else ''}", "dim"))
    return Table(COLUMNS, records, (runs,), _style)


COLUMNS = (
    Column("#", "number", right=True),
    Column("text", "text"),
    Column("piece", "piece"),
    Column("id", "id", right=True),
    Column("span", "span", lambda span: f"{span[0]}-{span[1]}"),
    Column("chunk", "chunk", lambda chunk: "lost" if chunk is None else str(chunk), right=True),
    Column("slot", "slot", lambda slot: "-" if slot is None else str(slot), right=True),
    Column("weight", "weight", lambda weight: f"{float(weight):.4g}", right=True),
)


def _style(record: Mapping[str, Any]) -> str:
    return "lost" if record["lost"] else chunk_style(record["chunk"] - 1)


def _records(prompt: str, number: int, uses: Sequence[EncoderUse]) -> Iterator[dict[str, Any]]:
    use = uses[0]
    names = [u.encoder.name for u in uses]
    for count, (token, chunk, slot) in enumerate(_placed(use), start=1):
        yield {
            "line": number,
            "encoders": names,
            "number": count,
            "text": token.span.of(prompt),
            "piece": token.piece,
            "id": token.id,
            "span": [token.span.start, token.span.end],
            "chunk": chunk,
            "slot": slot,
            "weight": token.weight if isfinite(token.weight) else str(token.weight),  # JSON has no inf
            "word": token.word,
            "lost": chunk is None,
        }


def _placed(use: EncoderUse) -> Iterator[tuple[Token, int | None, int | None]]:
    """Tokens in the order of the prompt with chunk and slot, both counted from 1; None for a lost one."""
    lost = list(use.lost_places)
    for number, chunk in enumerate(use.chunks, start=1):
        while lost and lost[0][0] < chunk.start:
            yield from _lost(use.stream, lost.pop(0))
        for slot, token in enumerate(chunk.tokens, start=chunk.lead):
            yield token, number, slot
    for places in lost:
        yield from _lost(use.stream, places)


def _lost(stream: Stream | None, places: tuple[int, int]) -> Iterator[tuple[Token, None, None]]:
    if stream is not None:
        yield from ((token, None, None) for token in stream.tokens[places[0] : places[1]])
