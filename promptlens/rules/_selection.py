"""Which rules run, out of codes and their beginnings, as ruff's users know it: the longest beginning wins, `ignore` on ties."""

from __future__ import annotations

from collections.abc import Iterable

from promptlens.errors import UnknownNameError

EVERYTHING = ("", "ALL")


def selected(codes: tuple[str, ...], select: Iterable[str], ignore: Iterable[str], extend_select: Iterable[str]) -> tuple[str, ...]:
    """The codes that `select` and `extend_select` name and `ignore` does not.

    Raises `UnknownNameError` for a beginning that no code has.

    >>> selected(("TB101", "TB201", "TB203"), ["TB2"], ["TB203"], [])
    ('TB201',)
    """
    wanted = [_beginning(name, codes) for name in (*select, *extend_select)]
    unwanted = [_beginning(name, codes) for name in ignore]
    return tuple(code for code in codes if _closest(code, wanted) > _closest(code, unwanted))


def _beginning(name: str, codes: tuple[str, ...]) -> str:
    if not isinstance(name, str) or not name.strip():
        raise UnknownNameError("rule", name, codes)
    start = name.strip().upper()
    if start in EVERYTHING:
        return ""
    if not any(code.startswith(start) for code in codes):
        raise UnknownNameError("rule", name, codes)
    return start


def _closest(code: str, beginnings: Iterable[str]) -> int:
    """Length of the longest beginning that the code has, -1 for none."""
    return max((len(start) for start in beginnings if code.startswith(start)), default=-1)
