"""Writes the generated parts of README.md: the command reference, the tables of hosts and models, and example output.

usage: generate.py [--check]
Each part stands between `<!-- begin: NAME -->` and `<!-- end: NAME -->`. `--check` changes nothing and fails when a part is out of date.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Callable
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


PARTS: dict[str, Callable[[], str]] = {
    "reference": reference,
    "hosts": hosts_table,
    "models": models_table,
    "lost": lost_example,
}


def generated(text: str) -> str:
    """The text with every part made anew."""
    for name, make in PARTS.items():
        pattern = re.compile(rf"(<!-- begin: {name} -->\n).*?(<!-- end: {name} -->)", re.DOTALL)
        if not pattern.search(text):
            raise SystemExit(f"README.md has no part {name!r}")
        part = make()
        text = pattern.sub(lambda match, part=part: f"{match.group(1)}{part}\n{match.group(2)}", text)  # type: ignore[misc]
    return text


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    before = README.read_text(encoding="utf-8")
    after = generated(before)
    if before == after:
        return 0
    if arguments.check:
        print("README.md is out of date: run `make docs`", file=sys.stderr)
        return 1
    README.write_text(after, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
