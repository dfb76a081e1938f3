"""AUTOMATIC1111 and Forge styles: styles.csv with the columns name, prompt, negative_prompt (once: name, text).

Rows whose name begins with # are comments, rows named `---- TITLE ----` divide the list and usually hold nothing. A style's text is joined
to what the user types, or takes it in where it says `{prompt}`. Read in Forge, modules/styles.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from promptlens.sources._csv import need_columns, table
from promptlens.sources._document import Document
from promptlens.sources._format import Format, Head, ReadSettings
from promptlens.sources._prompt import Item, Notice, Prompt, prompt_at


def _detects(path: PurePath, head: Head) -> bool:
    columns = [c.strip().strip('"') for c in head.text.partition("\n")[0].rstrip("\r").split(",")]
    return "name" in columns and ("prompt" in columns or "text" in columns)


def _read(document: Document, settings: ReadSettings) -> Iterator[Item]:
    header, rows = table(document, skip_spaces=True)
    need_columns(document, header, ("name",), ("prompt", "text"))
    column = "prompt" if "prompt" in header else "text"
    seen: set[str] = set()
    for row in rows:
        name = str.__str__(row.fields.get("name", ""))
        if name.startswith("#"):
            continue
        line, at = document.position(row.start)
        if column not in row.fields:
            message = f"the style {name!r} has no field {column!r}: the web UI fails when it is used"
            yield Notice("missing", message, document.path, line, at, key=name)
        if name in seen:
            message = f"the style {name!r} is defined again here; the web UI keeps only this one"
            yield Notice("duplicate", message, document.path, line, at, text=name, key=name)
        seen.add(name)
        if row.fields.get(column):
            yield prompt_at(document, row.fields[column], key=name)
        if row.fields.get("negative_prompt"):
            yield prompt_at(document, row.fields["negative_prompt"], key=f"{name} (negative)", role="negative")


def style_name(prompt: Prompt) -> str:
    """The name of the style that a prompt belongs to."""
    return prompt.key.removesuffix(" (negative)") if prompt.role == "negative" else prompt.key


FORMAT = Format(
    name="styles",
    title="AUTOMATIC1111 styles",
    summary="styles.csv: name, prompt, negative_prompt.",
    kind="style",
    names=("styles*.csv", "*styles.csv"),
    suffixes=(".csv",),
    detects=_detects,
    rank=30,
    read=_read,
    of_one_name="a web UI that reads both files keeps only one of them",
)
