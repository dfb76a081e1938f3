"""TB503: a caption or prompt with nothing in it, where the host fails on that."""

from __future__ import annotations

from collections.abc import Iterator

from promptlens.report import Usage
from promptlens.rules import Example, FileNote, Hit, RuleSettings, also, rule
from promptlens.rules._needs import NOTHING
from promptlens.spans import Span


@rule(
    "TB503",
    "empty-prompt",
    "error",
    summary="an empty caption or prompt on which the host fails",
    why="Most hosts take an empty prompt for a prompt without words. Some do not: a trainer stops on an empty caption file, hours"
    " into preparing a data set, and a pipeline that joins lists of tokens stops on an empty list.",
    wrong=Example(" ", host="sd_embed", options={"negative_prompt": " "}),
    right=Example("a cat", host="sd_embed", options={"negative_prompt": " "}),
    needs=lambda settings, room: NOTHING,
)
def empty_prompt(usage: Usage, settings: RuleSettings) -> Iterator[Hit]:
    if usage.failure and not usage.prompt.strip():
        message = f"the prompt is empty, and {usage.host.title} stops on it ({usage.failure.name})"
        yield Hit(Span(0, len(usage.prompt)), message, "Write a word, or leave the prompt out.")


@also("TB503", "file")
def empty_in_file(note: FileNote, settings: RuleSettings) -> Iterator[Hit]:
    if note.kind == "empty":
        yield Hit(Span(0, len(note.text)), note.message, "Write a caption, or delete the file together with its image.")
