"""The command `tui`: the terminal UI."""

from __future__ import annotations

import gc
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from promptlens.cli import _WHAT_WITH, OK, _settings
from promptlens.commands_weights import ALLOW_PICKLE, PATHS_AND_ROOTS, asked_weights


@click.command()
@click.argument("file", required=False, metavar="[FILE]")
@_WHAT_WITH
@PATHS_AND_ROOTS
@ALLOW_PICKLE
def tui(file: str | None, **asked: Any) -> int:
    """Write a prompt and see, as you type, what the model reads of it."""
    from promptlens.job import make_job

    gc.disable()  # until the first screen is there: app.py turns it on again
    settings = _settings(asked)
    job, weights = make_job(settings), asked_weights(asked, settings)
    job = replace(job, chosen={}, usual={**job.usual, **job.chosen})  # another host may not have an option chosen for this one
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError("The terminal UI needs a terminal; in a pipe use `promptlens check`.", click.get_current_context())
    from promptlens.tui.encoding import Encoding

    with Encoding(weights) as encoding:  # its process starts before the screen does
        from promptlens.tui.app import PromptLensApp

        PromptLensApp(job, path=Path(file) if file else None, encoding=encoding).run_calmly()
    return OK
