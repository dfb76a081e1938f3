"""What prompts may name: the LoRAs of a folder, and the wildcards with their texts. Each folder is read once."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from promptlens.errors import InputError
from promptlens.sources import UnreadableFile, read_prompts

LORA_SUFFIXES = (".safetensors", ".pt", ".ckpt")
WILDCARD_SUFFIXES = (".txt", ".yaml", ".json")


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
