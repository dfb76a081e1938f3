"""The commands `influence` and `similarity`: which words change what the model gets. They need text-encoder weights and torch."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from promptlens.cli import _WHAT_ARGUMENTS_ARE, _WHAT_WITH, OK, TABLE_FORMATS, settings_for, with_options
from promptlens.commands_weights import ALLOW_PICKLE, PATHS_AND_ROOTS, asked_weights
from promptlens.errors import InputError
from promptlens.progress import WorkBar
from promptlens.terminal import screen_of, talk
from promptlens.weights import needs_numpy_and_torch
from promptlens.writing import write_atomically

if TYPE_CHECKING:
    from promptlens.influences import Influence
    from promptlens.job import Job
    from promptlens.render._runs import Row
    from promptlens.render._table import TableFormat

PLOTS = (".svg", ".png", ".html")

_WITH_ENCODERS = with_options(
    PATHS_AND_ROOTS,
    ALLOW_PICKLE,
    click.option("--unit", type=click.Choice(["word", "tag"]), default="word", help="What is taken out. [default: word]"),
    click.option(
        "--precision",
        type=click.Choice(["fp32", "bf16"]),
        help="bf16: faster on processors that have it; near ties may change places. [default: fp32]",
    ),
    click.option("--format", "output_format", type=click.Choice(TABLE_FORMATS), default="full", help="How to write it. [default: full]"),
)


@click.command()
@click.argument("argument", metavar="PROMPT | FILE | -")
@_WHAT_WITH
@_WHAT_ARGUMENTS_ARE
@_WITH_ENCODERS
@click.option(
    "--lens",
    type=click.Choice(["pooled", "conditioning"]),
    default="pooled",
    help="The EOS vector, or all the model gets. [default: pooled]",
)
@click.option("--method", type=click.Choice(["delete", "mask"]), default="delete", help="Take the word out, or hide it. [default: delete]")
@click.option("--encoder", type=click.Choice(["preview"]), help="Take the small preview encoder that comes along, which is not CLIP.")
@click.option("--clip-skip", type=int, metavar="N", help="Take the n-th layer from the end.")
@click.option("--toward", metavar="TEXT", help="Also: which words pull the prompt to this text.")
@click.option("--against", metavar="TEXT", help="Also: which words set it apart from this prompt.")
@click.option("--top", type=click.IntRange(min=1), metavar="N", help="Only the first N of the ranking.")
@click.option("--plot", metavar="FILE", help="Also draw it into a file: .svg, .png or .html.")
def influence(argument: str, kind: str | None, output_format: TableFormat, top: int | None, plot: str | None, **asked: Any) -> int:
    """Show which words change what the model gets.

    Each word is taken out, the host reads the rest, and the text encoders' output is compared. That is influence on the text
    embedding, not on the picture. Without weights of the model's text encoders (see `promptlens encoders`) an approximate preview encoder
    is taken: its bands are a hint and no measurement.
    """
    if plot is not None:
        _check_plot(Path(plot))
    settings = settings_for(asked, argument, kind)
    if asked["clip_skip"] is not None:
        from promptlens.config import COMMAND_LINE  # with hosts and vocabularies behind it, which --help does without

        settings = settings.with_value("clip_skip", asked["clip_skip"], COMMAND_LINE)
    text, job = _prompt(argument, kind, settings)
    names = ("unit", "lens", "method", "toward", "against")
    with WorkBar("Encoding") as tell:
        needs_numpy_and_torch()
        from promptlens.commands_preview import encoders_or_preview
        from promptlens.influences import check_lens
        from promptlens.influences import influence as measure

        check_lens(asked["lens"], job.host, job.model)
        encoders = encoders_or_preview(job.model, asked_weights(asked, settings), asked["encoder"], named_root=bool(asked["roots"]))
        wanted = {name: asked[name] for name in names}
        found = measure(text, job.host, job.model, encoders=encoders, progress=tell, clip_skip=job.clip_skip, **wanted, **_options(job))
    if asked["clip_skip"] is not None and asked["lens"] == "pooled":
        talk("note", "--clip-skip does nothing to the pooled lens: the pooled vector is always that of the last layer.")
    if asked["precision"] == "bf16" and found.precision == "fp32":
        talk("note", "--precision bf16 does nothing to the preview encoder.")
    screen = screen_of(sys.stdout, settings.color)
    from promptlens.influences._page import page

    records = found.records()
    if top is not None:
        records = [records[n] for n in sorted(found.ranking[:top])]
    _write(page(found, screen.width, top), {**found.to_dict(), "units": records}, records, output_format, settings.color)
    if plot is not None:  # last: a picture that cannot be drawn takes no result away
        _plot(found, Path(plot))
    return OK


@click.command()
@click.argument("argument", metavar="PROMPT | FILE | -")
@_WHAT_WITH
@_WHAT_ARGUMENTS_ARE
@_WITH_ENCODERS
def similarity(argument: str, kind: str | None, output_format: TableFormat, **asked: Any) -> int:
    """Show how alike the words of a prompt are, to each other and to the whole.

    Cosines of each encoded alone. That is closeness of meaning, not influence.
    """
    settings = settings_for(asked, argument, kind)
    text, job = _prompt(argument, kind, settings)
    with WorkBar("Encoding") as tell:
        encoders = asked_weights(asked, settings).real_encoders(job.model)
        from promptlens.influences import similarity as measure
        from promptlens.influences._similarity_page import similarity_page

        found = measure(text, job.host, job.model, encoders=encoders, unit=asked["unit"], progress=tell, **_options(job))
    whole = found.to_dict()
    rows = zip(whole["labels"], whole["spans"], whole["whole"], whole["values"], strict=True)
    records = [{"text": label, "span": span, "whole": cosine, "values": values} for label, span, cosine, values in rows]
    screen = screen_of(sys.stdout, settings.color)
    _write(similarity_page(found, screen.width), whole, records, output_format, settings.color)
    return OK


def _prompt(argument: str, kind: str | None, settings: Any) -> tuple[str, Job]:
    """The prompt of an argument, and what it is analysed with."""
    from promptlens.inputs import read_one
    from promptlens.job import make_job

    job = make_job(settings)
    return read_one(argument, kind), job


def _options(job: Job) -> dict[str, Any]:
    """The host's options of a job."""
    from promptlens.hosts import HOSTS

    known = HOSTS[job.host].options.__dataclass_fields__
    return {name: value for name, value in job.usual.items() if name in known} | dict(job.chosen)


def _check_plot(path: Path) -> None:
    """Raise, before anything is computed, where the picture could not be drawn or written."""
    if path.suffix.lower() not in PLOTS:
        raise click.UsageError(f"--plot writes {', '.join(PLOTS[:-1])} or {PLOTS[-1]}, not {str(path)!r}.", click.get_current_context())
    if path.is_dir() or not path.parent.is_dir():
        why = "it is a folder" if path.is_dir() else f"there is no folder {path.parent}"
        raise InputError(f"{path} cannot be written: {why}.")
    if path.suffix.lower() == ".png":
        from promptlens.influences._png import drawer

        drawer()


def _plot(found: Influence, path: Path) -> None:
    """A picture of the strip and the ranking, or a page that tells more where one points."""
    if path.suffix.lower() == ".html":
        from promptlens.influences._html import document

        content = document(found).encode("utf-8", "backslashreplace")
    else:
        from promptlens.influences._card import card

        content = card(found).encode("utf-8", "backslashreplace")
    if path.suffix.lower() == ".png":
        from promptlens.influences._png import png

        content = png(content.decode("utf-8"))
    try:
        write_atomically(path, content)
    except OSError as e:
        raise InputError(f"{path} cannot be written: {e.strerror or e}.") from e


def _write(rows: Any, whole: Mapping[str, Any], records: Sequence[Mapping[str, Any]], output_format: TableFormat, color: Any) -> None:
    """The page, one JSON document, or a record a unit."""
    from promptlens.render._json import dumped
    from promptlens.render._table import written
    from promptlens.render.full import drawer

    screen = screen_of(sys.stdout, color)
    if output_format == "full":
        drawn: list[Row] = list(rows)
        sys.stdout.write(drawer(screen)(drawn))
    elif output_format == "json":
        sys.stdout.write(dumped(whole, screen, indent=2) + "\n")
    else:
        sys.stdout.writelines(written(records, output_format, screen))
