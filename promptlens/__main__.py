"""The `promptlens` command: runs the command line and owns what the process ends with.

    0    clean
    1    findings: words are lost, or the host fails on the prompt
    2    wrong use, unreadable input, or a crash
    130  Ctrl-C
    141  the reader of a pipe went away (`| head`)

Errors are one line on stderr. PROMPTLENS_DEBUG=1 adds the traceback of a crash.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from promptlens.errors import PromptLensError, WeightsError
from promptlens.terminal import talk

OK, FINDINGS, WRONG_USE, INTERRUPTED, PIPE_CLOSED = 0, 1, 2, 130, 141


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line with these arguments (default: the process's own); the exit code."""
    _prepare_streams()
    try:
        try:
            code = _run(sys.argv[1:] if arguments is None else list(arguments))
        finally:
            _wipe_bar()  # where the run ended in the middle of a file
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return _pipe_closed()
    except PromptLensError as error:
        talk("error", str(error), lines=isinstance(error, WeightsError))
    except OSError as error:
        what = f"{error.filename} cannot be read or written" if error.filename else "The results cannot be written"
        talk("error", f"{what}: {error.strerror or error}.")
        _drop_output()
    except Exception as error:  # the last line of defence: whatever it is, it is one line and exit code 2
        _crashed(error)
    return WRONG_USE


def _run(arguments: list[str]) -> int:
    import click  # 25 ms: here, so that Ctrl-C during start-up is quiet too

    from promptlens.cli import COMPLETE_VARIABLE
    from promptlens.cli import main as commands

    if COMPLETE_VARIABLE in os.environ:
        from click.shell_completion import shell_complete

        return shell_complete(commands, {}, "promptlens", COMPLETE_VARIABLE, os.environ[COMPLETE_VARIABLE])

    try:
        with commands.make_context("promptlens", arguments) as context:
            code = commands.invoke(context)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.Abort:
        return INTERRUPTED
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else "promptlens"
        talk("error", f"{error.format_message().strip()} Try '{path} --help'.")
        return WRONG_USE
    except click.ClickException as error:
        talk("error", error.format_message())
        return WRONG_USE
    return code if isinstance(code, int) else OK


def _prepare_streams() -> None:
    """A character that an output cannot take is written as an escape, and a closed stdout takes everything."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  (it lives as long as the process)
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure:
        reconfigure(errors="backslashreplace")


def _wipe_bar() -> None:
    progress = sys.modules.get("promptlens.progress")
    if progress is not None:  # else nothing was shown
        progress.BAR.line.show("")


def _pipe_closed() -> int:
    _drop_output()
    return PIPE_CLOSED


def _drop_output() -> None:
    """What is still buffered goes nowhere, so that the interpreter's last flush is quiet."""
    try:
        stdout = sys.stdout.fileno()
    except (OSError, ValueError):  # a stream in memory, as a caller from Python may have put there, has no such flush
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stdout)
    os.close(nowhere)


def _crashed(error: Exception) -> None:
    if os.environ.get("PROMPTLENS_DEBUG"):
        import traceback

        traceback.print_exc()
    what = f"{type(error).__name__}: {error}"
    talk("error", f"PromptLens failed where it should not ({what}). Please report it, with the output of PROMPTLENS_DEBUG=1.")


if __name__ == "__main__":
    sys.exit(main())
