"""What the commands make of the preview encoder: when it stands in for real weights, its card, and how far two encoders agree."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from promptlens.cli import _COLOR, OK
from promptlens.commands_weights import PATHS_AND_ROOTS, SETTINGS_FILES, asked_weights, settings_of_files
from promptlens.errors import InputError, WeightsError
from promptlens.terminal import ColorChoice, screen_of
from promptlens.weights import Weights, choose_or_preview, needs_numpy_and_torch

if TYPE_CHECKING:
    from promptlens.encoder.cached import CachedEncoder


def encoders_or_preview(model: str, weights: Weights, asked: str | None, *, named_root: bool) -> dict[str, CachedEncoder]:
    """The model's text encoders; the preview in place of each where it is asked for, or where no weights of any of them are found.

    One that lacks while another is there is an error, as ever: a measure half real and half not would be neither. So it is where the
    user named a path or a root (`named_root`) that has none.
    """
    from promptlens.encoder.preview import NAME

    if NAME in weights.paths or asked == NAME:
        own = [path for path in weights.paths[: weights.own] if path != NAME]
        if own:
            raise WeightsError(f"Either --encoder {NAME} or --encoder-path {own[0]}, not both.")
        weights = Weights((NAME,))
    choice = choose_or_preview(model, weights, named_root=named_root)
    from promptlens.encoder.cached import cached_encoder

    real = weights.loading()
    rough = {**real, "precision": "float32"}  # the preview has only bands, and takes no time
    opened = {found: cached_encoder(found, **(rough if found.encoder == NAME else real)) for found in choice.weights.values()}
    return {name: opened[found] for name, found in choice.weights.items()}


@click.command()
@click.argument("one", metavar="ENCODER")
@click.argument("other", metavar="ENCODER")
@click.argument("source", metavar="PROMPT | FILE | -")
@PATHS_AND_ROOTS
@click.option("--unit", type=click.Choice(["word", "tag"]), default="word", help="What is taken out. [default: word]")
@click.option("--format", "output_format", type=click.Choice(["full", "json"]), default="full", help="How to write it. [default: full]")
@SETTINGS_FILES
@_COLOR
def compare(one: str, other: str, source: str, unit: Any, output_format: str, color: ColorChoice | None, **asked: Any) -> int:
    """Show how far two text encoders agree on which words matter.

    Over the prompts of a file: rank correlations of influence, and how often the first word and the first three are the same ones.
    ENCODER is clip-l, clip-h, clip-g or preview.
    """
    needs_numpy_and_torch()
    from promptlens.influences._agreement import agreement

    settings = settings_of_files(asked)
    prompts = list(_prompts(source))
    if not prompts:
        raise InputError(f"There is no prompt in {source!r}. Give a file of prompts, one a line, or - for lines of standard input.")
    weights = asked_weights(asked, settings)
    found = agreement(prompts, (one, _encoder(one, weights)), (other, _encoder(other, weights)), unit=unit)
    screen = screen_of(sys.stdout, color or "auto")
    if output_format == "json":
        from promptlens.render._json import dumped

        sys.stdout.write(dumped(found.to_dict(), screen, indent=2) + "\n")
    else:
        from promptlens.render.full import drawer

        sys.stdout.write(drawer(screen)(list(found.rows(screen.width))))
    return OK


def _prompts(source: str) -> Iterator[str]:
    """The prompts of a file in any format, the lines of standard input, or the text itself."""
    from promptlens.inputs import Unreadable, missing_file, read_inputs, told_apart
    from promptlens.sources import read_prompts

    if missing_file(source):
        raise InputError(
            f"There is no file {source!r}. Give a file of prompts, a prompt of several words, or - for lines of standard input."
        )
    (given,) = told_apart([source])
    if given.kind == "path":
        yield from (p.text for p in read_prompts(source) if p.role == "positive" and not p.skipped)
        return
    for prompt in read_inputs([source], stdin_format="lines"):
        if isinstance(prompt, Unreadable):
            raise InputError(f"{prompt.name}: {prompt.message}")
        yield prompt.text


def _encoder(name: str, weights: Weights) -> CachedEncoder:
    from promptlens.encoder.cached import cached_encoder

    return cached_encoder(weights.choose(name), name)
