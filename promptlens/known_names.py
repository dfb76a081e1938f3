"""What prompts may name: embeddings, LoRAs and wildcards of folders and of whole installs. Each folder is read once."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from promptlens.embeddings import read_folder
from promptlens.errors import InputError
from promptlens.places import installs
from promptlens.sources import UnreadableFile, read_prompts

LORA_SUFFIXES = (".safetensors", ".pt", ".ckpt")
WILDCARD_SUFFIXES = (".txt", ".yaml", ".json")


class Installed(NamedTuple):
    """What the installs of a host have; None for what they have no folder of."""

    embeddings: Mapping[str, int] | None = None
    loras: frozenset[str] | None = None
    wildcards: Mapping[str, Sequence[str]] | None = None


def check_install(root: str) -> None:
    """Raise `InputError` where there is no folder."""
    if not os.path.isdir(root):
        raise InputError(f"{root}: is not a folder, and the settings name it among the installs. Mend or drop it there (installs).")


@lru_cache(maxsize=8)
def installed(roots: tuple[str, ...], host: str) -> Installed:
    """What prompts may name in the installs at some folders that read prompts as a host does. Raises `InputError` for what is no folder."""
    for root in roots:
        check_install(root)
    rows = [(row, folder) for root in roots for row, folder in installs(Path(root)) if host in row.hosts]
    embeddings = [folder / row.embeddings for row, folder in rows if row.embeddings and (folder / row.embeddings).is_dir()]
    loras = [folder / row.loras for row, folder in rows if row.loras and (folder / row.loras).is_dir()]
    wildcards = [found for row, folder in rows for pattern in row.wildcards for found in sorted(folder.glob(pattern)) if found.is_dir()]
    return Installed(
        {name: vectors for folder in embeddings for name, vectors in read_folder(folder).items()} if embeddings else None,
        frozenset(name for folder in loras for name in lora_names(str(folder))) if loras else None,
        {name: texts for folder in wildcards for name, texts in wildcard_texts(str(folder)).items()} if wildcards else None,
    )


@lru_cache(maxsize=8)
def lora_names(folder: str) -> frozenset[str]:
    """Names of the LoRAs in a folder and those in it, with "/" between folders and without suffix. Raises `InputError`."""
    return frozenset(os.path.splitext(below)[0] for below, _ in _files(folder, LORA_SUFFIXES))


@lru_cache(maxsize=8)
def wildcard_texts(folder: str) -> Mapping[str, Sequence[str]]:
    """The texts of each wildcard in a folder and those in it. A file that cannot be read has none. Raises `InputError`.

    A text file is one wildcard, by its path; of a YAML or JSON file each list is one, by its keys.
    """
    found: dict[str, list[str]] = {}
    for below, path in _files(folder, WILDCARD_SUFFIXES):
        name, suffix = os.path.splitext(below)
        if suffix == ".txt":
            found.setdefault(name, [])
        try:
            for prompt in read_prompts(path, as_format="wildcards"):
                found.setdefault(name if suffix == ".txt" else prompt.key.rpartition("[")[0], []).append(prompt.text)
        except UnreadableFile:  # `check` says so where the file itself is checked
            continue
    return found


def _files(folder: str, suffixes: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """(path below the folder, path) of files with a suffix, sorted."""
    if not os.path.isdir(folder):
        raise InputError(f"{folder}: is not a folder.")
    for here, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            if name.lower().endswith(suffixes):
                path = os.path.join(here, name)
                yield os.path.relpath(path, folder).replace(os.sep, "/"), path
