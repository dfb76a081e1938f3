"""Encoded windows kept for the next time: in memory while a program runs, and on disk between runs.

An entry belongs to the weights' checksum, the window (ids, hidden places, vectors) and the layer; nothing else changes what is
computed. On disk it is one file, written beside and moved into place, with a checksum of its own: one that is damaged, cut or
of another version counts as absent. Both caches have a bound and forget what was not used for longest.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, TypeAlias

from promptlens.encoder.windows import Window

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Arrays: TypeAlias = "tuple[NDArray[np.float32] | None, ...]"

VERSION = b"promptlens-window-1\n"
MEMORY_BYTES = 256 << 20
DISK_BYTES = 1 << 30
# When the folder is over its bound it is cut to this share of it, so that not every entry sweeps the folder.
_KEPT_SHARE = 0.9


def window_key(checksum: str, what: str, window: Window) -> str:
    """Name of an entry: `what` says which of the results it is ("pooled", or layer and norm)."""
    total = hashlib.sha256(f"{checksum}\n{what}\n{window.ids}\n{sorted(window.hide)}\n".encode())
    for vector in window.vectors:
        total.update(f"{vector.position}:{len(vector.values)}\n".encode() + vector.values)
    return total.hexdigest()


class MemoryCache:
    """The entries used last, up to `limit` bytes; for any number of threads."""

    def __init__(self, limit: int = MEMORY_BYTES) -> None:
        self.limit = limit
        self.bytes = 0
        self._entries: OrderedDict[str, Arrays] = OrderedDict()
        self._lock = Lock()

    def get(self, key: str) -> Arrays | None:
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
            return self._entries.get(key)

    def put(self, key: str, arrays: Arrays) -> None:
        with self._lock:
            self.bytes += _bytes(arrays) - _bytes(self._entries.pop(key, ()))
            self._entries[key] = arrays
            while self.bytes > self.limit:
                self.bytes -= _bytes(self._entries.popitem(last=False)[1])


class DiskCache:
    """Entries as files below `folder`, up to `limit` bytes. A disk that is full or cannot be written is no error: nothing is kept."""

    def __init__(self, folder: Path, limit: int = DISK_BYTES) -> None:
        self.folder = folder
        self.limit = limit
        self._bytes: int | None = None
        self._lock = Lock()

    def get(self, key: str) -> Arrays | None:
        """The entry, or None where there is none or it is not sound."""
        path = self._path(key)
        try:
            content = path.read_bytes()
        except OSError:
            return None
        entry = unpack(content)
        with contextlib.suppress(OSError):  # a cache on a read-only disk still serves
            if entry is None:
                path.unlink()
            else:
                os.utime(path)
        return entry

    def put(self, key: str, arrays: Arrays) -> None:
        """Keep an entry; one that is there already is left alone."""
        path = self._path(key)
        if os.path.exists(path):  # False where the folder cannot be looked into
            return
        content = pack(arrays)
        try:
            write_whole(path, content)
        except OSError:
            return
        with self._lock:
            self._bytes = self._sweep(0) if self._bytes is None else self._bytes + len(content)
            if self._bytes > self.limit:
                self._bytes = self._sweep(int(self.limit * _KEPT_SHARE))

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / key[2:]

    def _sweep(self, keep: int) -> int:
        """Delete the entries unused for longest until at most `keep` bytes are left (0: delete nothing), and count what is left."""
        files = sorted(self._files(), key=lambda f: f[1], reverse=True)
        kept = 0
        for path, _, size in files:
            if keep and kept + size > keep:
                with contextlib.suppress(OSError):  # another process was quicker
                    path.unlink()
            else:
                kept += size
        return kept

    def _files(self) -> Iterator[tuple[Path, float, int]]:
        """(path, time of last use, bytes) of all entries."""
        for path in self.folder.glob("??/*"):
            with contextlib.suppress(OSError):
                state = path.stat()
                yield path, state.st_mtime, state.st_size


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, whatever happens meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(name, path)
    except BaseException:  # Ctrl-C too: nothing half-written stays
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def pack(arrays: Arrays) -> bytes:
    """An entry as bytes: version, sha256 of the rest, shapes (null for an absent array), float32 little endian."""
    shapes = json.dumps([None if a is None else list(a.shape) for a in arrays]).encode() + b"\n"
    rest = shapes + b"".join(a.astype("<f4").tobytes() for a in arrays if a is not None)
    return VERSION + hashlib.sha256(rest).digest() + rest


def unpack(content: bytes) -> Arrays | None:
    """The arrays of an entry, or None where the bytes are not those that were written."""
    import numpy as np

    start = len(VERSION) + 32
    stated, rest = content[len(VERSION) : start], content[start:]
    if content[: len(VERSION)] != VERSION or hashlib.sha256(rest).digest() != stated:
        return None
    head, _, body = rest.partition(b"\n")
    arrays: list[NDArray[np.float32] | None] = []
    offset = 0
    for shape in json.loads(head):
        if shape is None:
            arrays.append(None)
            continue
        count = 1
        for n in shape:
            count *= n
        arrays.append(np.frombuffer(body, dtype="<f4", count=count, offset=offset).reshape(shape).astype(np.float32))
        offset += 4 * count
    return tuple(arrays)


def remembered(folder: Path, files: Iterable[Path], what: str, compute: Callable[[], str]) -> str:
    """The checksum of weights, computed once for as long as their files keep size and time."""
    states = [(str(f.resolve()), f.stat().st_size, f.stat().st_mtime_ns) for f in files]
    path = folder / hashlib.sha256(repr((what, states)).encode()).hexdigest()
    try:
        known = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        known = ""
    if len(known) == 64:
        return known
    checksum = compute()
    with contextlib.suppress(OSError):
        write_whole(path, checksum.encode())
    return checksum


def _bytes(arrays: Arrays) -> int:
    return sum(a.nbytes for a in arrays if a is not None)
