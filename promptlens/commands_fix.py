"""The command `fix`: a prompt in, the prompt without what is wrong with it out; files are fixed in place."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from promptlens.cli import _WHAT_ARGUMENTS_ARE, _WHAT_WITH, FINDINGS, OK, _settings
from promptlens.commands_check import WHICH_FILES, WHICH_RULES
from promptlens.commands_shorten import WHAT_GOES, dropping
from promptlens.errors import InputError
from promptlens.terminal import talk

if TYPE_CHECKING:
    from promptlens.shorten import Importance

UNREADABLE = 2


@click.command()
@click.argument("arguments", nargs=-1, required=True, metavar="[PROMPT | FILE | FOLDER | -]...")
@_WHAT_WITH
@_WHAT_ARGUMENTS_ARE
@WHICH_RULES
@WHICH_FILES
@click.option("--unsafe-fixes", is_flag=True, help="Also guess, move tags, and drop words to make a prompt fit.")
@WHAT_GOES
@click.option("--diff", "as_diff", is_flag=True, help="Show what would change and write nothing.")
def fix(arguments: tuple[str, ...], kind: str | None, unsafe_fixes: bool, as_diff: bool, **asked: Any) -> int:
    """Fix what can be fixed: print a prompt fixed, or fix prompt files in place.

    A prompt, or standard input, comes out fixed on stdout; what was done is told on stderr: also which words were dropped, and by what
    measure. A fix never makes another finding worse.

    \b
    Exit codes:
      0  done, and no error is left
      1  errors are left, or with --diff: something would change
      2  wrong use, or something could not be read or written
    """
    from promptlens.inputs import note_missing, told_apart

    settings = _settings(asked)
    how = How(unsafe_fixes, dropping(asked, settings, unsafe_fixes))
    if kind is None:
        note_missing(arguments)
    given = told_apart(arguments, kind or "auto")  # type: ignore[arg-type]
    paths = [argument.value for argument in given if argument.kind == "path"]
    if paths and len(paths) < len(given):
        raise click.UsageError("Give either prompts or files, not both.", click.get_current_context())
    if paths:
        return _files(paths, settings, asked, how, as_diff)
    if as_diff:
        raise click.UsageError("--diff is for files.", click.get_current_context())
    return max(_text(argument, settings, asked, how) for argument in given)


class How(NamedTuple):
    """What may be done: guesses, and dropping tags by some measure."""

    unsafe: bool
    dropping: Importance | None


def _files(paths: list[str], settings: Any, asked: Any, how: How, as_diff: bool) -> int:
    """Fix files, then see what is left in them."""
    from promptlens.checking import Checker
    from promptlens.fixing import fix_paths
    from promptlens.render import Trouble
    from promptlens.running import Outcome, told

    done = fix_paths(Checker(settings, asked), paths, write=not as_diff, **how._asdict())
    if as_diff:
        return UNREADABLE if done.troubles else FINDINGS if done.files else OK
    left = Outcome()
    for item in Checker(settings, asked).paths(paths):
        left.add(item)
        if isinstance(item, Trouble):
            talk("error", told(item))
    if left.errors:
        talk("note", f"{left.errors:,} prompts still have errors; `promptlens check` says which.")
    return UNREADABLE if done.troubles else left.code()


def _text(argument: Any, settings: Any, asked: Any, how: How) -> int:
    """Print one prompt fixed, or what comes on standard input as the file that --stdin-filename names."""
    from promptlens.fixes import fix_with
    from promptlens.fixing import change_in_words, tell_each
    from promptlens.inputs import Unreadable, prompt_argument, read_stdin
    from promptlens.job import make_job

    if argument.kind == "stdin" and (asked["stdin_filename"] or asked["as_format"]):
        return _stdin_file(settings, asked, how)
    (prompt,) = read_stdin("text") if argument.kind == "stdin" else [prompt_argument(argument.value, argument.name)]
    if isinstance(prompt, Unreadable):
        raise InputError(f"{prompt.name}: {prompt.message}")
    job = make_job(settings)
    fixed = fix_with(prompt.text, job.analysis("positive"), **how._asdict())
    tell_each(map(change_in_words, fixed.applied))
    sys.stdout.write(f"{fixed.text}\n")
    return FINDINGS if any(f.severity == "error" for f in fixed.left) else OK


def _stdin_file(settings: Any, asked: Any, how: How) -> int:
    """Standard input as a file's content, fixed, as bytes."""
    from promptlens.checking import Checker, check_content, fix_document
    from promptlens.checking._entries import row_of_content
    from promptlens.fixing import tell_changes
    from promptlens.running import Outcome
    from promptlens.sources._document import decode

    checker = Checker(settings, asked)
    name = asked["stdin_filename"] or "<stdin>"
    plan = checker.plans.plan(name)
    content = sys.stdin.buffer.read()
    row = row_of_content(content, name, plan)
    if row.read_bytes:
        raise InputError(f"{name}: {row.title} cannot be written back.")
    fixed = fix_document(decode(name, content, bom=row.bom, undecodable=row.undecodable), row, plan, **how._asdict())
    for why in fixed.refused:
        talk("note", f"not fixed: {why}")
    tell_changes(fixed)
    after = fixed.after.to_bytes()
    sys.stdout.flush()
    sys.stdout.buffer.write(after)
    left = Outcome()
    for item in check_content(after, name, plan):
        left.add(item)
    return left.code()
