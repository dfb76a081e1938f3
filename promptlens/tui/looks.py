"""What is a user's own and no matter of the prompts, theme and compact view: kept in the state folder, as soon as it is changed."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from promptlens.errors import InputError
from promptlens.tui.drafts import state_folder
from promptlens.tui.files import write_file

FILE = "looks.json"


@dataclass(frozen=True, slots=True)
class Looks:
    """`theme`: "" for the usual one."""

    theme: str = ""
    compact: bool = False


def remembered_looks(folder: Path | None = None) -> Looks:
    """What was chosen last; what cannot be read is as if nothing had been."""
    try:
        found = json.loads(((folder or state_folder()) / FILE).read_bytes())
    except (OSError, ValueError):
        return Looks()
    theme, compact = (found.get("theme"), found.get("compact")) if isinstance(found, dict) else (None, None)
    return Looks(theme if isinstance(theme, str) else "", compact is True)


def remember_looks(looks: Looks, folder: Path | None = None) -> None:
    """Keep it for the next time. Where it cannot be written, nothing is remembered."""
    place = folder or state_folder()
    try:
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_file(place / FILE, json.dumps(asdict(looks)).encode())
    except (OSError, InputError):
        return
