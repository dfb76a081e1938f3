"""What is said of influence in words, on the page and in pictures: the noise floor, what does nothing, which boundaries move."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isnan

from promptlens.influences._result import Influence
from promptlens.models import ENCODERS
from promptlens.render._runs import Row, Run, quoted, wrap

LABEL_CHARS = 40
_LISTED = 12


def notes(found: Influence, width: int) -> Iterator[Row]:
    """In words: the noise floor, what does nothing, which boundaries move, what the numbers of targets mean."""
    if not found.scores:
        yield from wrap([Run(f"There is no {found.unit} in this prompt to take out.")], width)
        return
    if not found.approximate:
        yield from wrap([Run(floor_words(found))], width)
    yield from _quiet(found, width)
    yield from _moved(found, width)
    yield from _left_out(found, width)
    if not found.approximate:
        yield from _aims(found, width)


def floor_words(found: Influence) -> str:
    if not found.noise_commas:
        how = "adding a comma"
    else:
        done = "hiding" if found.method == "mask" else "deleting"
        how = f"{done} a comma, the median of {found.noise_commas}" if found.noise_commas > 1 else f"{done} the comma"
    if isnan(found.noise_floor):
        return "There is no comma to compare with here, so the noise floor is unknown."
    return f"Noise floor {figure(found.noise_floor)}: the effect of {how}."


def _quiet(found: Influence, width: int) -> Iterator[Row]:
    quiet = found.quiet
    if not quiet:
        return
    tokens = sum(found.tokens[n] for n in quiet)
    what = f"These {len(quiet)} {found.unit}s do" if len(quiet) > 1 else f"This {found.unit} does"
    yield from wrap([Run(f"{what} nothing measurable: {tokens} token{'s' if tokens != 1 else ''}", "title")], width)
    yield from wrap([Run(_listed(found, quiet))], width, first="  ", indent="  ")
    lost = [n for n in quiet if found.lost[n]]
    if lost:
        yield from wrap([Run(f"Of these, {len(lost)} never {'reaches' if len(lost) == 1 else 'reach'} the encoder.")], width)


def _moved(found: Influence, width: int) -> Iterator[Row]:
    moved = [n for n, m in enumerate(found.moved) if m]
    if moved:
        yield from wrap([Run(f"Without these a chunk boundary moves, so their number is that of the move too ({len(moved)}):")], width)
        yield from wrap([Run(_listed(found, moved))], width, first="  ", indent="  ")


def _left_out(found: Influence, width: int) -> Iterator[Row]:
    if found.left_out:
        names = " and ".join(ENCODERS[name].title for name in found.left_out)
        yield from wrap(
            [Run(f"The model also reads the prompt with {names}, which is not run: what that makes of it is not in here.")], width
        )


def _aims(found: Influence, width: int) -> Iterator[Row]:
    if found.toward_cosine is not None:
        yield from wrap([Run(f"Cosine with the target {found.toward_cosine:.4f}; + pulls the prompt to it, - away from it.")], width)
    if found.against_distance == 0.0:
        yield from wrap([Run("To the text encoders the other prompt is the same as this one, so no word sets them apart.")], width)
    elif found.against_distance is not None:
        yield from wrap([Run(f"Distance to the other prompt {found.against_distance:.4f}; + sets them apart.")], width)


def _listed(found: Influence, units: Sequence[int]) -> str:
    shown = ", ".join(quoted(found.labels[n], LABEL_CHARS) for n in units[:_LISTED])
    return shown if len(units) <= _LISTED else f"{shown} and {len(units) - _LISTED} more"


def figure(value: float | None) -> str:
    """A score in four decimals, a smaller one by its order of magnitude.

    >>> figure(0.12345), figure(0.0000123), figure(None)
    ('0.1235', '1e-05', '-')
    """
    return "-" if value is None else f"{value:.4f}" if value >= 0.00005 or not value else f"{value:.0e}"
