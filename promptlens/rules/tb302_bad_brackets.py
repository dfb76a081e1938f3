"""TB302: brackets that do not pair, and brackets of a name that the host takes for emphasis."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from promptlens.report import Edit, Usage
from promptlens.rules import Example, Hit, RuleSettings, rule
from promptlens.rules._brackets import Brackets, brackets, live_kinds, readable, texts
from promptlens.rules._needs import Needs
from promptlens.rules._reading import reading
from promptlens.rules._words import shown
from promptlens.spans import Span

_BRACKET = re.compile(r"[()\[\]]")
_LAST_NUMBER = re.compile(r":\s*[+-]?[.\d]+\s*$")
# A name of Danbooru with what it belongs to: `saber_(fate)`, `saber (fate)`. Its words hold no comma, colon or further bracket.
_NAME = re.compile(
    r"(?:(?<=[\n,(])|^)[ \t]*(?P<name>[^\s,()\[\]:\\][^\n,()\[\]:\\]*?)(?P<gap>[ _])\((?P<series>[^\n,()\[\]:\\]+)\)(?=[ \t]*(?:[,\n)]|$))"
)
# What Danbooru names belong to most often. In brackets after a name, these are never meant as emphasis; of any other word one cannot say.
_SERIES_NAMES = """
    fate, fate/stay night, fate/grand order, vocaloid, touhou, pokemon, idolmaster, genshin impact, blue archive, honkai impact, arknights,
    azur lane, kancolle, kantai collection, fire emblem, nier, nier automata, league of legends, overwatch, final fantasy, street fighter,
    persona, xenoblade, xenoblade chronicles, the legend of zelda, marvel, naruto, bleach, one piece, dragon ball, gundam, evangelion,
    umamusume, hololive, nijisanji, splatoon, zenless zone zero, wuthering waves, nikke, granblue fantasy, guilty gear, danganronpa, jojo,
    madoka magica, sailor moon, cosplay, series, character, meme, artist, company, phrase, object
"""
_SERIES = frozenset(name.strip() for name in _SERIES_NAMES.split(","))


@rule(
    "TB302",
    "bad-brackets",
    "warning",
    summary="brackets do not pair, or brackets of a name are read as emphasis",
    why="A bracket that is never closed weighs everything up to the end of the prompt in some hosts, and in others turns every "
    "weight after it into text; one that was never opened is read as a word. And the brackets of names, as in `saber (fate)`,"
    " are emphasis to the host: they vanish and weigh what is in them. A backslash before a bracket makes it text: `saber "
    "\\(fate\\)`.",
    wrong=Example("1girl, (red hair, hatsune_miku_(vocaloid)"),
    right=Example("1girl, (red hair), hatsune_miku_\\(vocaloid\\)"),
    needs=lambda settings, room: Needs(_BRACKET.pattern),
)
def bad_brackets(usage: Usage, settings: RuleSettings) -> Iterator[Hit]:
    if not _BRACKET.search(usage.prompt):
        return
    kinds = live_kinds(usage)
    if not kinds:
        return
    text = readable(usage)
    found = brackets(usage, text, kinds)
    yield from _unpaired(usage, text, found)
    if "group" in reading(usage).live:
        yield from _names(text, found, "round" in reading(usage).live)


def _unpaired(usage: Usage, text: str, found: Brackets) -> Iterator[Hit]:
    read = reading(usage)
    for at in found.unopened:
        does = "it is read as a word" if read.reads_unopened else "it vanishes"
        if text[at] == ")" and "weight" in read.live and not read.weighs_after_unopened and "(" in text[at:]:
            does = "it is read as a word, and so are the weights after it"
        hint = f"Delete it, or write \\{text[at]} if the picture is to have one."
        edit = Edit(Span(at, at + 1), "\\" + text[at])
        yield Hit(Span(at, at + 1), f"{text[at]!r} closes a bracket that was never opened; {does}", hint, edit)
    ends = [end for _, end in texts(usage, text)]
    closers: dict[int, str] = {}
    for at in reversed(found.unclosed):
        # Brackets that end at one place are closed by one edit: edits must not meet.
        end = ends[bisect_right(ends, at)]
        closers[end] = closers.get(end, "") + _CLOSER[text[at]]
    for at in found.unclosed:
        end = ends[bisect_right(ends, at)]
        if read.weighs_unclosed:
            following = text[at + 1 : min(end, at + SHOWN)]
            does = f"it weighs all that follows: {shown(following, 40)}" if following.strip() else "nothing follows that it would weigh"
            closing = _closed(text, at, end, closers.pop(end, ""))
        else:
            does = "it is read as a word, and so are the weights after it"
            closing = Edit(Span(at, at + 1), "\\" + text[at])
        hint = f"Close it with {_CLOSER[text[at]]} where its words end, or write \\{text[at]} if the picture is to have one."
        yield Hit(Span(at, at + 1), f"{text[at]!r} is never closed; {does}", hint, closing)


def _closed(text: str, at: int, end: int, closers: str) -> Edit | None:
    """The brackets closed where the text ends, as the host does."""
    while end > at + 1 and text[end - 1].isspace():
        end -= 1
    if not closers or text[end - 1] == "\\":
        return None
    return Edit(Span(end, end), closers, safe="[" not in text[:end] and not _LAST_NUMBER.search(text, at, end))


def _names(text: str, found: Brackets, weighs: bool) -> Iterator[Hit]:
    if " (" not in text and "_(" not in text:
        return
    pairs = {(pair.start, pair.end) for pair in found.pairs}
    for match in _NAME.finditer(text):
        start, end = match.start("series") - 1, match.end("series") + 1
        known = match["gap"] == "_" or match["series"].replace("_", " ").strip().casefold() in _SERIES
        if not known or (start, end) not in pairs:
            continue
        name = shown(text[match.start("name") : end])
        edit = Edit(Span(start, end), f"\\({match['series']}\\)")
        series = shown(match["series"])
        does = f"are read as emphasis: they vanish and weigh {series}" if weighs else "vanish: the host takes them for its own"
        yield Hit(Span(start, end), f"the brackets of {name} {does}", _HINT, edit)


_CLOSER = {"(": ")", "[": "]"}
SHOWN = 400  # characters of what follows a bracket that its message may quote from
_HINT = "Put a backslash before each of them."
