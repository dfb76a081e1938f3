"""TB202: a tag or a weighted group that two chunks share."""

from __future__ import annotations

from collections.abc import Iterator

from promptlens.report import Usage
from promptlens.rules import Example, Hit, RuleSettings, rule
from promptlens.rules._brackets import readable
from promptlens.rules._cuts import Cut, breaks, cuts
from promptlens.rules._needs import NOTHING
from promptlens.rules._samples import FULL_SCENE, SCENE
from promptlens.rules._tags import Tag, outer_tags, tag_at
from promptlens.rules._words import shown
from promptlens.spans import Span


@rule(
    "TB202",
    "cut-tag",
    "warning",
    summary="a chunk boundary cuts a tag or a weighted group",
    why="Chunks are encoded apart. A tag that is shared out over two of them falls apart: of `red hair`, `red` colours what is in"
    " the first chunk and `hair` stands alone in the second. A weighted group that is cut keeps its weight on both sides, but"
    " its words no longer belong together. A piece longer than a whole chunk is not remarked on; nothing keeps it together.",
    wrong=Example(f"{SCENE} long red hair blowing in the wind at dusk", host="comfyui"),
    right=Example(f"{FULL_SCENE} long red hair blowing in the wind at dusk", host="comfyui"),
    needs=lambda settings, room: NOTHING,
)
def cut_tag(usage: Usage, settings: RuleSettings) -> Iterator[Hit]:
    found = [cut for cut in cuts(usage) if cut.word is None]
    if not found:
        return
    prompt, allowed = usage.prompt, breaks(usage, settings)
    tags = outer_tags(usage, readable(usage), sentences=True)
    for cut in found:
        tag = tag_at(tags, cut.before, cut.at)
        if tag is None or _is_longer_than_a_chunk(tag, cut):
            continue
        what = "the group" if prompt[tag.start] in "([" else "the tag"
        parts = f"{shown(prompt[tag.start : cut.at], 30)} and {shown(prompt[cut.at : tag.end], 30)}{cut.whom(usage)}"
        where = "the end of what the model reads" if cut.lost else "the end of a chunk"
        message = f"{where} cuts {what} into {parts}"
        edit = allowed.before(cut, tag.start)
        yield Hit(Span(tag.start, tag.end), message, _hint(edit is not None, cut.lost), edit)


def _is_longer_than_a_chunk(tag: Tag, cut: Cut) -> bool:
    first, stream = cut.use.tokens_before(tag.start), cut.chunk.stream
    beyond = first + cut.use.encoder.capacity
    return beyond < len(stream) and stream.place(beyond).start < tag.end


def _hint(breaks: bool, lost: bool) -> str:
    if lost:
        return "Shorten what comes before it, so that it is read as a whole, or drop it."
    if breaks:
        return "Put BREAK before it, so that it opens the next chunk."
    return "Shorten what comes before it, or swap it with a tag of another length, so that it is in one chunk."
