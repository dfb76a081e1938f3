"""One JSON document: the report of a single prompt as `Report.to_dict()` gives it, or a list of them.

In a list each report begins with `id` (that of its JSON line, or the prompt's name) and `role`. What could not be read is told on stderr.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from promptlens.render import Entry, Trouble
from promptlens.render._json import as_dict, dumped, labelled
from promptlens.terminal import Screen

tells_trouble = False


def write(entries: Iterable[Entry | Trouble], screen: Screen) -> Iterator[str]:
    """All reports, when the last is known."""
    reports = [entry for entry in entries if isinstance(entry, Entry)]
    if len(reports) == 1 and reports[0].role == "positive" and reports[0].id is None:
        yield dumped(as_dict(reports[0]), screen, indent=2) + "\n"
    else:
        yield dumped([labelled(entry) for entry in reports], screen, indent=2) + "\n"
