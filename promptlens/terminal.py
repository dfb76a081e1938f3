"""What the place that output goes to can show: colours, width, and which characters.

Asked once per run and passed on as a `Screen`; nothing else looks at the environment. Reading the keyboard is left out.
"""

from __future__ import annotations

import os
import sys
from typing import Literal, NamedTuple, TextIO

ColorChoice = Literal["auto", "always", "never"]

MIN_WIDTH = 24  # narrower than this a bar and its number do not fit
MAX_WIDTH = 120  # wider than this a line of prompt is hard to read


class Screen(NamedTuple):
    """Cells in a line, whether colours are on, and whether only ASCII can be written."""

    width: int = 80
    color: bool = False
    ascii: bool = False


def screen_of(stream: TextIO, choice: ColorChoice = "auto") -> Screen:
    """What can be shown on a stream. The width is that of the terminal, or COLUMNS, or 80."""
    return Screen(min(max(_columns(stream), MIN_WIDTH), MAX_WIDTH), wants_color(stream, choice), not _takes_blocks(stream))


def _columns(stream: TextIO) -> int:
    """As shutil.get_terminal_size has it, which takes 3 ms to import."""
    asked = os.environ.get("COLUMNS", "")
    if asked.isdecimal() and int(asked):
        return int(asked)
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):  # not a terminal, or no file at all
        return 80


def wants_color(stream: TextIO, choice: ColorChoice) -> bool:
    """`--color` settles it; else NO_COLOR says no, FORCE_COLOR yes, and without them a terminal does (not a dumb one)."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def _takes_blocks(stream: TextIO) -> bool:
    try:
        "┃█▏·…↵".encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def shown(text: str) -> str:
    r"""A message as one line that cannot steer the terminal: what cannot be printed is written as an escape.

    >>> shown("a\x1b[31m")
    'a\\x1b[31m'
    """
    return text if text.isprintable() else "".join(c if c.isprintable() else escape(c) for c in text)


def escape(char: str) -> str:
    r"""A character in Python's notation.

    >>> escape("\x1b"), escape("\u200b")
    ('\\x1b', '\\u200b')
    """
    return ascii(char)[1:-1]


def talk(kind: Literal["error", "note"], message: str, *, lines: bool = False) -> None:
    """One line on stderr; `lines` keeps the message's own line breaks, for commands that are there to be copied."""
    if sys.stderr is not None:
        sys.stderr.write(f"{kind}: " + "\n".join(map(shown, message.split("\n") if lines else [message])) + "\n")
        sys.stderr.flush()
