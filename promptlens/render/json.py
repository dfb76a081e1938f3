"""One JSON document: the report of a single prompt as `Report.to_dict()` gives it, or a list of them.

In a list each report begins with `id` (that of its JSON line, or the prompt's name) and `role`. What could not be read is told on stderr.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from promptlens.render import Entry, Item, Note
from promptlens.render._json import as_dict, dumped, labelled, noted
from promptlens.terminal import Screen

tells_trouble = False
tells_clean = True


def write(entries: Iterable[Item], screen: Screen) -> Iterator[str]:
    """All reports, when the last is known."""
    found = [entry for entry in entries if isinstance(entry, (Entry, Note))]
    only = found[0] if len(found) == 1 else None
    if isinstance(only, Entry) and only.role != "negative" and only.id is None:
        yield dumped(as_dict(only), screen, indent=2) + "\n"
    else:
        yield dumped([labelled(e) if isinstance(e, Entry) else noted(e) for e in found], screen, indent=2) + "\n"
