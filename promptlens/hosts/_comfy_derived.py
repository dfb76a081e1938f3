"""ComfyUI's reading of text that was made out of the prompt."""

from __future__ import annotations

from collections.abc import Mapping

from promptlens.hosts import Fragment, HostFailure
from promptlens.hosts._comfy import parse_comfy
from promptlens.hosts._rewrite import Derived, placed


def derived_groups(
    text: Derived, *, embeddings: Mapping[str, int], by_word: bool = False
) -> tuple[tuple[Fragment, ...], tuple[Fragment, ...]]:
    """The groups of a text, and the embeddings it misses, with their places in the prompt. Raises `HostFailure` where the host fails."""
    try:
        parsed = parse_comfy(text.text, embeddings=embeddings, by_word=by_word)
    except HostFailure as failure:
        span = text.origin.span(failure.span.start, failure.span.end) if text.origin else failure.span
        raise HostFailure(failure.error, str(failure), span) from None
    return tuple(placed(f, text) for f in parsed.lines[0].fragments), tuple(placed(f, text) for f in parsed.removed)
