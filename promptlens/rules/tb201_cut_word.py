"""TB201: a word of which one half is in one chunk and the other half in the next."""

from __future__ import annotations

from collections.abc import Iterator

from promptlens.report import Usage
from promptlens.rules import Example, Hit, RuleSettings, rule
from promptlens.rules._brackets import readable
from promptlens.rules._cuts import breaks, cuts
from promptlens.rules._needs import NOTHING
from promptlens.rules._samples import SCENE
from promptlens.rules._tags import outer_tags, tag_at
from promptlens.rules._words import shown


@rule(
    "TB201",
    "cut-word",
    "warning",
    summary="a chunk boundary cuts a word",
    why="Chunks are encoded apart, and neither sees the other. A word whose tokens are shared out over two chunks is read as two "
    "fragments that mean nothing of what you wrote: `photorealistic` becomes `photo` at the end of one and `realistic` at the"
    " start of the next. The same happens at the place from which on the host drops the rest.",
    wrong=Example(f"{SCENE} very soft photorealism with fine film grain in autumn", host="comfyui"),
    right=Example(f"{SCENE} very soft light, photorealism with fine film grain in autumn", host="comfyui"),
    needs=lambda settings, room: NOTHING,
)
def cut_word(usage: Usage, settings: RuleSettings) -> Iterator[Hit]:
    found = [(cut, cut.word) for cut in cuts(usage) if cut.word is not None]
    if not found:
        return
    prompt, allowed = usage.prompt, breaks(usage, settings)
    tags = outer_tags(usage, readable(usage), sentences=True)
    for cut, word in found:
        first, second = prompt[word.start : cut.at], prompt[cut.at : word.end]
        where = "the end of what the model reads" if cut.lost else "the end of a chunk"
        parts = f" into {shown(first)} and {shown(second)}" if first else ", whose tokens lie on both sides"
        message = f"{where} cuts {shown(word.of(prompt))}{parts}{cut.whom(usage)}"
        tag = tag_at(tags, cut.before, cut.at)
        edit = allowed.before(cut, *((tag.start,) if tag else ()), word.start)
        yield Hit(word, message, _hint(edit is not None, cut.lost), edit)


def _hint(breaks: bool, lost: bool) -> str:
    if lost:
        return "Shorten what comes before it, so that the whole word is read."
    if breaks:
        return "Put BREAK before it, so that it opens the next chunk."
    return "Shorten what comes before it by some tokens, or move the word, so that it is in one chunk."
