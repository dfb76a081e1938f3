"""What the commands make of the preview encoder: when it stands in for real weights, its card, and how far two encoders agree."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from promptlens.cli import _COLOR, OK
from promptlens.errors import InputError, WeightsError
from promptlens.terminal import ColorChoice, screen_of

if TYPE_CHECKING:
    from promptlens.encoder.cached import CachedEncoder

Real = Callable[[str, Sequence[str], bool], "dict[str, CachedEncoder]"]


def encoders_or_preview(model: str, given: Sequence[str], allow_pickle: bool, asked: str | None, real: Real) -> dict[str, CachedEncoder]:
    """The model's text encoders; the preview in place of each where it is asked for, or where no weights of any of them are found.

    One that lacks while another is there is an error, as ever: a measure half real and half not would be neither.
    """
    from promptlens.encoder.preview import NAME

    others = [path for path in given if path != NAME]
    if asked == NAME or len(others) < len(given):
        if others:
            raise WeightsError(f"Either --encoder {NAME} or --encoder-path {others[0]}, not both.")
        return preview_for(model)
    if not given and not _any_found(model):
        return preview_for(model)
    return real(model, given, allow_pickle)


def preview_for(model: str) -> dict[str, CachedEncoder]:
    """The preview under the name of every encoder that a model's influence is measured with."""
    _needs_torch()
    from promptlens.encoder.preview import preview_weights
    from promptlens.influences._reading import run_numbers
    from promptlens.models import get_model

    row = get_model(model)
    from promptlens.encoder.cached import cached_encoder

    encoder = cached_encoder(preview_weights())
    return {row.encoders[n].name: encoder for n in run_numbers(row)}


def _any_found(model: str) -> bool:
    _needs_torch()  # the measure of influence imports numpy
    from promptlens.encoder.finding import iter_encoders
    from promptlens.influences._reading import run_numbers
    from promptlens.models import get_model

    row = get_model(model)
    wanted = {row.encoders[n].name for n in run_numbers(row)}
    return any(found.encoder in wanted for found in iter_encoders())


def _needs_torch() -> None:
    from importlib.util import find_spec

    if any(find_spec(name) is None for name in ("numpy", "torch", "safetensors")):
        raise WeightsError("Influence needs numpy, torch and safetensors. Install them with: pip install 'promptlens[encoder]'")


@click.command()
@click.argument("one", metavar="ENCODER")
@click.argument("other", metavar="ENCODER")
@click.argument("source", metavar="PROMPT | FILE | -")
@click.option("--encoder-path", "paths", multiple=True, metavar="PATH", help="Weights, or NAME=PATH for one encoder; may be repeated.")
@click.option("--unit", type=click.Choice(["word", "tag"]), default="word", help="What is taken out. [default: word]")
@click.option("--format", "output_format", type=click.Choice(["full", "json"]), default="full", help="How to write it. [default: full]")
@_COLOR
def compare(one: str, other: str, source: str, paths: tuple[str, ...], unit: Any, output_format: str, color: ColorChoice | None) -> int:
    """Show how far two text encoders agree on which words matter.

    Over the prompts of a file: rank correlations of influence, and how often the first word and the first three are the same ones.
    ENCODER is clip-l, clip-h, clip-g or preview.
    """
    from promptlens.influences._agreement import agreement

    prompts = list(_prompts(source))
    _needs_torch()
    found = agreement(prompts, (one, _weights(one, paths)), (other, _weights(other, paths)), unit=unit)
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
    from promptlens.inputs import Unreadable, read_inputs, told_apart
    from promptlens.sources import read_prompts

    (given,) = told_apart([source])
    if given.kind == "path":
        yield from (p.text for p in read_prompts(source) if p.role == "positive" and not p.skipped)
        return
    for prompt in read_inputs([source], stdin_format="lines"):
        if isinstance(prompt, Unreadable):
            raise InputError(f"{prompt.name}: {prompt.message}")
        yield prompt.text


def _weights(name: str, paths: Sequence[str]) -> CachedEncoder:
    from promptlens.encoder.cached import cached_encoder
    from promptlens.encoder.finding import choose_encoder

    own = [path for path in paths if "=" not in path] + [p.partition("=")[2] for p in paths if p.partition("=")[0] == name]
    return cached_encoder(choose_encoder(name, paths=own), name)
