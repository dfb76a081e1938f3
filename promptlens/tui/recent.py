"""The files opened last, kept in the state folder."""

from __future__ import annotations

import json
from pathlib import Path

from promptlens.errors import InputError
from promptlens.tui.drafts import state_folder
from promptlens.tui.files import write_file

KEPT = 20


def recent_files(folder: Path | None = None) -> list[Path]:
    """The last files, newest first, as far as they are still there. A list that cannot be read is an empty one."""
    try:
        names = json.loads(((folder or state_folder()) / "recent.json").read_bytes())
    except (OSError, ValueError):
        return []
    return [Path(n) for n in names if isinstance(n, str) and Path(n).is_file()] if isinstance(names, list) else []


def remember(path: Path, folder: Path | None = None) -> None:
    """Put a file first. Where the list cannot be written, nothing is remembered."""
    place = folder or state_folder()
    known = [path.absolute(), *(p for p in recent_files(place) if p != path.absolute())]
    try:
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_file(place / "recent.json", json.dumps([str(p) for p in known[:KEPT]]).encode())
    except (OSError, InputError):
        return
