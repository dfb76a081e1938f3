"""What panes ask of the screen. Messages only go up; panes never talk to each other."""

from __future__ import annotations

from collections.abc import Sequence

from textual.message import Message

from promptlens.report import Edit
from promptlens.spans import Span


class Lit(Message):
    """Light up these stretches of the prompt; `both`: all of the other prompt too."""

    def __init__(self, spans: Sequence[Span], *, both: bool = False) -> None:
        super().__init__()
        self.spans = tuple(spans)
        self.both = both


class Picked(Message):
    """Go to this stretch of the prompt."""

    def __init__(self, span: Span) -> None:
        super().__init__()
        self.span = span


class Wanted(Message):
    """Make this edit of the prompt."""

    def __init__(self, edit: Edit) -> None:
        super().__init__()
        self.edit = edit


class HostWanted(Message):
    """Switch to this host."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
