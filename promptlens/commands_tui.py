"""The command `tui`: the terminal UI."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from promptlens.cli import _WHAT_WITH, OK, _settings


@click.command()
@click.argument("file", required=False, metavar="[FILE]")
@_WHAT_WITH
def tui(file: str | None, **asked: Any) -> int:
    """Write a prompt and see, as you type, what the model reads of it."""
    from promptlens.job import make_job

    job = make_job(_settings(asked))
    job = replace(job, chosen={}, usual={**job.usual, **job.chosen})  # another host may not have an option chosen for this one
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError("The terminal UI needs a terminal; in a pipe use `promptlens check`.", click.get_current_context())
    from promptlens.tui.app import PromptLensApp

    PromptLensApp(job, path=Path(file) if file else None).run()
    return OK
