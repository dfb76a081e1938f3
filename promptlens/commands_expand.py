"""The command `expand`: what a template may become, with styles around it, and which variant takes the most tokens."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from promptlens.cli import _WHAT_ARGUMENTS_ARE, _WHAT_WITH, FINDINGS, OK, settings_for
from promptlens.home import with_home
from promptlens.terminal import Screen, screen_of

if TYPE_CHECKING:
    from promptlens.expanding import Expansion, Style
    from promptlens.job import Job
    from promptlens.report import Report


@click.command()
@click.argument("argument", metavar="TEMPLATE | FILE | -")
@_WHAT_WITH
@_WHAT_ARGUMENTS_ARE
@click.option("--wildcards", metavar="FOLDER", help="Folder with the files that __names__ stand for.")
@click.option("--style", "style_names", multiple=True, metavar="NAME", help="A style to put around it; may be repeated.")
@click.option("--styles", "styles_file", metavar="FILE", help="The styles.csv that has it. [default: styles.csv]")
@click.option(
    "--format", "output_format", type=click.Choice(["full", "json", "jsonl"]), default="full", help="How to write it. [default: full]"
)
def expand(
    argument: str,
    kind: str | None,
    wildcards: str | None,
    style_names: tuple[str, ...],
    styles_file: str | None,
    output_format: str,
    **asked: Any,
) -> int:
    """Show the worst case of a template: its largest variant in tokens.

    Reads {a|b}, {2$$a|b|c}, __wildcard__, ${variable} and %{wrap$$text} as Dynamic Prompts does, after the styles were put around the
    prompt. Needs the extra `templates`.

    \b
    Exit codes:
      0  every variant fits
      1  words of the largest variant are lost, or the template cannot be read
      2  wrong use, or something could not be read
    """
    from promptlens.expanding import expand as expanded
    from promptlens.inputs import read_one
    from promptlens.job import make_job

    settings = settings_for(asked, argument, kind)
    job = make_job(settings)
    text = _styled(read_one(argument, kind), style_names, styles_file)
    folder = wildcards or settings.wildcards
    found = expanded(text, _cost(job), with_home(folder, "--wildcards" if wildcards else "") if folder else None)
    largest, smallest = job.report(found.largest), job.report(found.smallest)
    screen = screen_of(sys.stdout, settings.color)
    if output_format == "full":
        from promptlens.render._expansion import expansion_page
        from promptlens.render.full import drawer

        sys.stdout.write(drawer(screen)(expansion_page(found, largest, smallest, screen)))
    else:
        _dump(found, largest, smallest, output_format, screen)
    return OK if largest.ok and not found.problem else FINDINGS


def _styled(text: str, names: tuple[str, ...], file: str | None) -> str:
    """The prompt with the named styles around it."""
    if not names:
        return text
    from promptlens.expanding import choose_styles, load_styles, styled

    path = with_home(file or "styles.csv", "--styles")
    styles: list[Style] = choose_styles(load_styles(path), names, str(path))
    return styled(text, "", styles)[0]


def _cost(job: Job) -> Any:
    """Tokens of a text: those of the encoder that takes the most, lost ones included."""

    def cost(text: str) -> int:
        return max((use.used + use.lost_count for use in job.report(text).usage.encoders), default=0)

    return cost


def _dump(found: Expansion, largest: Report, smallest: Report, output_format: str, screen: Screen) -> None:
    from promptlens.render._json import dumped

    document = {
        "schema": 1,
        "template": found.template,
        "variants": found.variants,
        "exact": found.exact,
        "problem": found.problem or None,
        "unknown_wildcards": list(found.unknown),
        "picks": [pick._asdict() for pick in found.picks],
        "largest": largest.to_dict(tokens=False),
        "smallest": smallest.to_dict(tokens=False),
    }
    sys.stdout.write(dumped(document, screen, indent=2 if output_format == "json" else None) + "\n")
