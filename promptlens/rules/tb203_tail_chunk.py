"""TB203: a last chunk for a handful of tokens."""

from __future__ import annotations

from collections.abc import Iterator

from promptlens.hosts import Chunk, EncoderUse
from promptlens.report import Usage
from promptlens.rules import Example, Hit, RuleSettings, rule
from promptlens.rules._needs import NOTHING
from promptlens.rules._reading import reading
from promptlens.rules._samples import FULL_SCENE, SCENE
from promptlens.rules._words import many, shown
from promptlens.spans import Span

# A chunk after one of these was wanted.
_WANTED = frozenset({"break", "text", "sentence"})


@rule(
    "TB203",
    "tail-chunk",
    "info",
    summary="the last chunk holds only a few tokens",
    why="The few words that do not fit any more get a chunk of their own, filled up with padding. They weigh as much as a full "
    "chunk does, apart from the words they belong to, and the picture takes longer. Shortening the prompt by those few tokens"
    " (at most tail_tokens) saves the whole chunk, or at least keeps the words together where a trainer sends as many chunks of "
    "every caption.",
    wrong=Example(f"{FULL_SCENE} muted palette"),
    right=Example(f"{SCENE} muted palette"),
    needs=lambda settings, room: NOTHING,
)
def tail_chunk(usage: Usage, settings: RuleSettings) -> Iterator[Hit]:
    found: set[Span] = set()
    for line in usage.lines:
        for use in line.encoders:
            tail = _tail(use, settings.tail_tokens) if len(use.chunks) > 1 and not use.encoder.summary_only else None
            if tail is None:
                continue
            span = Span(use.place(tail.start).start, use.place(tail.stop - 1).end)
            if span not in found:
                found.add(span)
                message = f"the last chunk holds only {many(tail.used, 'token')}: {shown(span.of(usage.prompt))}"
                what = "joins all of it in the chunks before" if reading(usage).fixed_windows else "saves the chunk"
                yield Hit(span, message, f"Shortening the prompt by {many(tail.used, 'token')} {what}.")


def _tail(use: EncoderUse, most: int) -> Chunk | None:
    """The last chunk with a token in it, if it holds few and was opened because the one before was full."""
    filled = [chunk for chunk in use.chunks if chunk.used]
    if len(filled) < 2 or filled[-1].used > most or filled[-2].cut in _WANTED or filled[-1].stop < len(use.stream or ()):
        return None
    return filled[-1]
