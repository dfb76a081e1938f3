"""The command `diff`: one prompt in several hosts, or what changed between two prompts."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from promptlens.cli import _WHAT_ARGUMENTS_ARE, _WHAT_WITH, FINDINGS, OK, _settings, with_options
from promptlens.errors import InputError, OptionError
from promptlens.terminal import Screen, screen_of

if TYPE_CHECKING:
    from promptlens.comparing import HostView, PromptDiff
    from promptlens.config import Settings
    from promptlens.inputs import Argument
    from promptlens.job import Job
    from promptlens.report import Report
    from promptlens.sources import Prompt
    from promptlens.sources._prompt import Item

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
@_OUTPUT
@click.option("--exit-code", is_flag=True, help="Exit with 1 when the encoders get something else.")
def diff(arguments: tuple[str, ...], hosts: str | None, kind: str | None, output_format: str, exit_code: bool, **asked: Any) -> int:
    """Show what changed between two prompts, or one prompt in several hosts.

    A and B are prompts, files, or git:REVISION:PATH for a file as it was. Of files with several prompts those are shown that changed.
    With --hosts, A is shown in each of them: chunks, counts, lost words, and where the cuts differ.
    """
    from promptlens.job import make_job

    settings = _settings(asked)
    if hosts is not None:
        if len(arguments) != 1:
            raise click.UsageError("With --hosts give one prompt.", click.get_current_context())
        prompts = _read(arguments[0], kind, make_job(settings))
        return write_hosts([text for _, text in prompts], host_names(hosts), settings, output_format)
    if len(arguments) != 2:
        raise click.UsageError("Give two prompts, or one and --hosts NAMES.", click.get_current_context())
    return _compare(arguments, kind, settings, output_format, exit_code)


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


def write_hosts(texts: Sequence[str], names: Sequence[str], settings: Settings, output_format: str) -> int:
    """Each prompt in each host, to stdout; exit code 1 when a host loses words of one or fails on it."""
    from promptlens.comparing import across_hosts
    from promptlens.job import make_job
    from promptlens.models import get_model
    from promptlens.render._comparison import host_page

    job = make_job(settings)
    screen = screen_of(sys.stdout, settings.color)
    shown = ((text, across_hosts(text, names, lambda text, host: job.for_host(host).report(text))) for text in texts)
    ok = True
    documents: list[dict[str, Any]] = []
    for number, (text, views) in enumerate(shown):
        ok = ok and all(view.report is None or view.report.ok for view in views)
        if output_format == "full":
            _draw([[]] * bool(number), screen)
            _draw(host_page(text, views, get_model(settings.model), screen), screen)
        else:
            documents.append(_host_document(text, settings.model, views))
    if output_format != "full":
        _dump(documents, output_format, screen)
    return OK if ok else FINDINGS


def _host_document(text: str, model: str, views: Sequence[HostView]) -> dict[str, Any]:
    from promptlens.comparing import same_cuts

    groups = [[view.host for view in group] for group in same_cuts(views)]
    return {"schema": 1, "prompt": text, "model": model, "hosts": [view.to_dict() for view in views], "same_cuts": groups}


def _compare(arguments: Sequence[str], kind: str | None, settings: Settings, output_format: str, exit_code: bool) -> int:
    from promptlens.job import make_job

    job = make_job(settings)
    before, after = (_read(argument, kind, job) for argument in arguments)
    screen = screen_of(sys.stdout, settings.color)
    found = list(_pairs(before, after, job))
    if output_format == "full":
        from promptlens.render._comparison import diff_page

        changed = [(names, one) for names, one in found if len(found) == 1 or one.before.usage.prompt != one.after.usage.prompt]
        for number, (names, one) in enumerate(changed):
            _draw([[]] * bool(number), screen)
            _draw(diff_page(one, names, screen), screen)
        if not changed:
            sys.stdout.write("No prompt changed.\n")
    else:
        documents = [{"schema": 1, "names": list(names), **one.to_dict()} for names, one in found]
        _dump(documents, output_format, screen)
    return FINDINGS if exit_code and not all(one.same for _, one in found) else OK


Named = tuple[str, str]  # what a prompt is called, and its text


def _pairs(before: Sequence[Named], after: Sequence[Named], job: Job) -> Iterator[tuple[tuple[str, str], PromptDiff]]:
    """Prompts that belong together, compared: by their names within their files; one that has no other side, with nothing."""
    from promptlens.comparing import compare_reports

    if len(before) == len(after) == 1:
        (old, a), (new, b) = before[0], after[0]
        yield (old, new), compare_reports(job.report(a), job.report(b))
        return
    olds, news = _keyed(before), _keyed(after)
    empty: Report | None = None
    for key in dict.fromkeys([*olds, *news]):
        if key not in olds or key not in news:
            empty = empty or job.report("")
        was = job.report(olds[key][1]) if key in olds else empty
        now = job.report(news[key][1]) if key in news else empty
        assert was is not None
        assert now is not None
        yield (olds.get(key, ("nothing", ""))[0], news.get(key, ("nothing", ""))[0]), compare_reports(was, now)


def _keyed(prompts: Sequence[Named]) -> dict[str, Named]:
    """Prompts by what they are called inside their file."""
    return {name.partition(INSIDE)[2] or name: (name, text) for name, text in prompts}


INSIDE = " · "


def _read(argument: str, kind: str | None, job: Job) -> list[Named]:
    """The prompts that an argument names. Raises `InputError` where there is none."""
    from promptlens.gitfiles import PREFIX, split_name
    from promptlens.inputs import told_apart

    if kind != "text" and argument.startswith(PREFIX) and split_name(argument):
        return _of_revision(argument)
    (given,) = told_apart([argument], kind or "auto")  # type: ignore[arg-type]
    return _of_argument(given, job)


def texts_of(given: Argument, settings: Settings) -> list[str]:
    """The texts of all prompts that an argument of a command names."""
    from promptlens.job import make_job

    return [text for _, text in _of_argument(given, make_job(settings))]


def _of_argument(given: Argument, job: Job) -> list[Named]:
    from promptlens.inputs import Unreadable, prompt_argument, read_stdin

    if given.kind == "path":
        return _of_file(given.value, job)
    found: list[Named] = []
    for prompt in read_stdin("text") if given.kind == "stdin" else [prompt_argument(given.value, given.name)]:
        if isinstance(prompt, Unreadable):
            raise InputError(f"{prompt.name}: {prompt.message}")
        found.append((prompt.name, prompt.text))
    return found


def _of_file(path: str, job: Job) -> list[Named]:
    """The prompts of a file."""
    from promptlens.checking import Plan, format_of
    from promptlens.sources import read

    row = format_of(path, Plan(job), named=True)
    assert row is not None  # of a file that is named
    return _named(read(path, as_format=row.name), path)


def _of_revision(name: str) -> list[Named]:
    """The prompts of a file as it was in a revision."""
    from promptlens.gitfiles import read_revision, split_name
    from promptlens.sources import FORMATS, detect, read_document
    from promptlens.sources._document import HEAD_BYTES, decode
    from promptlens.sources._format import DEFAULT_SETTINGS

    _revision, path = split_name(name) or ("", "")
    content = read_revision(name)
    row = detect(path, content[:HEAD_BYTES]) or FORMATS["lines"]
    if row.read_bytes:
        return _named(row.read_bytes(name, content, DEFAULT_SETTINGS), name)
    return _named(read_document(decode(name, content, bom=row.bom, undecodable=row.undecodable), row), name)


def _named(items: Iterable[Item], name: str) -> list[Named]:
    """The prompts among what a file holds, as far as their texts are known; several are told apart by their keys."""
    from promptlens.sources import Prompt

    prompts = [item for item in items if isinstance(item, Prompt) and not item.computed]
    if not prompts:
        raise InputError(f"{name}: there is no prompt in it.")
    return [(f"{name}{INSIDE}{_key(p)}" if len(prompts) > 1 else name, p.text) for p in prompts]


def _key(prompt: Prompt) -> str:
    return f"{prompt.key} ({prompt.role})" if prompt.key else f"{prompt.line}"


def _draw(rows: Any, screen: Screen) -> None:
    from promptlens.render.full import drawer

    sys.stdout.write(drawer(screen)(list(rows)))


def _dump(documents: Sequence[Mapping[str, Any]], output_format: str, screen: Screen) -> None:
    from promptlens.render._json import dumped

    if output_format == "jsonl":
        sys.stdout.writelines(dumped(document, screen) + "\n" for document in documents)
    else:
        sys.stdout.write(dumped(documents[0] if len(documents) == 1 else documents, screen, indent=2) + "\n")
