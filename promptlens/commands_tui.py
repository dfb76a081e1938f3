"""The command `tui`: the terminal UI."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from promptlens.cli import _WHAT_WITH, OK, _settings
from promptlens.commands_weights import ALLOW_PICKLE, PATHS_AND_ROOTS, asked_weights
from promptlens.errors import InputError


@click.command()
@click.argument("file", required=False, metavar="[FILE]")
@_WHAT_WITH
@PATHS_AND_ROOTS
@ALLOW_PICKLE
@click.option("--serve", is_flag=True, help="Open it in a browser: serve it on this machine until Ctrl-C.")
@click.option("--address", default="localhost", show_default=True, help="Where --serve listens.")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="The port of --serve.")
def tui(file: str | None, serve: bool, address: str, port: int, **asked: Any) -> int:
    """Write a prompt and see, as you type, what the model reads of it."""
    if file:
        check_file(Path(file))
    if serve:
        from promptlens.tui.serving import serve_tui

        _settings(asked, file)  # what is wrong with them is said here, not in each browser
        return serve_tui(sys.argv[1:], address, port)
    from promptlens.job import make_job
    from promptlens.tui.session import as_usual

    gc.disable()  # until the first screen is there: app.py turns it on again
    settings = _settings(asked, file)
    job, weights = as_usual(make_job(settings)), asked_weights(asked, settings)
    served = "TEXTUAL_DRIVER" in os.environ  # by textual-serve: the browser is the terminal
    if not served and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError("The terminal UI needs a terminal; in a pipe use `promptlens check`.", click.get_current_context())
    keymap = _keymap(settings.tui_keys)
    from promptlens.tui.encoding import Encoding

    with closing(Encoding(weights)) as encoding:
        from promptlens.tui.app import PromptLensApp

        PromptLensApp(job, path=Path(file) if file else None, encoding=encoding, keymap=keymap, settings=settings).run_calmly()
    return OK


def check_file(path: Path) -> None:
    """Raise `InputError`, before the screen is taken, for what cannot be opened, and for a new file in a folder that is not there."""
    from promptlens.tui.files import open_file

    if not path.parent.is_dir():
        raise InputError(f"{path}: there is no folder {str(path.parent)!r}. Make it first, or name the file elsewhere.")
    open_file(path)


def _keymap(keys: Mapping[str, str]) -> dict[str, str]:
    """The keys of the settings; they are checked only where there are some, which takes all of the UI's modules."""
    if not keys:
        return {}
    from promptlens.tui.keys import checked_keymap

    return checked_keymap(keys)
