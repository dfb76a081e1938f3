"""What goes first when `fix` and `check --fix` drop words to make a prompt fit: the options that say so, and influence as the measure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from promptlens.cli import with_options
from promptlens.commands_weights import ALLOW_PICKLE, PATHS_AND_ROOTS, asked_weights
from promptlens.errors import ConditioningError, InputError

if TYPE_CHECKING:
    from promptlens.config import Settings
    from promptlens.influences import Influence
    from promptlens.report import Usage
    from promptlens.shorten import Importance, Ranked

WHAT_GOES = with_options(
    click.option("--shorten", is_flag=True, help="Also drop tags until a prompt fits: into what the host keeps, or into the budget."),
    click.option(
        "--by",
        type=click.Choice(["order", "influence"]),
        help="Which tags go first: the last ones, or those that change the text embedding least. [default: order]",
    ),
    click.option("--encoder", type=click.Choice(["preview"]), help="With --by influence: the small preview encoder, which is not CLIP."),
    PATHS_AND_ROOTS,
    ALLOW_PICKLE,
)


_ONLY_BY_INFLUENCE = ("encoder", "paths", "roots", "allow_pickle")


def is_asked(asked: Mapping[str, Any]) -> bool:
    """Whether any of these options is given."""
    return any(asked[name] for name in ("shorten", "by", *_ONLY_BY_INFLUENCE))


def dropping(asked: Mapping[str, Any], settings: Settings, unsafe: bool) -> Importance | None:
    """By what tags are dropped; None where none may be."""
    drops, by = asked["shorten"] or unsafe, asked["by"]
    context = click.get_current_context()
    if by and not drops:
        raise click.UsageError("--by goes with --shorten or --unsafe-fixes.", context)
    if by != "influence" and any(asked[name] for name in _ONLY_BY_INFLUENCE):
        raise click.UsageError("--encoder, --encoder-path, --root and --allow-pickle go with --by influence.", context)
    if not drops:
        return None
    from promptlens.shorten import by_order  # the analysis, which the help need not wait for

    return ByInfluence(asked, settings) if by == "influence" else by_order


def _by_what(found: Influence) -> str:
    if found.approximate:
        return "the approximate preview encoder, which is not CLIP"
    return " and ".join(name.upper() for name in found.by_encoder)


class ByInfluence:
    """Ranks the tags of a prompt by their influence. Each model's encoders are looked up once, when the first prompt needs them."""

    def __init__(self, asked: Mapping[str, Any], settings: Settings) -> None:
        self.asked = asked
        self.settings = settings
        self.encoders: dict[str, Any] = {}

    def __call__(self, usage: Usage) -> Ranked:
        """The influence of each tag within its part of the prompt (AND); those that cannot be measured, such as mere signs, go last.

        Raises `WeightsError` with the way out where there is nothing to measure with.
        """
        encoders = self._encoders(usage.model.name)
        from promptlens.influences import influence  # numpy: only for those who ask
        from promptlens.shorten import Ranked, by_order, tag_spans

        options = {name: getattr(usage.options, name) for name in usage.host.options.__dataclass_fields__}
        parts = sorted({line.parsed.part for line in usage.lines})
        try:
            found = [
                influence(usage.prompt, usage.host.name, usage.model.name, encoders=encoders, unit="tag", part=n, **options) for n in parts
            ]
        except (ConditioningError, InputError) as error:  # of this prompt
            return by_order(usage)._replace(by=f"the last ones first (influence cannot be measured here: {error})")
        known = {span: score for each in found for span, score in zip(each.spans, each.scores, strict=True) if score == score}
        scores = tuple(known.get(span, float("inf")) for span in tag_spans(usage))
        return Ranked(scores, f"those of least influence first, by {_by_what(found[0])}")

    def _encoders(self, model: str) -> Any:
        from promptlens.weights import needs_numpy_and_torch

        needs_numpy_and_torch()
        from promptlens.commands_preview import encoders_or_preview

        if model not in self.encoders:
            weights = asked_weights(self.asked, self.settings)
            self.encoders[model] = encoders_or_preview(model, weights, self.asked["encoder"], named_root=bool(self.asked["roots"]))
        return self.encoders[model]
