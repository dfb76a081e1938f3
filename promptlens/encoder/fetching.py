"""Bytes from the hub into a file: all of one, or chosen stretches, going on where a cut connection stopped.

The file grows as `<name>.<checksum>.incomplete` beside its final place, which it takes when it is whole and checked; so under the final
name there is never half a file. A whole file is checked against the sha256 that the hub states for it. Of stretches nobody states
one: there the size, the header and each answer's Content-Range have to fit, and TLS guards the rest.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from promptlens.encoder.hub import Hub, RemoteFile, UnreachableError
from promptlens.errors import WeightsError

Progress = Callable[[int, int], None]
"""Called with (bytes here, bytes in all)."""
Pause = Callable[[float], None]
Check = Callable[[Path], None]
"""Called with the fetched file before it takes its place; raises `WeightsError` for one that is not what it should be."""

CHUNK = 1 << 20
# Attempts in a row that bring nothing new; one that brings anything starts the count again.
ATTEMPTS = 5
FIRST_PAUSE_S = 1.0

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to write: `head`, then the stretches `runs` (start, end) of the remote file."""

    file: RemoteFile
    runs: tuple[tuple[int, int], ...]
    head: bytes = b""

    @property
    def size(self) -> int:
        return len(self.head) + sum(end - start for start, end in self.runs)

    @property
    def key(self) -> str:
        """Names the content, so that a rest of something else is never gone on with."""
        text = repr((self.file.checksum, self.file.commit, self.file.size, self.runs, self.head))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def whole(file: RemoteFile) -> Plan:
    """All of a file."""
    return Plan(file, ((0, file.size),))


def fetch(hub: Hub, plan: Plan, target: Path, *, check: Check, progress: Progress | None = None, pause: Pause = time.sleep) -> None:
    """Write what `plan` says to `target`, once `check` has passed it.

    Raises `WeightsError` and leaves `target` as it was; what came so far is kept for the next time, but not what turned out wrong.
    """
    part = target.with_name(f"{target.name}.{plan.key}.incomplete")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for old in target.parent.glob(f"{target.name}.*.incomplete"):
            if old != part:
                old.unlink()
        with part.open("ab") as file, _alone(file, target):
            if file.tell() > plan.size:
                file.seek(0)
                file.truncate()
            _check_room(target.parent, plan.size - file.tell())
            _fill(hub, plan, file, progress, pause)
            file.flush()
            os.fsync(file.fileno())
        try:
            _verify(plan, part)
            check(part)
        except WeightsError:
            part.unlink()
            raise
        os.replace(part, target)
    except OSError as e:
        if e.errno in _FULL:
            raise no_room(target.parent, plan.size) from e
        raise WeightsError(
            f"{e.filename or target.parent} cannot be written: {e.strerror or e}. PROMPTLENS_ENCODERS names another folder."
        ) from e


def read_stretch(hub: Hub, file: RemoteFile, start: int, end: int) -> bytes:
    """A short stretch of a file, in memory."""
    parts: list[bytes] = []
    with hub.read(file, start, end) as stream:
        while sum(map(len, parts)) < end - start:
            parts.append(stream.read(end - start))
    return b"".join(parts)


def no_room(folder: Path, needed: int) -> WeightsError:
    """The error for a full disk."""
    return WeightsError(
        f"The disk of {folder} is full: {needed / 1e6:,.0f} MB are needed in all. Make room and pull again, which goes on where it "
        "stopped, or name a folder on another disk with PROMPTLENS_ENCODERS."
    )


def _check_room(folder: Path, needed: int) -> None:
    if shutil.disk_usage(folder).free < needed:
        raise no_room(folder, needed)


def _fill(hub: Hub, plan: Plan, file: IO[bytes], progress: Progress | None, pause: Pause) -> None:
    """Append to `file` until it is whole, again and again as long as something comes."""
    failures = 0
    while True:
        before = file.tell()
        try:
            _append(hub, plan, file, progress)
            return
        except UnreachableError as e:
            failures = 1 if file.tell() > before else failures + 1
            if failures >= ATTEMPTS:
                here = f"{file.tell() / 1e6:,.1f} of {plan.size / 1e6:,.1f} MB"
                raise UnreachableError(
                    f"{plan.file.title}: {here} are here, and {ATTEMPTS} attempts brought nothing more. {e} Pull again to go on from there."
                ) from e
            pause(FIRST_PAUSE_S * 2 ** (failures - 1))


def _append(hub: Hub, plan: Plan, file: IO[bytes], progress: Progress | None) -> None:
    """One attempt at everything that is still missing."""
    done = file.tell()
    if done < len(plan.head):
        file.write(plan.head[done:])
        done = len(plan.head)
    offset = len(plan.head)
    for start, end in plan.runs:
        missing = start + max(0, done - offset)
        offset += end - start
        if missing >= end:
            continue
        with hub.read(plan.file, missing, end) as stream:
            while missing < end:
                chunk = stream.read(CHUNK)
                file.write(chunk)
                missing += len(chunk)
                if progress is not None:
                    progress(file.tell(), plan.size)


def _verify(plan: Plan, part: Path) -> None:
    """Raise where the checksum of a whole file is not the one the hub states."""
    stated = plan.file.checksum
    if not stated or plan.head or plan.runs != ((0, plan.file.size),):
        return
    total: Any = hashlib.sha256() if len(stated) == 64 else hashlib.sha1(f"blob {plan.size}\0".encode(), usedforsecurity=False)
    with part.open("rb") as file:
        while chunk := file.read(CHUNK):
            total.update(chunk)
    if total.hexdigest() != stated:
        raise WeightsError(
            f"{plan.file.title} came with a wrong checksum ({total.hexdigest()[:12]}… instead of {stated[:12]}…) and was thrown away. "
            "Pull again; if it stays so, something between here and the hub changes files: try without the proxy or mirror."
        )


@contextmanager
def _alone(file: IO[bytes], target: Path) -> Iterator[None]:
    """Only one process at a time adds to a file; the system forgets the lock with the process."""
    try:
        import fcntl
    except ImportError:  # Windows lets two programs write one file, and the checksum tells what comes of it
        yield
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as e:
        raise WeightsError(f"{target.name} is being fetched by another process already. Wait for it.") from e
    yield
