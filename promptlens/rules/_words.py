"""How rules say things: quotations of the prompt, counts, lists."""

from __future__ import annotations

from collections.abc import Sequence

QUOTED_LENGTH = 60


def shown(text: str, length: int = QUOTED_LENGTH) -> str:
    """A piece of the prompt in quotation marks, on one line, its middle left out where it is long.

    >>> shown("golden  hour")
    "'golden hour'"
    """
    if len(text) > 8 * length:
        text = f"{text[: 2 * length]} {text[-2 * length :]}"
    line = " ".join(text.split())
    if len(line) > length:
        half = (length - 1) // 2
        line = f"{line[:half].rstrip()}…{line[-half:].lstrip()}"
    return f"'{line}'"


def many(count: int, noun: str) -> str:
    """
    >>> many(1, "token"), many(1200, "token")
    ('1 token', '1,200 tokens')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def listed(names: Sequence[str]) -> str:
    """
    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
