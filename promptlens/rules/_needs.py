"""What a rule needs to find anything in a plain prompt: a cheap condition on its text, so that most prompts are known to be clean unread.

A plain prompt is printable ASCII that the host reads as one text of weight 1, takes nothing out of, and puts into one chunk of every
encoder with nothing lost. A rule that can find something in such a prompt says here what must then be true of it; a rule that says nothing
has every prompt looked at. A condition may be true for nothing, never the other way round: tests hold it against the rules themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

# (the prompt in small letters, its words, what counts the tokens of one) -> whether the rule must look at it
Seen = Callable[[str, list[str], Callable[[str], int]], bool]


class Needs(NamedTuple):
    """The rule finds something only where a word of the prompt has a match of `marks` ("": none has), or where both others hold.

    These are: the prompt takes more tokens than `more_than` in some encoder (None: never), and `seen` says so (None: always). Words are
    what white space parts; no match of `marks` may reach over one.
    """

    marks: str = ""
    more_than: float | None = None
    seen: Seen | None = None


class Room(NamedTuple):
    """What a plain prompt has room for: the fewest tokens that a chunk of any encoder holds, and that one keeps (None: all of them)."""

    chunk: int
    kept: int | None


# Of a rule about words that are lost, several chunks, weights, or what is taken out: a plain prompt has none.
NOTHING = Needs()
