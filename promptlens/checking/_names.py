"""Names that two files of a run have, where a program that reads both keeps one: styles of AUTOMATIC1111.

A name that one file has twice is left to its format.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from promptlens.sources import Format, Notice, Prompt
from promptlens.sources._document import shown
from promptlens.sources.styles import style_name

# Memory stays bounded whatever is checked: so many names are remembered (20 MB of names of 20 letters), and none longer than anybody's.
MOST_NAMES = 100_000
LONGEST_CHARS = 200


class KnownElsewhere(Exception):
    """The names of a run are those that the process that finds the files has read, in their order."""


class SharedNames:
    """The names that were read so far, each with the file and the line that had it last. A helper process gets none of them."""

    def __init__(self) -> None:
        self._places: dict[str, tuple[str, int]] = {}

    def told(self, items: Iterable[Prompt | Notice], row: Format, path: str) -> Iterator[Prompt | Notice]:
        """What a format found in a file, with a notice before the first prompt of each name that an earlier file has."""
        for item in items:
            name = style_name(item) if isinstance(item, Prompt) else ""
            if name and len(name) <= LONGEST_CHARS:
                known = self._places.get(name)
                if known is not None and known[0] != path:
                    message = f"the style {name!r} is defined in {shown(known[0])}, line {known[1]} too; {row.of_one_name}"
                    yield Notice("duplicate", message, path, item.line, text=name, key=name)
                if known[0] != path if known is not None else len(self._places) < MOST_NAMES:
                    self._places[name] = (path, item.line)
            yield item

    def elsewhere(self) -> SharedNames:
        """What a helper process has in their place."""
        return _OfAnotherProcess()


class _OfAnotherProcess(SharedNames):
    """The names of a run in a process that does not know them."""

    def told(self, items: Iterable[Prompt | Notice], row: Format, path: str) -> Iterator[Prompt | Notice]:
        raise KnownElsewhere
