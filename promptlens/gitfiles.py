"""Files as they were: `git:REVISION:PATH` read through the git program of the user's machine."""

from __future__ import annotations

import os
import subprocess

from promptlens.errors import InputError

PREFIX = "git:"


def split_name(name: str) -> tuple[str, str] | None:
    """Revision and path of `git:REVISION:PATH`; None for anything else.

    >>> split_name("git:HEAD~2:styles.csv")
    ('HEAD~2', 'styles.csv')
    """
    if not name.startswith(PREFIX):
        return None
    revision, colon, path = name.removeprefix(PREFIX).partition(":")
    return (revision, path) if revision and colon and path else None


def is_begun_name(name: str) -> bool:
    """Whether something is meant as a file of a revision and does not name one: `git:HEAD`, `git:HEAD:`.

    >>> is_begun_name("git:HEAD"), is_begun_name("git: a cat"), is_begun_name("git:HEAD:a b.txt")
    (True, False, False)
    """
    return name.startswith(PREFIX) and split_name(name) is None and not any(c.isspace() for c in name)


def read_revision(name: str) -> bytes:
    """The bytes of a file in a revision; the path is relative to the working directory, or absolute.

    Raises `InputError`: no git, no repository, no such revision or file.
    """
    parts = split_name(name)
    if parts is None:
        raise InputError(f"{name}: name a file of a revision as git:REVISION:PATH, such as git:HEAD:styles.csv.")
    revision, path = parts
    if revision.startswith("-"):
        raise InputError(f"{name}: no revision begins with '-'.")
    folder, base = os.path.split(path)
    try:  # from the file's own folder, so that git finds the repository that the file is in
        done = subprocess.run(["git", "-C", folder or ".", "show", f"{revision}:./{base}"], capture_output=True, check=False)
    except FileNotFoundError:
        raise InputError(f"{name}: the program git is not installed, so no revision can be read.") from None
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise InputError(f"{name}: git says: {lines[0].removeprefix('fatal: ').rstrip('.') if lines else 'nothing'}.")
    return done.stdout
