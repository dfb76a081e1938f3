"""Drafts: what is being typed, kept in the state folder so that nothing is lost when the program or the machine stops.

Each running editor has a file of its own, replaced in one step on each change (at most every `EVERY_S` seconds, the last one always), and a
lock that the system lets go however the program ends. A draft without a living owner is offered by the next start.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from promptlens.errors import InputError

EVERY_S = 0.2
KEPT = 50


@dataclass(frozen=True, slots=True)
class Draft:
    """What is in the editors and is not in a file yet. `path` and `key` say which prompt of which file it is, "" for none."""

    positive: str
    negative: str = ""
    path: str = ""
    key: str = ""
    host: str = ""
    model: str = ""
    saved_at: float = 0.0


def state_folder() -> Path:
    """Where drafts and the list of recent files live."""
    if sys.platform == "linux":  # the XDG rule, which spares every start the import of platformdirs
        home = os.environ.get("XDG_STATE_HOME", "").strip()
        return Path(home if os.path.isabs(home) else os.path.expanduser("~/.local/state"), "promptlens")
    from platformdirs import user_state_path

    return user_state_path("promptlens", appauthor=False)


class DraftFile:
    """The draft of one running editor."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = (folder or state_folder()) / "drafts"
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = f"{int(time.time() * 1000):x}-{os.getpid()}"
        self._lock_path = self.folder / f"{name}.lock"
        self.path = self.folder / f"{name}.json"
        self._lock: IO[str] = open(self._lock_path, "w")  # noqa: SIM115  (it is held while the editor runs)
        lock(self._lock)
        self._written_at = 0.0
        self._waiting: Draft | None = None

    def keep(self, draft: Draft) -> bool:
        """Take a newer draft; False when it waits for `flush` because one was just written."""
        self._waiting = draft
        if time.monotonic() - self._written_at < EVERY_S:
            return False
        self.flush()
        return True

    def flush(self) -> None:
        """Write what waits."""
        draft, self._waiting = self._waiting, None
        if draft is not None:
            self._written_at = time.monotonic()
            content = json.dumps(asdict(draft) | {"saved_at": time.time()})  # ASCII: half a surrogate pair comes back too
            with suppress(InputError):  # a full disk must not stop the typing; the next change tries again
                write_draft(self.path, content.encode())

    def drop(self) -> None:
        """There is nothing unsaved any more."""
        self._waiting = None
        with suppress(OSError):
            self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the lock; a draft that is there stays and is offered by the next start."""
        self.flush()
        self._lock.close()
        with suppress(OSError):
            self._lock_path.unlink(missing_ok=True)


def write_draft(path: Path, content: bytes) -> None:
    """Replace a draft in one step. No fsync: it survives the end of the program, and a power cut costs the last seconds at most."""
    beside = path.with_suffix(".tmp")
    try:
        beside.write_bytes(content)
        os.replace(beside, path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}.") from None


def lock(handle: IO[str]) -> bool:
    """Lock an open file while it is open; False when another process has it."""
    if sys.platform == "win32":
        return True  # an open file cannot be deleted there, which is asked below
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def orphans(folder: Path | None = None) -> Iterator[tuple[Path, Draft]]:
    """Drafts whose editor is gone, the newest first. What is no draft is passed over."""
    drafts = (folder or state_folder()) / "drafts"
    for path in sorted(drafts.glob("*.json"), reverse=True)[:KEPT]:
        if _is_alive(path.with_suffix(".lock")):
            continue
        try:
            fields = json.loads(path.read_bytes())
            draft = Draft(**{k: v for k, v in fields.items() if k in Draft.__dataclass_fields__})
        except (OSError, ValueError, TypeError, AttributeError):
            continue
        if isinstance(draft.positive, str) and isinstance(draft.negative, str) and (draft.positive or draft.negative):
            yield path, draft


def _is_alive(path: Path) -> bool:
    try:
        if sys.platform == "win32":
            path.unlink()
            return False
        with open(path, "r+") as handle:
            return not lock(handle)
    except FileNotFoundError:
        return False
    except OSError:
        return True


def forget(path: Path) -> None:
    """Delete a draft and its lock."""
    for name in (path, path.with_suffix(".lock")):
        with suppress(OSError):
            name.unlink(missing_ok=True)
