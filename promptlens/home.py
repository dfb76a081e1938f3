"""`~` at the beginning of a path that somebody typed, or wrote into a settings file or a variable, as their home folder."""

from __future__ import annotations

import os
from pathlib import Path

from promptlens.errors import InputError


def with_home(path: str | Path, where: str = "") -> Path:
    """The path with the home folder in the place of `~` or `~name`; any other as it is.

    Raises `InputError` where there is no such home; `where` says in front of it who named the path: an option, a variable, a file.
    """
    typed = str(path)
    found = os.path.expanduser(typed)
    if not found.startswith("~"):
        return Path(found)
    name = Path(typed).parts[0]
    said = f"{where}: " if where else ""
    if name == "~":
        raise InputError(f"{said}{typed}: nobody knows where your home folder is. Set HOME, or write the whole path.")
    raise InputError(
        f"{said}{typed}: there is no user {name[1:]!r} on this machine, so {name!r} is no home folder. "
        f"Write the whole path, or './{typed}' for a file or folder of that name."
    )
