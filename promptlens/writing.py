"""A file is written whole or not at all: beside the old one first, then in its place."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress


def write_atomically(path: str | os.PathLike[str], content: bytes) -> None:
    """Put a file in the place of the one of that name, with its permissions; through a link, in the place of what it leads to.

    Raises `OSError`; the old file is then as it was, and nothing half-written is left.
    """
    target = os.path.realpath(path)
    folder, name = os.path.split(target)
    handle, beside = tempfile.mkstemp(prefix=f".{name[:40]}.", suffix=".tmp", dir=folder)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(beside, os.stat(target).st_mode & 0o7777 if os.path.exists(target) else 0o666 & ~_umask())
        os.replace(beside, target)
    except BaseException:  # Ctrl-C too
        with suppress(OSError):
            os.unlink(beside)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
