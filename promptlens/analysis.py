"""The one road every front end takes: prompt, host and model in, `Report` out."""

from __future__ import annotations

from os import PathLike, fspath
from typing import Any

from promptlens.errors import OptionError, UnknownNameError, UnsupportedError
from promptlens.hosts import HOSTS, EncoderUse, Host, HostFailure, Parsed, ParsedLine, hosts_for
from promptlens.hosts._join import join_uses
from promptlens.models import Model, get_model, with_tokenizer
from promptlens.quick import quick_maker
from promptlens.reach import counted_use
from promptlens.report import Finding, Found, HostError, Line, Report, Usage

# The syntax most prompts are written in and shared with is AUTOMATIC1111's, and most models people run are SDXL's children.
# SDXL's first encoder counts as SD1's does, so the numbers are right for both.
DEFAULT_HOST = "a1111"
DEFAULT_MODEL = "sdxl"
# Stands for the host that most people run the model in: `Model.default_host`.
MODELS_OWN = ""


def analyze(
    text: str, host: str = MODELS_OWN, model: str = DEFAULT_MODEL, *, t5_tokenizer: str | PathLike[str] = "", **options: Any
) -> Report:
    """What `host` sends to the text encoders of `model` for a prompt. Without a host it is the one that most people run the model in.

    `options` are the host's own settings by name (`HOSTS[host].options` lists them with their defaults). `t5_tokenizer` is the
    tokenizer.json of models with T5 in them; without it the file is looked for (t5_files.py). Never raises for a prompt: where the host
    itself fails on it, `report.usage.host_error` names its error. Wrong use raises `UnknownNameError`, `OptionError` or, where the host
    does not run the model, `UnsupportedError`.

    >>> report = analyze("a (red:1.2) cat", host="a1111", model="sd15")
    >>> report.usage.encoders[0].chunks[0].ids[:5], report.usage.encoders[0].chunks[0].weights[:4]
    ((49406, 320, 736, 2368, 49407), (1.0, 1.0, 1.2, 1.0))
    """
    route = _ROUTES.get((host, model)) or _route(host, model)
    row = with_tokenizer(route[1], fspath(t5_tokenizer)) if t5_tokenizer else route[1]
    return analyze_with(text, route[0], row, make_options(route[0], options) if options else route[2])


_new_line = quick_maker(Line)
_new_usage = quick_maker(Usage)
_new_report = quick_maker(Report)
_ROUTES: dict[tuple[str, str], tuple[Host, Model, Any]] = {}


def _route(host: str, model: str) -> tuple[Host, Model, Any]:
    """Host and model by name, and the host's default options, looked up once."""
    row = HOSTS[get_model(model).default_host if host == MODELS_OWN else host]
    wanted = get_model(model)
    found = _ROUTES[host, model] = (row, wanted, row.options())
    return found


def check_runs(host: Host, model: Model) -> None:
    """Raise `UnsupportedError`, which names the hosts that do, where a host does not run a model."""
    if model.family not in host.families:
        raise UnsupportedError(
            f"How {host.title} reads prompts for {model.title} is not known. Hosts that are: {', '.join(hosts_for(model))}."
        )


def make_options(host: Host, options: dict[str, Any]) -> Any:
    """The host's options from keyword arguments."""
    known = host.options.__dataclass_fields__
    for name in options:
        if name not in known:
            raise UnknownNameError("option", name, known, where=host.name)
    return host.options(**options)


def default_findings(usage: Usage) -> tuple[Finding, ...]:
    """What all rules find with their default settings."""
    from promptlens.rules import run_rules  # the rules are imported when somebody first asks for findings

    return run_rules(usage)


def analyze_with(text: str, host: Host, model: Model, options: Any, found: Found = default_findings) -> Report:
    """`analyze` with everything looked up: what to call in a loop. `found` is what finds the findings, when they are asked for."""
    if not isinstance(text, str):
        raise OptionError(f"A prompt is a str, not {type(text).__name__}.")
    if model.family not in host.families:
        check_runs(host, model)
    try:
        parsed = host.parse(text, options)
        lines = tuple([_new_line(line, tuple([host.pack(line, e, model, options) for e in model.encoders])) for line in parsed.lines])
    except HostFailure as failure:
        return Report(_failed(text, host, model, options, failure), found)
    if len(lines) > 1 or parsed.failure:
        return Report(_several(text, host, model, options, parsed, lines), found)
    return _new_report(_new_usage(text, host, model, lines, 0, parsed.removed, None, options), found)


def _several(text: str, host: Host, model: Model, options: Any, parsed: Parsed, lines: tuple[Line, ...]) -> Usage:
    """Usage of a prompt that is more than one text, or that the host fails on after reading it."""
    counted = [n for n, line in enumerate(lines) if line.parsed.counted]
    joined: tuple[EncoderUse, ...] = ()
    if parsed.joined and len(counted) > 1:
        joined = tuple(join_uses(uses) for uses in zip(*(lines[n].encoders for n in counted), strict=True))
    failure = HostError(parsed.failure.error, str(parsed.failure), parsed.failure.span) if parsed.failure else None
    first = counted[0] if parsed.joined else _heaviest(lines)
    return Usage(text, host, model, lines, first, parsed.removed, failure, options, joined)


def _heaviest(lines: tuple[Line, ...]) -> int:
    """Index of the line that the host's counter shows, or that it would show if it had one."""
    return max(range(len(lines)), key=lambda n: (lines[n].parsed.counted, _shown(counted_use(lines[n].encoders))))


def _shown(use: EncoderUse) -> int:
    return use.used + use.lost_count if use.shown_count is None else use.shown_count


def _failed(text: str, host: Host, model: Model, options: Any, failure: HostFailure) -> Usage:
    """Usage of a prompt that the host cannot encode: no chunks at all."""
    nothing = Line(ParsedLine(text, ()), tuple(EncoderUse(e, ()) for e in model.encoders))
    return Usage(text, host, model, (nothing,), 0, (), HostError(failure.error, str(failure), failure.span), options)
