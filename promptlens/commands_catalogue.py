"""The commands `rules` and `formats`: what is looked for, and in which files."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from promptlens.cli import _COLOR, OK, _write_table, with_options
from promptlens.terminal import ColorChoice, screen_of

if TYPE_CHECKING:
    from promptlens.render._table import TableFormat

_HOW = with_options(
    click.option("--format", "output_format", type=click.Choice(["full", "json"]), default="full", help="How to write it. [default: full]"),
    _COLOR,
)


@click.command()
@click.argument("code", required=False)
@_HOW
def rules(code: str | None, output_format: TableFormat, color: ColorChoice | None) -> int:
    """List the rules, or explain one.

    CODE is that of a rule (TB201), or the beginning of several (TB2). One rule is explained, with a wrong and a right example.
    """
    from promptlens.render._rule_page import rule_page, rule_record, rule_table
    from promptlens.render._table import table_rows
    from promptlens.rules import RULES, Selection

    screen = screen_of(sys.stdout, color or "auto")
    codes = Selection(("ALL" if code is None else code,)).codes
    rows = rule_page(RULES[codes[0]], screen.width) if len(codes) == 1 else table_rows(rule_table(codes), screen.width)
    records = [rule_record(RULES[each]) for each in codes] if output_format == "json" else []
    _write_table(rows, records, output_format, screen)
    return OK


@click.command()
@_HOW
def formats(output_format: TableFormat, color: ColorChoice | None) -> int:
    """List the kinds of files that prompts are read from.

    What a file is, is seen by its name and its content; --as NAME says it where neither does.
    """
    from promptlens.render._catalogue import format_records, format_rows

    screen = screen_of(sys.stdout, color or "auto")
    _write_table(format_rows(screen.width), format_records(), output_format, screen)
    return OK
