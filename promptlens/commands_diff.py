"""The command `diff`: one prompt in several hosts, or what changed between two prompts."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from promptlens.cli import _WHAT_ARGUMENTS_ARE, _WHAT_WITH, AS_FORMAT, FINDINGS, OK, _settings, with_options
from promptlens.errors import InputError, OptionError
from promptlens.terminal import ColorChoice, Screen, screen_of

if TYPE_CHECKING:
    from promptlens.comparing import HostView, PromptDiff
    from promptlens.config import Settings
    from promptlens.given import Given
    from promptlens.job import Job

ALL = "all"
SIDE_BY_SIDE = ("full", "json", "jsonl")

_OUTPUT = click.option(
    "--format", "output_format", type=click.Choice(SIDE_BY_SIDE), default="full", help="How to write it. [default: full]"
)


@click.command()
@click.argument("arguments", nargs=-1, required=True, metavar="A [B]")
@with_options(click.option("--hosts", metavar="NAMES", help="One prompt in these hosts, with commas between them, or in `all`."))
@_WHAT_WITH
@_WHAT_ARGUMENTS_ARE
@AS_FORMAT
@_OUTPUT
@click.option("--exit-code", is_flag=True, help="Exit with 1 when the encoders get something else.")
def diff(arguments: tuple[str, ...], hosts: str | None, kind: str | None, output_format: str, exit_code: bool, **asked: Any) -> int:
    """Show what changed between two prompts, or one prompt in several hosts.

    A and B are prompts, files, or git:REVISION:PATH for a file as it was. Of files with several prompts those are shown that changed.
    With --hosts, A is shown in each of them: chunks, counts, lost words, and where the cuts differ.
    """
    from promptlens.given import given_by
    from promptlens.job import make_job

    settings = _settings(asked)
    if hosts is not None:
        if len(arguments) != 1:
            raise click.UsageError("With --hosts give one prompt.", click.get_current_context())
        usual, names = make_job(settings), host_names(hosts)
        prompts = [(prompt.text, prompt.job or usual) for prompt in given_by(arguments[0], kind, settings, asked)]
        return write_hosts(prompts, names, settings.color, output_format)
    if len(arguments) != 2:
        raise click.UsageError("Give two prompts, or one and --hosts NAMES.", click.get_current_context())
    sides = [given_by(argument, kind, settings, asked) for argument in arguments]
    return _compare(sides, arguments, settings, output_format, exit_code)


def host_names(text: str) -> tuple[str, ...]:
    """The hosts that a list with commas names; `all` is every one of them. Raises `UnknownNameError` or `OptionError`."""
    from promptlens.hosts import HOSTS

    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not names:
        raise OptionError(f"--hosts takes names with commas between them, such as a1111,comfyui, or all, not {text!r}.")
    if ALL in names:
        return tuple(HOSTS)
    for name in names:
        HOSTS[name]
    return names


def write_hosts(prompts: Iterable[tuple[str, Job]], names: Sequence[str], color: ColorChoice, output_format: str) -> int:
    """Each prompt, given with its job, in each host, to stdout; exit code 1 when a host loses words of one or fails on it."""
    from promptlens.comparing import across_hosts
    from promptlens.models import get_model
    from promptlens.render._comparison import host_page

    screen = screen_of(sys.stdout, color)
    ok = True
    documents: list[dict[str, Any]] = []
    for number, (text, job) in enumerate(prompts):
        views = across_hosts(text, names, lambda text, host, job=job: job.for_host(host).report(text))  # type: ignore[misc]
        ok = ok and all(view.report is None or view.report.ok for view in views)
        if output_format == "full":
            _draw([[]] * bool(number), screen)
            _draw(host_page(text, views, get_model(job.model), screen), screen)
        else:
            documents.append(_host_document(text, job.model, views))
    if output_format != "full":
        _dump(documents, output_format, screen)
    return OK if ok else FINDINGS


def _host_document(text: str, model: str, views: Sequence[HostView]) -> dict[str, Any]:
    from promptlens.comparing import same_cuts

    groups = [[view.host for view in group] for group in same_cuts(views)]
    return {"schema": 1, "prompt": text, "model": model, "hosts": [view.to_dict() for view in views], "same_cuts": groups}


def _compare(sides: Sequence[Sequence[Given]], names: Sequence[str], settings: Settings, output_format: str, exit_code: bool) -> int:
    screen = screen_of(sys.stdout, settings.color)
    found = list(_pairs(sides, _jobs(sides, names, settings)))
    if output_format == "full":
        from promptlens.render._comparison import diff_page

        changed = [(pair, one) for pair, one in found if len(found) == 1 or one.before.usage.prompt != one.after.usage.prompt]
        for number, (pair, one) in enumerate(changed):
            _draw([[]] * bool(number), screen)
            _draw(diff_page(one, pair, screen), screen)
        if not changed:
            sys.stdout.write("No prompt changed.\n")
    else:
        documents = [{"schema": 1, "names": list(pair), **one.to_dict()} for pair, one in found]
        _dump(documents, output_format, screen)
    return FINDINGS if exit_code and not all(one.same for _, one in found) else OK


def _jobs(sides: Sequence[Sequence[Given]], names: Sequence[str], settings: Settings) -> tuple[Job, Job]:
    """What the two sides, given under some names, are analysed with: a text as the file that it is compared with.

    Raises `InputError` where two files are read by other hosts or models: what differs then is not the prompts.
    """
    from promptlens.job import make_job

    before, after = (side[0].job for side in sides)
    old, new = before or after, after or before
    if old is None or new is None:
        usual = make_job(settings)
        return usual, usual
    if (old.host, old.model) != (new.host, new.model):
        said = " and ".join(f"{name} for {job.host} with {job.model}" for name, job in zip(names, (old, new), strict=True))
        raise InputError(f"The files are made for different programs or models: {said}. Say --host and --model to compare the prompts.")
    return old, new


def _pairs(sides: Sequence[Sequence[Given]], jobs: tuple[Job, Job]) -> Iterator[tuple[tuple[str, str], PromptDiff]]:
    """Prompts that belong together, compared: by their keys within their files; one that has no other side, with nothing."""
    from promptlens.comparing import compare_reports
    from promptlens.given import Given

    (before, after), (old, new) = sides, jobs
    if len(before) == len(after) == 1:
        yield (before[0].name, after[0].name), compare_reports(old.report(before[0].text), new.report(after[0].text))
        return
    olds, news = ({given.key: given for given in side} for side in (before, after))
    nothing = Given("nothing", "")
    for key in dict.fromkeys([*olds, *news]):
        was, now = olds.get(key, nothing), news.get(key, nothing)
        yield (was.name, now.name), compare_reports(old.report(was.text), new.report(now.text))


def _draw(rows: Any, screen: Screen) -> None:
    from promptlens.render.full import drawer

    sys.stdout.write(drawer(screen)(list(rows)))


def _dump(documents: Sequence[Mapping[str, Any]], output_format: str, screen: Screen) -> None:
    from promptlens.render._json import dumped

    if output_format == "jsonl":
        sys.stdout.writelines(dumped(document, screen) + "\n" for document in documents)
    else:
        sys.stdout.write(dumped(documents[0] if len(documents) == 1 else documents, screen, indent=2) + "\n")
