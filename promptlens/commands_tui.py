"""The command `tui`: the terminal UI."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from promptlens.cli import OK, _settings


@click.command()
@click.argument("file", required=False, metavar="[FILE]")
@click.option("--host", help="Program that turns the prompt into windows; see `promptlens hosts`. [default: a1111]")
@click.option("--model", help="Base model; see `promptlens models`. [default: sdxl]")
@click.option("--config", metavar="FILE", help="Take settings from this file alone.")
@click.option("--isolated", is_flag=True, help="Take no settings from files.")
def tui(file: str | None, **asked: Any) -> int:
    """Write a prompt and see, as you type, what the model reads of it."""
    from promptlens.job import make_job

    flags = ("embeddings_dir", "steps", "comma_backtrack", "emphasis", "color")
    job = make_job(_settings({**dict.fromkeys(flags), "settled": (), "embedding": (), **asked}))
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError("The terminal UI needs a terminal; in a pipe use `promptlens check`.", click.get_current_context())
    from promptlens.tui.app import PromptLensApp

    PromptLensApp(job, path=Path(file) if file else None).run()
    return OK
