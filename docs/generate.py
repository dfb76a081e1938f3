"""Writes the generated parts of README.md (command reference, tables of hosts and models, example output) and of the pages of docs/.

usage: generate.py [--check]
Each part stands between `<!-- begin: NAME -->` and `<!-- end: NAME -->`. `--check` changes nothing and fails when a part is out of date.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
EXAMPLE = (
    "masterpiece, best quality, (1girl:1.2), silver hair, long coat, standing on a rooftop at night, neon signs, heavy rain, "
    "reflections in puddles, looking over her shoulder, cinematic lighting, dramatic shadows, volumetric fog, shallow depth of field, "
    "bokeh, 35mm photograph, film grain, intricate details, sharp focus, trending on artstation, by greg rutkowski and alphonse mucha"
)


def output(*arguments: str) -> str:
    """What the tool prints, in a pipe, 80 columns wide, without any settings file."""
    environment = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "promptlens", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", env=environment, cwd=ROOT, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command)}: {done.stderr}")
    return done.stdout.rstrip()


def fenced(text: str) -> str:
    return f"```text\n{text}\n```"


def commands() -> list[str]:
    """Names of the commands, in the order of the help."""
    import click

    from promptlens.cli import main as group

    assert isinstance(group, click.Group)
    context = click.Context(group)
    return [name for name in group.list_commands(context) if not getattr(group.get_command(context, name), "hidden", False)]


def reference() -> str:
    parts = ["`promptlens --help`", fenced(output("--help"))]
    for name in commands():
        parts += [f"`promptlens {name} --help`", fenced(output(name, "--help"))]
    return "\n\n".join(parts)


def hosts_table() -> str:
    from promptlens import HOSTS

    rows = "\n".join(f"| `{h.name}` | {h.title} | {h.summary} |" for h in HOSTS.values())
    return f"| host | | what it does with a long prompt |\n|---|---|---|\n{rows}"


def models_table() -> str:
    from promptlens import MODELS

    rows = "\n".join(f"| `{m.name}` | {m.title} | {', '.join(e.title for e in m.encoders)} |" for m in MODELS.values())
    return f"| model | | text encoders |\n|---|---|---|\n{rows}"


def lost_example() -> str:
    command = 'promptlens check --host diffusers --model sd15 "$PROMPT"'
    return fenced(f"$ {command}\n{output('check', '--host', 'diffusers', '--model', 'sd15', EXAMPLE)}")


FOX = "a photo of a red fox in the snow, golden hour, soft bokeh, highly detailed, 8k"


def influence_speed() -> str:
    """The table of benchmarks/influence.json, as `make bench-influence` left it, and where it was measured."""
    import runpy

    return str(runpy.run_path(str(ROOT / "benchmarks" / "influence_table.py"))["section"]())


def influence_example(*options: str) -> Callable[[], str | None]:
    """What `influence` shows of a prompt with the preview encoder; None where torch is not there to run it."""

    def make() -> str | None:
        if find_spec("torch") is None or find_spec("safetensors") is None:
            return None
        shown = output("influence", "--isolated", "--encoder", "preview", "--model", "sd15", *options, FOX)
        return fenced(f'$ promptlens influence --model sd15 {shlex.join(options)}{" " if options else ""}"$PROMPT"\n{shown}')

    return make


def formats_table() -> str:
    from promptlens.sources import FORMATS, Format

    def told(row: Format) -> str:
        names = ", ".join(f"`{name}`" for name in row.names)
        content = ", ".join(f"`{suffix}`" for suffix in row.suffixes) + " by content" if row.suffixes else ""
        return "; ".join(part for part in (names, content) if part) or "settings, or the rest of `.txt`"

    def line(row: Format) -> str:
        back = "no" if row.read_bytes else "yes"
        comment = f"lines that begin with `{row.comment}`" if row.comment else "none"
        return f"| `{row.name}` | {row.title} | {row.summary} | {told(row)} | {row.kind}: {', '.join(row.roles)} | {comment} | {back} |"

    rows = "\n".join(line(row) for row in FORMATS.ranked())
    head = "| format | | what a prompt in it is | told by | kind: roles | comments | written back |"
    return f"{head}\n|---|---|---|---|---|---|---|\n{rows}"


def hosts_pages() -> str:
    """A section for each host: what it does, what its options are, what that was read from, and what the tool shows of a prompt in it."""
    from inspect import cleandoc

    from promptlens import HOSTS
    from promptlens.conditionings import CONDITIONERS

    sections = []
    for name in HOSTS.built_in:
        host = HOSTS[name]
        module = sys.modules[host.parse.__module__]
        about = cleandoc(module.__doc__ or "")
        options = cleandoc(host.options.__doc__ or "")
        how = "Observed: equal to what the program itself produced." if host.observed else "Read in its code and documents, not observed."
        command = f'$ promptlens check --host {name} --model sdxl "$PROMPT"'
        shown = output("check", "--host", name, "--model", "sdxl", EXAMPLE)
        parts = [
            f"## {host.title} (`{name}`)",
            host.summary,
            about,
            f"{how} Reference: {host.reference}.",
            f"Its conditioning tensor, for `influence --lens conditioning`: {CONDITIONERS[name].reference}.",
            f"Syntax it reads: {', '.join(sorted(host.syntax)) or 'none'}.",
            fenced(options),
            fenced(f"{command}\n{shown}"),
        ]
        sections.append("\n\n".join(parts))
    return "\n\n".join(sections)


def rules_pages() -> str:
    """A section for each rule, as `promptlens rules CODE` shows it."""
    from promptlens.rules import RULES

    return "\n\n".join(f"## {row.code} {row.name}\n\n{fenced(output('rules', row.code))}" for row in RULES.values())


def keys_table() -> str:
    """The keys of the terminal UI, as its classes bind them."""
    from promptlens.tui.keys import bound

    rows = {(b.id, b.keys, b.description or b.action.replace("_", " ")): b.dialog for b in bound()}
    lines = [f"| {keys.replace(',', ', ')} | {said} | `{name}` |" for (name, keys, said), dialog in rows.items() if not dialog]
    return "\n".join(["| key | | name |", "|---|---|---|", *lines])


PARTS: dict[str, Callable[[], str | None]] = {
    "reference": reference,
    "hosts": hosts_table,
    "models": models_table,
    "lost": lost_example,
}


PAGES: dict[Path, dict[str, Callable[[], str | None]]] = {
    README: PARTS,
    ROOT / "docs" / "formats.md": {"formats": formats_table},
    ROOT / "docs" / "hosts.md": {"hosts": hosts_pages},
    ROOT / "docs" / "rules.md": {"rules": rules_pages},
    ROOT / "docs" / "tui.md": {"keys": keys_table},
    ROOT / "docs" / "influence.md": {
        "influence-speed": influence_speed,
        "words": influence_example(),
        "tags": influence_example("--unit", "tag", "--toward", "a winter landscape"),
    },
}


def generated(page: Path, text: str) -> str:
    """The text of a page with every part made anew."""
    for name, make in PAGES[page].items():
        pattern = re.compile(rf"(<!-- begin: {name} -->\n).*?(<!-- end: {name} -->)", re.DOTALL)
        if not pattern.search(text):
            raise SystemExit(f"{page.name} has no part {name!r}")
        part = make()
        if part is None:  # it cannot be made here, and stays as it is
            continue
        text = pattern.sub(lambda match, part=part: f"{match.group(1)}{part}\n{match.group(2)}", text)  # type: ignore[misc]
    return text


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    late = False
    for page in PAGES:
        before = page.read_text(encoding="utf-8")
        after = generated(page, before)
        if before != after and arguments.check:
            late = True
            print(f"{page.relative_to(ROOT)} is out of date: run `make docs`", file=sys.stderr)
        elif before != after:
            page.write_text(after, encoding="utf-8")
    return 1 if late else 0


if __name__ == "__main__":
    raise SystemExit(main())
