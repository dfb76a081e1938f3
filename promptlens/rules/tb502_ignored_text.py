"""TB502: text of a file or a prompt that the host passes over."""

from __future__ import annotations

from collections.abc import Iterator

from promptlens.report import Usage
from promptlens.rules import Example, FileNote, Hit, RuleSettings, also, rule
from promptlens.rules._needs import NOTHING
from promptlens.rules._words import many, shown
from promptlens.spans import Span

_HINTS = {
    "ignored": "Put it where it is read, or delete it.",
    "literal": "Mend the options of the line: as it stands, all of it is the prompt.",
    "duplicate": "Give one of them another name: the last one is the only one that counts.",
    "bytes": "Save the file as UTF-8.",
    "missing": "Add the field that holds the prompt.",
}


@rule(
    "TB502",
    "ignored-text",
    "warning",
    summary="lines that the host ignores or does not read as meant",
    why="Not all that stands in a prompt file is used. A trainer reads the first line of a caption and never the second; a line "
    "of options with a mistake in it becomes a prompt, options and all; of two entries of one name the last one wins. Nothing"
    " is said about it when the file is used, so that it is said here.",
    wrong=Example("a cat on a mat\nblack and white photograph", host="kohya"),
    right=Example("a cat on a mat, black and white photograph", host="kohya"),
    needs=lambda settings, room: NOTHING,
)
def ignored_text(usage: Usage, settings: RuleSettings) -> Iterator[Hit]:
    for fragment in usage.removed:
        if fragment.kind == "ignored" and fragment.text.strip():
            lines = len(fragment.text.strip().splitlines())
            message = f"{usage.host.title} never reads {many(lines, 'line')} of this: {shown(fragment.text)}"
            yield Hit(
                fragment.span,
                message,
                "Write all of it on the first line, or delete the rest." if usage.prompt.count("\n") else _HINTS["ignored"],
            )


@also("TB502", "file")
def ignored_in_file(note: FileNote, settings: RuleSettings) -> Iterator[Hit]:
    hint = _HINTS.get(note.kind)
    if hint:
        yield Hit(Span(0, len(note.text)), note.message, hint)
