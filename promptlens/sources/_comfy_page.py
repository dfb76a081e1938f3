r"""What ComfyUI's web page makes of a text encoder's own text before it sends the workflow.

    a cat // draft, /* old */      comments go
    a \{cat\}                      a backslash takes the meaning from `{`, `}` and `|`
    {a cat}                        braces around a single choice go: text in JSON loses them too
    {a|b}                          one of several choices is drawn each time, so that the text is not known

Texts that come over a wire or from a widget that a subgraph shows are sent as they are, and so is the API format. Observed in
ComfyUI_frontend, dynamicPrompts.ts and formatUtil.ts.
"""

from __future__ import annotations

import re

MAX_DEPTH = 50  # of braces in braces

_SPECIAL = re.compile(r"[{\\]|//|/\*")
_COMMENT = re.compile("/\\*.*?\\*/|//[^\n\r\u2028\u2029]*", re.DOTALL)
_NOTHING = "undefined"  # what JavaScript makes of the character after a backslash that ends the text

Kept = tuple[str, int | None]  # a character and its index in the text as written; None: it is not written there
Stretch = tuple[str, int | None]  # a stretch of the sent text and where it begins in the text as written


class Drawn(Exception):
    """The page draws one of several choices, or braces are nested too deeply to say."""


def sent(text: str) -> list[Stretch]:
    r"""The text as it is sent, in stretches of what is written; raises `Drawn` where chance decides.

    >>> sent("a /* b */cat")
    [('a ', 0), ('cat', 9)]
    """
    if not _SPECIAL.search(text):
        return [(text, 0)]
    stretches: list[Stretch] = []
    for char, index in _resolved([(char, i) for i, char in enumerate(text)], 0):
        before, start = stretches[-1] if stretches else ("", -1)
        follows = start is None if index is None else start is not None and index == start + len(before)
        if stretches and follows:
            stretches[-1] = (before + char, start)
        else:
            stretches.append((char, index))
    return stretches or [("", 0)]


def _resolved(kept: list[Kept], depth: int) -> list[Kept]:
    if depth > MAX_DEPTH:
        raise Drawn
    kept = _without_comments(kept)
    result: list[Kept] = []
    at = 0
    while at < len(kept):
        char = kept[at][0]
        if char == "\\":
            result += _escaped(kept, at)
            at += 2
        elif char == "{":
            end = _block_end(kept, at + 1)
            result += _resolved(kept[at + 1 : end], depth + 1)
            at = end + 1
        else:
            result.append(kept[at])
            at += 1
    return [k for i, k in enumerate(result) if not (k[0] == "\\" and i + 1 < len(result) and result[i + 1][0] in "{}|")]


def _without_comments(kept: list[Kept]) -> list[Kept]:
    text = "".join(char for char, _ in kept)
    parts, at = [], 0
    for found in _COMMENT.finditer(text):
        parts += kept[at : found.start()]
        at = found.end()
    return parts + kept[at:]


def _escaped(kept: list[Kept], at: int) -> list[Kept]:
    return kept[at : at + 2] if at + 1 < len(kept) else [kept[at], *((char, None) for char in _NOTHING)]


def _block_end(kept: list[Kept], at: int) -> int:
    """The index of the brace that ends a block, or the end; raises `Drawn` when the block has several choices."""
    depth = 0
    while at < len(kept):
        char = kept[at][0]
        if char == "\\":
            at += 1
        elif char == "{":
            depth += 1
        elif char == "}":
            if not depth:
                return at
            depth -= 1
        elif char == "|" and not depth:
            raise Drawn
        at += 1
    return len(kept)
