"""The command `encoders`: which text-encoder weights are on this machine, and fetching some."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from promptlens.cli import _COLOR, OK, TABLE_FORMATS
from promptlens.commands_preview import compare
from promptlens.commands_weights import PATHS_AND_ROOTS, SETTINGS_FILES, asked_weights, settings_of_files
from promptlens.terminal import ColorChoice, screen_of, talk

if TYPE_CHECKING:
    from pathlib import Path

    from promptlens.render._table import TableFormat

NO_WEIGHTS = """\
No text-encoder weights were found. Fetch some: promptlens encoders pull clip-l
Until then influence takes an approximate preview: promptlens encoders --card preview
"""
NAMES = ("clip-l", "clip-h", "clip-g", "t5-xxl")


@click.group(invoke_without_command=True)
@PATHS_AND_ROOTS
@click.option("--format", "output_format", type=click.Choice(TABLE_FORMATS), default="full", help="How to write it. [default: full]")
@click.option("--card", type=click.Choice(["preview"]), help="Print the card of the encoder that comes along: how far to trust it.")
@SETTINGS_FILES
@_COLOR
@click.pass_context
def encoders(context: click.Context, /, output_format: TableFormat, card: str | None, color: ColorChoice | None, **asked: Any) -> int:
    """List the text-encoder weights on this machine, pull some, or compare two.

    T5's vocabulary is listed too. Looks at given paths, fetched weights, the Hugging Face cache and the folders of installs, in this order;
    the first one of an encoder is taken. Nothing is loaded.
    """
    if context.invoked_subcommand is not None:
        return OK
    if card is not None:
        from promptlens.encoder.preview import card as read_card

        sys.stdout.write(read_card())
        return OK
    from promptlens.encoder.finding import find_encoders
    from promptlens.render._table import table_rows, written
    from promptlens.render.full import drawer
    from promptlens.t5_files import iter_files

    settings = settings_of_files(asked)
    weights = asked_weights(asked, settings)
    found = find_encoders(paths=weights.plain_paths(), roots=weights.roots, problem=lambda line: talk("note", line))
    screen = screen_of(sys.stdout, color or settings.color)
    records = [row.to_dict() for row in found] + [_vocabulary(file, source) for file, source in iter_files(weights.roots)]
    if output_format != "full":
        sys.stdout.writelines(written(records, output_format, screen))
    elif records:
        sys.stdout.write(drawer(screen)(table_rows(_table(records), screen.width)))
    else:
        sys.stdout.write(NO_WEIGHTS)
    return OK


encoders.add_command(compare)


@encoders.command()
@click.argument("name", type=click.Choice(NAMES))
@click.option("--again", is_flag=True, help="Fetch them also if they are there.")
def pull(name: str, again: bool) -> int:
    """Fetch the weights of one text encoder, and nothing else.

    Of t5-xxl it is the vocabulary (2 MB), which is all that counting needs. The smallest faithful file is taken, and of a file that
    holds more only the text encoder. A pull that was cut goes on where it stopped.
    """
    from promptlens.encoder.pulling import pull as fetch
    from promptlens.encoder.vocabularies import pull_vocabulary
    from promptlens.models import ENCODERS

    bar = _Bar()
    try:
        if ENCODERS[name].vocabulary != "clip":
            path = pull_vocabulary(again=again, progress=bar.tell if bar.on else None, note=bar.note)
            bar.end()
            sys.stdout.write(f"The vocabulary of {name} ({path.stat().st_size / 1e6:,.1f} MB) is in {path}\n")
            return OK
        found = fetch(name, again=again, progress=bar.tell if bar.on else None, note=bar.note)
    finally:
        bar.end()
    sys.stdout.write(f"{found.encoder} ({found.precision}, {_megabytes(found.bytes)}) is in {found.path}\n")
    return OK


def _vocabulary(file: Path, source: str) -> dict[str, Any]:
    return {
        "encoder": "t5-xxl",
        "bytes": file.stat().st_size,
        "precision": "",
        "layout": "vocabulary",
        "source": source,
        "path": str(file),
    }


def _table(records: list[dict[str, Any]]) -> Any:
    from promptlens.render._table import Column, Table

    columns = (
        Column("encoder", "encoder"),
        Column("size", "bytes", _megabytes, right=True),
        Column("precision", "precision"),
        Column("layout", "layout"),
        Column("source", "source"),
        Column("path", "path"),
    )
    return Table(columns, records)


def _megabytes(count: int) -> str:
    """A size as people say it.

    >>> _megabytes(246_144_152)
    '246 MB'
    """
    return f"{count / 1e6:,.0f} MB"


class _Bar:
    """A line on stderr that fills as bytes come, where stderr is a terminal; elsewhere only notes are written."""

    cells = 30

    def __init__(self) -> None:
        self.on = sys.stderr is not None and sys.stderr.isatty()
        self._shown = ""

    def tell(self, done: int, of: int) -> None:
        share = done / of if of else 1.0
        filled = int(self.cells * share)
        shown = f"[{'#' * filled}{'.' * (self.cells - filled)}] {share:4.0%} of {_megabytes(of)}"
        if shown != self._shown:
            sys.stderr.write("\r" + shown)
            sys.stderr.flush()
            self._shown = shown

    def note(self, line: str) -> None:
        self.end()
        talk("note", line)

    def end(self) -> None:
        """Leave the line."""
        if self._shown:
            sys.stderr.write("\n")
            sys.stderr.flush()
            self._shown = ""
