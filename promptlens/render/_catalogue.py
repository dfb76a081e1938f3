"""The tables of `promptlens hosts`, `promptlens models` and `promptlens formats`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, asdict, fields
from typing import Any

from promptlens.hosts import HOSTS, Host
from promptlens.models import MODELS, Model
from promptlens.render._runs import Row, Run, wrap
from promptlens.render._table import Column, Table
from promptlens.sources import FORMATS, Format


def host_rows(default: str, width: int) -> Iterator[Row]:
    """Each host with what it does, its options with their defaults, and what its behaviour was read from."""
    indent = " " * 13
    for number, host in enumerate(HOSTS.values()):
        if number:
            yield []
        head = [Run(f"{host.name:<12} ", "even-mark"), Run(host.title, "title")]
        if host.name == default:
            head.append(Run(" · default", "dim"))
        yield head
        yield from wrap([Run(host.summary)], width, first=indent, indent=indent)
        options = ", ".join(f"{name}={_short(value)}" for name, value in _defaults(host).items())
        yield from wrap([Run(f"options: {options}", "dim")], width, first=indent, indent=indent)


def _short(value: Any) -> str:
    return "{}" if value == {} else str(value)


def _defaults(host: Host) -> dict[str, Any]:
    return {f.name: f.default if f.default_factory is MISSING else f.default_factory() for f in fields(host.options)}


def host_records(default: str) -> list[dict[str, Any]]:
    """The hosts as plain data."""
    return [
        {
            "name": host.name,
            "title": host.title,
            "default": host.name == default,
            "summary": host.summary,
            "options": _defaults(host),
            "syntax": sorted(host.syntax),
            "reference": host.reference,
            "observed": host.observed,
        }
        for host in HOSTS.values()
    ]


def model_table(default: str) -> Table:
    """The models with their text encoders."""
    columns = (
        Column("name", "name"),
        Column("model", "title"),
        Column("chunk", "encoders", _chunks, right=True),
        Column("encoders", "encoders", lambda encoders: " + ".join(f"{e['name']} ({e['title']})" for e in encoders)),
    )
    return Table(columns, [_record(model, default) for model in MODELS.values()])


def _chunks(encoders: list[dict[str, Any]]) -> str:
    return ", ".join(dict.fromkeys(str(e["capacity"]) for e in encoders))


def _record(model: Model, default: str) -> dict[str, Any]:
    encoders = [{**asdict(e), "capacity": e.capacity} for e in model.encoders]
    return {
        "name": model.name,
        "title": model.title,
        "default": model.name == default,
        "default_host": model.default_host,
        "encoders": encoders,
    }


def format_rows(width: int) -> Iterator[Row]:
    """Each file format with the files it is looked for in, and what is read from them."""
    indent = " " * 19
    for number, row in enumerate(FORMATS.values()):
        if number:
            yield []
        yield [Run(f"{row.name:<18} ", "even-mark"), Run(row.title, "title")]
        yield from wrap([Run(row.summary)], width, first=indent, indent=indent)
        yield from wrap([Run(f"{row.kind} · {_looked_for(row)}", "dim")], width, first=indent, indent=indent)


def _looked_for(row: Format) -> str:
    """The files that are asked whether they are of a format."""
    by_name = ", ".join(row.names)
    by_content = f"{', '.join(row.suffixes)} by content" if row.detects and row.suffixes else ""
    return "; ".join(filter(None, (by_name, by_content))) or "no names of its own"


def format_records() -> list[dict[str, Any]]:
    """The file formats as plain data."""
    return [
        {
            "name": row.name,
            "title": row.title,
            "summary": row.summary,
            "kind": row.kind,
            "names": list(row.names),
            "suffixes": list(row.suffixes),
            "comment": row.comment,
            "writable": row.read_bytes is None,
        }
        for row in FORMATS.values()
    ]
