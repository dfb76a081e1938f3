"""The one road every front end takes: prompt, host and model in, `Report` out."""

from __future__ import annotations

from typing import Any

from promptlens.errors import OptionError, UnknownNameError
from promptlens.hosts import HOSTS, EncoderUse, Host, HostFailure, ParsedLine
from promptlens.models import Model, get_model
from promptlens.report import HostError, Line, Report, Usage

# The syntax most prompts are written in and shared with is AUTOMATIC1111's, and most models people run are SDXL's children.
# SDXL's first encoder counts as SD1's does, so the numbers are right for both.
DEFAULT_HOST = "a1111"
DEFAULT_MODEL = "sdxl"


def analyze(text: str, host: str = DEFAULT_HOST, model: str = DEFAULT_MODEL, **options: Any) -> Report:
    """What `host` sends to the text encoders of `model` for a prompt.

    `options` are the host's own settings by name (`HOSTS[host].options` lists them with their defaults). Never raises for a prompt:
    where the host itself fails on it, `report.usage.host_error` names its error. Wrong use raises `UnknownNameError` or `OptionError`.

    >>> report = analyze("a (red:1.2) cat", host="a1111", model="sd15")
    >>> report.usage.encoders[0].chunks[0].ids[:5], report.usage.encoders[0].chunks[0].weights[:4]
    ((49406, 320, 736, 2368, 49407), (1.0, 1.0, 1.2, 1.0))
    """
    return analyze_with(text, HOSTS[host], get_model(model), make_options(HOSTS[host], options))


def make_options(host: Host, options: dict[str, Any]) -> Any:
    """The host's options from keyword arguments; without any, one shared set of defaults."""
    if not options:
        return _defaults(host)
    known = host.options.__dataclass_fields__
    for name in options:
        if name not in known:
            raise UnknownNameError("option", name, known, where=host.name)
    return host.options(**options)


_DEFAULTS: dict[str, Any] = {}


def _defaults(host: Host) -> Any:
    found = _DEFAULTS.get(host.name)
    if found is None:
        found = _DEFAULTS[host.name] = host.options()
    return found


def analyze_with(text: str, host: Host, model: Model, options: Any) -> Report:
    """`analyze` with everything looked up: what to call in a loop."""
    if not isinstance(text, str):
        raise OptionError(f"A prompt is a str, not {type(text).__name__}.")
    try:
        parsed = host.parse(text, options)
        lines = tuple([Line(line, _packed(line, host, model, options)) for line in parsed.lines])
    except HostFailure as failure:
        return Report(_failed(text, host, model, options, failure))
    return Report(Usage(text, host, model, lines, _heaviest(lines) if len(lines) > 1 else 0, parsed.removed, None, options))


def _packed(line: ParsedLine, host: Host, model: Model, options: Any) -> tuple[EncoderUse, ...]:
    return tuple([host.pack(line, encoder, model, options) for encoder in model.encoders])


def _heaviest(lines: tuple[Line, ...]) -> int:
    """Index of the line that the host's counter shows."""
    counts = [line.encoders[0].shown_count or 0 for line in lines]
    return counts.index(max(counts))


def _failed(text: str, host: Host, model: Model, options: Any, failure: HostFailure) -> Usage:
    """Usage of a prompt that the host cannot encode: no chunks at all."""
    nothing = Line(ParsedLine(text, ()), tuple(EncoderUse(e, ()) for e in model.encoders))
    return Usage(text, host, model, (nothing,), 0, (), HostError(failure.error, str(failure), failure.span), options)
