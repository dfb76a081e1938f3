"""The commands: they read what was asked for, call the analysis, write the result, and return the exit code.

Where prompts come from is inputs.py, what they are analysed with is job.py and config.py, how reports look is render/. Errors are
raised; __main__.py turns them into a line and a code.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from promptlens import __version__
from promptlens.errors import nearest
from promptlens.terminal import ColorChoice, Screen, screen_of, talk

if TYPE_CHECKING:
    from promptlens.config import Settings
    from promptlens.render._runs import Row
    from promptlens.render._table import TableFormat

OK, FINDINGS = 0, 1

# Set by the scripts of `promptlens completion`, by the rule of click.
COMPLETE_VARIABLE = "_PROMPTLENS_COMPLETE"

TABLE_FORMATS = ("full", "json", "jsonl", "csv")

# Commands with modules of their own, imported when they are asked for.
ELSEWHERE = {
    "check": "promptlens.commands_check",
    "completion": "promptlens.commands_completion",
    "influence": "promptlens.commands_influence",
    "similarity": "promptlens.commands_influence",
    "encoders": "promptlens.commands_encoders",
    "formats": "promptlens.commands_catalogue",
    "rules": "promptlens.commands_catalogue",
    "diff": "promptlens.commands_diff",
    "expand": "promptlens.commands_expand",
    "fix": "promptlens.commands_fix",
    "tui": "promptlens.commands_tui",
}

Decorator = Callable[[Any], Any]


class Commands(click.Group):
    """A group that tells who mistypes a command, or gives a prompt without one, what to write."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*self.commands, *ELSEWHERE])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in ELSEWHERE:
            command: click.Command = getattr(import_module(ELSEWHERE[cmd_name]), cmd_name)
            return command
        return super().get_command(ctx, cmd_name)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        known = self.list_commands(ctx)
        if name and not name.startswith("-") and name not in known:
            guess = nearest(name, known)
            hint = f"Did you mean '{guess}'?" if guess else 'To see what becomes of a prompt: promptlens check "...".'
            raise click.UsageError(f"Unknown command {name!r}. {hint}", ctx)
        return super().resolve_command(ctx, args)


def with_options(*options: Decorator) -> Decorator:
    """A decorator that adds several click options, in this order."""

    def add(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def names_of(table: str) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """What completes an option that takes names of a table ("promptlens.hosts:HOSTS"); the last one of several with commas."""

    def complete(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
        module, _, name = table.partition(":")
        said, comma, last = begun.rpartition(",")
        return [f"{said}{comma}{known}" for known in getattr(import_module(module), name) if known.startswith(last)]

    return complete


_COLOR = click.option("--color", type=click.Choice(["auto", "always", "never"]), help="Colours; auto: on a terminal. [default: auto]")

_WHAT_ARGUMENTS_ARE = with_options(
    click.option("--text", "kind", flag_value="text", help="Every argument is a prompt."),
    click.option("--file", "kind", flag_value="file", help="Every argument is a file."),
)

AS_FORMAT = click.option(
    "--as",
    "as_format",
    metavar="FORMAT",
    shell_complete=names_of("promptlens.sources:FORMATS"),
    help="Read every file as this format; see `promptlens formats`.",
)

_WHAT_WITH = with_options(
    click.option(
        "--host",
        shell_complete=names_of("promptlens.hosts:HOSTS"),
        help="Program that makes windows of it; see `promptlens hosts`. [default: a1111] or what the model runs in",
    ),
    click.option(
        "--model", shell_complete=names_of("promptlens.models:MODELS"), help="Base model; see `promptlens models`. [default: sdxl]"
    ),
    click.option("--set", "settled", multiple=True, metavar="NAME=VALUE", help="Any option of the host; may be repeated."),
    click.option("--steps", type=int, help="Sampling steps, for prompt editing."),
    click.option("--comma-backtrack", type=int, help="Tokens after the last comma that may move to the next chunk."),
    click.option("--emphasis", help="How brackets are read; None: as words."),
    click.option("--embeddings-dir", metavar="FOLDER", help="Folder with your textual inversions."),
    click.option("--embedding", multiple=True, metavar="NAME=VECTORS", help="A textual inversion; may be repeated."),
    click.option("--tokenizer", "t5_tokenizer", metavar="FILE", help="T5's tokenizer.json, for SD3, Flux and others that read with it."),
    click.option("--config", metavar="FILE", help="Take settings from this file alone."),
    click.option("--isolated", is_flag=True, help="Take no settings from files."),
    _COLOR,
)


@click.group(cls=Commands, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="promptlens")
@click.pass_context
def main(context: click.Context) -> None:
    """See what Stable Diffusion's text encoders really read of a prompt.

    CLIP reads a prompt in windows of 75 tokens. What does not fit is cut or moved on, by rules that differ from host to host. PromptLens
    shows where the cuts are and what is lost.
    """
    if context.invoked_subcommand is not None:
        return
    if sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty():
        command = context.command
        assert isinstance(command, click.Group)
        open_screen = command.get_command(context, "tui")
        assert open_screen is not None
        with open_screen.make_context("tui", [], parent=context) as own:
            open_screen.invoke(own)
    else:
        click.echo(context.get_help())


@main.command()
@click.argument("argument", metavar="PROMPT | FILE | -")
@_WHAT_WITH
@_WHAT_ARGUMENTS_ARE
@click.option("--encoder", metavar="NAME", help="One of the model's text encoders. [default: all]")
@click.option("--format", "output_format", type=click.Choice(TABLE_FORMATS), default="full", help="How to write the table. [default: full]")
def tokens(argument: str, kind: str | None, encoder: str | None, output_format: TableFormat, **asked: Any) -> int:
    """Show every token of a prompt with its id and place."""
    from promptlens.inputs import read_one
    from promptlens.job import make_job
    from promptlens.render._table import all_rows
    from promptlens.render._token_table import token_tables

    settings = settings_for(asked, argument, kind)
    job = make_job(settings)
    report = job.report(read_one(argument, kind))
    failure = report.usage.failure
    if failure:
        talk("error", f"{report.usage.host.title} fails on this prompt ({failure.name}). {failure.message}")
        return FINDINGS
    screen = screen_of(sys.stdout, settings.color)
    tables = token_tables(report, encoder)
    _write_table(all_rows(tables, screen.width), [r for t in tables for r in t.records], output_format, screen)
    return OK


@main.command()
@click.option("--format", "output_format", type=click.Choice(["full", "json"]), default="full", help="How to write it. [default: full]")
@_COLOR
def hosts(output_format: TableFormat, color: ColorChoice | None) -> int:
    """List the hosts: what each does with a prompt, and its options."""
    from promptlens.analysis import DEFAULT_HOST
    from promptlens.hosts import HOSTS
    from promptlens.render._catalogue import host_records, host_rows

    for problem in HOSTS.problems:
        talk("note", problem)
    screen = screen_of(sys.stdout, color or "auto")
    _write_table(host_rows(DEFAULT_HOST, screen.width), host_records(DEFAULT_HOST), output_format, screen)
    return OK


@main.command()
@click.option("--format", "output_format", type=click.Choice(["full", "json"]), default="full", help="How to write it. [default: full]")
@_COLOR
def models(output_format: TableFormat, color: ColorChoice | None) -> int:
    """List the base models and their text encoders."""
    from promptlens.analysis import DEFAULT_MODEL
    from promptlens.render._catalogue import model_table
    from promptlens.render._table import table_rows

    screen = screen_of(sys.stdout, color or "auto")
    table = model_table(DEFAULT_MODEL)
    _write_table(table_rows(table, screen.width), table.records, output_format, screen)
    return OK


def _write_table(rows: Iterable[Row], records: Sequence[Mapping[str, Any]], output_format: TableFormat, screen: Screen) -> None:
    """Rows for people, or the records for programs."""
    from promptlens.render._table import written
    from promptlens.render.full import drawer

    if output_format == "full":
        sys.stdout.write(drawer(screen)(rows))
    else:
        sys.stdout.writelines(written(records, output_format, screen))


def settings_for(asked: Mapping[str, Any], argument: str, kind: str | None) -> Settings:
    """The settings that hold for the one argument of a command: those nearest to it where it is a file."""
    from promptlens.inputs import told_apart

    (given,) = told_apart([argument], kind or "auto")  # type: ignore[arg-type]
    return _settings(asked, given.value if given.kind == "path" else None)


def _settings(asked: Mapping[str, Any], path: str | None = None) -> Settings:
    """The settings files, those nearest to a file if there is one, with what the command line says instead."""
    from promptlens.config import COMMAND_LINE, load_settings
    from promptlens.job import options_from_flags

    file, isolated = asked["config"], asked["isolated"]
    if file and isolated:
        raise click.UsageError("--config and --isolated exclude each other.", click.get_current_context())
    settings = load_settings(file=Path(file) if file else None, isolated=isolated)
    if path is not None:
        from promptlens.nearest import Nearest

        settings = Nearest(settings).of_file(path)
    for name in ("host", "model", "color", "t5_tokenizer"):
        if asked[name] is not None:
            settings = settings.with_value(name, asked[name], COMMAND_LINE)
    for name in ("select", "ignore", "extend_select"):
        codes = tuple(code.strip() for text in asked.get(name, ()) for code in text.split(",") if code.strip())
        if codes:
            settings = settings.with_value(name, codes, COMMAND_LINE)
    limits = {name: asked[name] for name in ("max_tokens", "max_chunks") if asked.get(name) is not None}
    if limits:
        settings = settings.with_value("limits", limits, COMMAND_LINE)
    settings = settings.with_host_of_model()
    return settings.with_value("options", options_from_flags(settings, asked), COMMAND_LINE)
