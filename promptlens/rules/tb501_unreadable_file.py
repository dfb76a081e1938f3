"""TB501: a file that is not what its format says."""

from __future__ import annotations

from collections.abc import Iterator

from promptlens.rules import Example, FileNote, Hit, RuleSettings, rule
from promptlens.spans import Span


@rule(
    "TB501",
    "unreadable-file",
    "error",
    "file",
    summary="the file cannot be read as its format says",
    why="A quotation mark that is never closed, a comma too many, an encoding other than the host's: the file is not what its "
    "name promises, and the host either stops on it or reads prompts that nobody wrote. The finding says where it goes wrong "
    "and why.",
    wrong=Example("", note=FileNote("unreadable", 'a quoted field is opened here and never closed: "a cat, sitting')),
    right=Example("", note=FileNote("ignored", "only the first line of a caption is used", "a second line")),
)
def unreadable_file(note: FileNote, settings: RuleSettings) -> Iterator[Hit]:
    if note.kind == "unreadable":
        yield Hit(Span(0, len(note.text)), note.message, "Mend the file there, or name its format if it is another.")
