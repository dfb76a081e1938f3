"""The command `check`: prompts and prompt files in, what is wrong with them out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from promptlens.cli import _WHAT_ARGUMENTS_ARE, _WHAT_WITH, AS_FORMAT, FINDINGS, OK, _settings, names_of, with_options
from promptlens.commands_shorten import WHAT_GOES, dropping, is_asked
from promptlens.render import FORMATS, load_format
from promptlens.terminal import screen_of, talk

if TYPE_CHECKING:
    from promptlens.baseline import Baseline
    from promptlens.config import Settings
    from promptlens.fixing import Outcome
    from promptlens.inputs import Argument
    from promptlens.render import Item

UNREADABLE = 2

_CODES = names_of("promptlens.rules:RULES")

WHICH_FILES = with_options(
    AS_FORMAT,
    click.option("--stdin-filename", metavar="NAME", help="Read '-' as a file of this name would be."),
    click.option(
        "--exclude", multiple=True, metavar="PATTERN", help="Leave out such files and folders, and nothing else; may be repeated."
    ),
    click.option("--extend-exclude", multiple=True, metavar="PATTERN", help="Leave out such files and folders too; may be repeated."),
    click.option("--force-exclude", is_flag=True, help="Leave out what is excluded also when it is named."),
    click.option("--respect-gitignore/--no-respect-gitignore", default=None, help="Leave out what git ignores. [default: yes]"),
)

STATISTICS_FORMATS = ("full", "concise", "json", "jsonl")  # those that have a table, or rows

WHICH_RULES = with_options(
    click.option(
        "--select",
        multiple=True,
        metavar="CODES",
        shell_complete=_CODES,
        help="Run these rules only: codes or their beginnings, with commas.",
    ),
    click.option(
        "--ignore", multiple=True, metavar="CODES", shell_complete=_CODES, help="Do not run these rules; the longer beginning wins."
    ),
    click.option("--extend-select", multiple=True, metavar="CODES", shell_complete=_CODES, help="Run these rules too."),
    click.option("--max-tokens", type=click.IntRange(min=1), metavar="N", help="The budget: TB103 says which prompts take more tokens."),
    click.option("--max-chunks", type=click.IntRange(min=1), metavar="N", help="The budget: TB103 says which prompts take more chunks."),
)


@click.command()
@click.argument("arguments", nargs=-1, metavar="[PROMPT | FILE | FOLDER | -]...")
@_WHAT_WITH
@_WHAT_ARGUMENTS_ARE
@WHICH_RULES
@WHICH_FILES
@click.option("--negative", metavar="TEXT", help="The negative prompt, checked too.")
@click.option("--format", "output_format", type=click.Choice(FORMATS), default="full", help="How to write the results. [default: full]")
@click.option(
    "--stdin-format", type=click.Choice(["text", "lines", "jsonl"]), help="What '-' reads: one prompt, one a line, or JSON lines."
)
@click.option("--exit-zero", is_flag=True, help="Exit with 0 also when something is wrong.")
@click.option("--max-warnings", type=click.IntRange(min=0), metavar="N", help="Exit with 1 also for more warnings than this.")
@click.option("--fix", "fixes", is_flag=True, help="Fix in the files what can be fixed without a guess, then check them.")
@click.option("--unsafe-fixes", is_flag=True, help="With --fix or --diff: also guess, move tags, and drop words to make a prompt fit.")
@click.option("--diff", "as_diff", is_flag=True, help="Show what --fix would change, and write nothing.")
@WHAT_GOES
@click.option("--statistics", is_flag=True, help="Count what is found, by rule, and show the counts alone.")
@click.option("--baseline", metavar="FILE", help="Report only what is not in this list of older findings.")
@click.option("--add-baseline", metavar="FILE", help="Write the list of all findings that --baseline takes, and stop.")
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Check many files, or large ones, with so many processes. [default: as many as there are cores]",
)
@click.option("--watch", "watching", is_flag=True, help="Check again whenever a file changes, until Ctrl-C.")
@click.option("--show-settings", is_flag=True, help="Show the settings that hold here and where they come from, and stop.")
def check(
    arguments: tuple[str, ...],
    kind: str | None,
    negative: str | None,
    output_format: str,
    stdin_format: str | None,
    exit_zero: bool,
    max_warnings: int | None,
    fixes: bool,
    unsafe_fixes: bool,
    as_diff: bool,
    statistics: bool,
    baseline: str | None,
    add_baseline: str | None,
    jobs: int | None,
    watching: bool,
    show_settings: bool,
    **asked: Any,
) -> int:
    """Show the chunks of a prompt and what is lost, or what is wrong with the prompts of files and folders.

    Each argument is a prompt, the name of a file or folder with prompts in it (or a pattern such as prompts/*.txt), or '-' for standard
    input.

    \b
    Exit codes:
      0  nothing is wrong, or only warnings are found
      1  words are lost, the host fails on a prompt, or a rule reports an error
      2  wrong use, or something could not be read
    """
    from promptlens.config import COMMAND_LINE
    from promptlens.inputs import note_missing, told_apart
    from promptlens.job import make_job
    from promptlens.running import Request, run_items, write_reports

    _check_statistics(statistics, output_format)
    several = asked["host"] if asked["host"] and (asked["host"] == "all" or "," in asked["host"]) else None
    settings = _settings({**asked, "host": None} if several else asked)
    if jobs is not None:
        settings = settings.with_value("jobs", jobs, COMMAND_LINE)
    make_job(settings)
    if show_settings:
        return _show_settings(arguments, settings)
    arguments = _checked_arguments(arguments, stdin_format or asked["stdin_filename"], negative)
    if kind is None:
        note_missing(arguments)
    given = told_apart(arguments, kind or "auto")  # type: ignore[arg-type]
    if watching and (several or fixes or as_diff or add_baseline or any(argument.kind != "path" for argument in given)):
        raise click.UsageError("--watch is for files that are only checked.", click.get_current_context())
    if several:
        return _in_hosts(several, given, settings, asked, output_format)
    if fixes or as_diff:
        done = _fix(given, settings, asked, unsafe_fixes, as_diff)
        if as_diff:
            return UNREADABLE if done.troubles else FINDINGS if done.files and not exit_zero else OK
        if done.troubles:
            return UNREADABLE
    elif unsafe_fixes or is_asked(asked):
        name = "--unsafe-fixes goes" if unsafe_fixes else "--shorten, with --by and all that says how, goes"
        raise click.UsageError(f"{name} with --fix or --diff.", click.get_current_context())
    asked["count_fixes"] = not add_baseline and (statistics or output_format in ("full", "concise"))  # those that say how many there are
    only_files = negative is None and all(argument.kind == "path" for argument in given)
    asked["clean_as_numbers"] = only_files and (statistics or bool(add_baseline) or not load_format(output_format).tells_clean)
    request = Request(given, stdin_format, negative, settings, asked)  # type: ignore[arg-type]

    if add_baseline:
        return _add_baseline(Path(add_baseline), run_items(request))
    older = baseline or settings.baseline
    known = _load_baseline(Path(older)) if older else None

    def run() -> int:
        items = run_items(request)
        outcome = write_reports(
            known.new_only(items) if known else items, output_format, screen_of(sys.stdout, settings.color), statistics=statistics
        )
        return outcome.code(exit_zero=exit_zero, max_warnings=settings.max_warnings if max_warnings is None else max_warnings)

    return _watch(run, given, settings, asked) if watching else run()


def _show_settings(paths: Sequence[str], settings: Settings) -> int:
    """Write the settings that hold here, or for each of some files and folders, with the file that they come from."""
    import os

    from promptlens.nearest import Nearest

    nearest = Nearest(settings)
    for path in paths:
        found = nearest.of(path) if os.path.isdir(path) else nearest.of_file(path)
        sys.stdout.write(f"# {path}: {' and '.join(found.files) or 'no settings file'}\n{found.shown()}")
    if not paths:
        sys.stdout.write(settings.shown())
    return OK


def _load_baseline(path: Path) -> Baseline:
    from promptlens.baseline import load_baseline

    return load_baseline(path)


def _add_baseline(path: Path, items: Iterable[Item]) -> int:
    """Write a baseline; what could not be read is told, and is not in it."""
    from promptlens.baseline import record
    from promptlens.render import Trouble
    from promptlens.running import told

    troubles: list[Trouble] = []

    def readable() -> Iterator[Item]:
        for item in items:
            if isinstance(item, Trouble):
                troubles.append(item)
                talk("error", told(item))
            else:
                yield item

    count = record(path, readable())
    talk(
        "note", f"{path}: {count:,} finding{'' if count == 1 else 's'} written. Check with --baseline {path}, or baseline in the settings."
    )
    return UNREADABLE if troubles else OK


def _watch(run: Callable[[], int], given: Sequence[Argument], settings: Settings, asked: Mapping[str, Any]) -> int:
    """Run again after each change of what is checked."""
    from promptlens.checking import Checker, DiscoveredFile
    from promptlens.watching import watch

    def paths() -> list[str]:
        search = Checker(settings, asked).search
        return [found.path for argument in given for found in search.find(argument.value) if isinstance(found, DiscoveredFile)]

    return watch(run, paths)


def _in_hosts(names: str, given: Sequence[Argument], settings: Settings, asked: Mapping[str, Any], output_format: str) -> int:
    """The prompts in several hosts side by side."""
    from promptlens.commands_diff import SIDE_BY_SIDE, host_names, write_hosts
    from promptlens.given import all_given

    if output_format not in SIDE_BY_SIDE:
        formats = " or ".join(SIDE_BY_SIDE)
        raise click.UsageError(f"With several hosts, --format is {formats}, not {output_format}.", click.get_current_context())
    hosts = host_names(names)
    return write_hosts(list(all_given(given, settings, asked)), hosts, settings.color, output_format)


def _fix(given: Sequence[Argument], settings: Settings, asked: Mapping[str, Any], unsafe: bool, as_diff: bool) -> Outcome:
    """Fix the files among the arguments; prompts are for the command `fix`."""
    from promptlens.checking import Checker
    from promptlens.fixing import fix_paths

    if any(argument.kind != "path" for argument in given):
        message = "--fix and --diff are for files. For a prompt or standard input: promptlens fix."
        raise click.UsageError(message, click.get_current_context())
    paths, goes = [argument.value for argument in given], dropping(asked, settings, unsafe)
    return fix_paths(Checker(settings, asked), paths, unsafe=unsafe, dropping=goes, write=not as_diff)


def _check_statistics(asked: bool, output_format: str) -> None:
    """Raises where counts are asked for in a format that has none."""
    if asked and output_format not in STATISTICS_FORMATS:
        known = ", ".join(STATISTICS_FORMATS)
        raise click.UsageError(f"--statistics is written as one of {known}; {output_format} has no counts.", click.get_current_context())


def _checked_arguments(arguments: tuple[str, ...], about_stdin: str | None, negative: str | None) -> tuple[str, ...]:
    """The arguments; `-` where something is said about standard input and nothing else is given."""
    context = click.get_current_context()
    if about_stdin and not arguments:
        arguments = ("-",)
    if about_stdin and "-" not in arguments:
        name = "--stdin-format" if context.params.get("stdin_format") else "--stdin-filename"
        raise click.UsageError(f"{name} is for '-', which is not among the arguments.", context)
    if not arguments and negative is None:
        raise click.UsageError("Nothing to check: give a prompt, the name of a file or folder, or '-' for standard input.", context)
    return arguments
