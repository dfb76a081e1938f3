"""Writes the pictures of README.md and docs/: what the tool itself draws for `promptlens check --format svg` and `influence --plot`.

usage: make_pictures.py [--check]
`--check` changes nothing and fails when a picture is out of date.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from generate import EXAMPLE, FOX, ROOT

DOCS = ROOT / "docs"
PICTURES = {
    "check.svg": ("--host", "diffusers", EXAMPLE),
    "chunks.svg": ("--host", "a1111", EXAMPLE),
}


def picture(arguments: tuple[str, ...]) -> str:
    """The SVG that the tool writes, 80 columns wide, without any settings file."""
    command = [sys.executable, "-m", "promptlens", "check", "--isolated", "--format", "svg", *arguments]
    environment = {**os.environ, "COLUMNS": "80", "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", env=environment, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command)}: {done.stderr}")
    return done.stdout


def plot() -> str:
    """The card that `influence` draws with the preview encoder."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "influence.svg")
        arguments = ("--isolated", "--encoder", "preview", "--model", "sd15", "--plot", str(file), FOX)
        subprocess.run([sys.executable, "-m", "promptlens", "influence", *arguments], stdout=subprocess.DEVNULL, cwd=ROOT, check=True)
        return file.read_text(encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    old = []
    drawings = {name: partial(picture, what) for name, what in PICTURES.items()} | {"influence.svg": plot}
    for name, draw in drawings.items():
        path, drawn = DOCS / name, draw()
        if not path.exists() or path.read_text(encoding="utf-8") != drawn:
            old.append(name)
            if not arguments.check:
                path.write_text(drawn, encoding="utf-8")
    if old and arguments.check:
        print(f"out of date: {', '.join(old)}; run docs/make_pictures.py", file=sys.stderr)
    return 1 if old and arguments.check else 0


if __name__ == "__main__":
    raise SystemExit(main())
