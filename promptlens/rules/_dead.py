"""Where a prompt has syntax that its host reads as text, and what would say the same without it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from promptlens.report import Edit, Usage
from promptlens.rules._brackets import Inside, Pair, brackets, readable
from promptlens.rules._reading import reading
from promptlens.rules._tags import beside, deletion
from promptlens.spans import Span

_WEIGHT = re.compile(r"\s*:\s*[-+]?(?:\d+\.?\d*|\.\d+)\s*(?=\))")
# A number, and how far back to look for it from the bracket that closes it.
_NUMBER_LENGTH = 40
_INNER_WEIGHT = re.compile(r":\s*([-+]?(?:\d+\.?\d*|\.\d+))\s*\)$")
_SCHEDULE = re.compile(r"\[[^\[\]|]*:\s*[-+]?\d*\.?\d+\s*\]|\[[^\[\]]*\|[^\[\]]*\]")
_ESCAPE = re.compile(r"\\([()\[\]])")
_ROUND = re.compile(r"\\([()])|[()]")
_NUMBER_AFTER = re.compile(r"[-+]?\d*\.\d+(?=[\s,.)]|$)")
_LETTER = re.compile(r"[^\W\d_]")
_DATA = re.compile(r'["{}#]')  # a list of JSON, not emphasis
_WORDS = re.compile(r"\w")


class Dead(NamedTuple):
    """Dead syntax at `span`.

    `words` is what of it is no syntax; `edit` says the same without it (None: nobody can say).
    """

    span: Span
    what: str
    words: str
    edit: Edit | None
    hint: str


def dead_brackets(usage: Usage) -> Iterator[Dead]:
    """Brackets, the weights and steps in them, and escapes."""
    live, text = reading(usage).live, readable(usage)
    if "group" not in live and "\\" in text:
        yield from _escapes(text)
    if "(" not in text and "[" not in text:
        return
    pairs = brackets(usage, text).pairs
    for n, pair in enumerate(pairs):
        if text[pair.start] == "(":
            yield from _round(text, pair, live)
        elif not ("array" in live and _in_array(text, pairs[n])):
            yield from _square(text, pair, live)


def _escapes(text: str) -> Iterator[Dead]:
    for match in _ESCAPE.finditer(text):
        span, bracket = Span(*match.span()), match.group(1)
        yield Dead(span, "a backslash", bracket, Edit(span, bracket), "Leave the backslash out: brackets are text here.")


def _round(text: str, pair: Pair, live: frozenset[str]) -> Iterator[Dead]:
    weight = _inner_weight(text, pair)
    if "group" not in live and pair.depth == 0 and _is_emphasis(text, pair):
        yield _plain(text, pair)
    elif "group" in live and "weight" not in live and weight:
        yield _weight(text, pair, weight, "number-weight" in live)
    number = _NUMBER_AFTER.match(text, pair.end) if "number-weight" not in live else None
    if number:
        yield _number(text, pair, number.end(), "weight" in live and not weight)


def _inner_weight(text: str, pair: Pair) -> re.Match[str] | None:
    return _INNER_WEIGHT.search(text, max(pair.start, pair.end - _NUMBER_LENGTH), pair.end)


def _is_emphasis(text: str, pair: Pair) -> bool:
    """A weight, doubled brackets, or brackets around a whole tag; what else stands in brackets may be meant as text."""
    if not _WORDS.search(text, pair.start, pair.end):
        return False
    if _WEIGHT.search(text, pair.start, pair.end) or (text[pair.start + 1] == "(" and text[pair.end - 2] == ")"):
        return True
    before, after = beside(text, pair.start, pair.end, " \t")
    return before in ("", ",", "\n") and after in ("", ",", "\n") and "," in text


def _plain(text: str, pair: Pair) -> Dead:
    """The words in a bracket without any brackets and weights."""
    inner = _WEIGHT.sub("", text[pair.start : pair.end])[1:-1].rstrip("\\")
    words = _ROUND.sub(lambda match: match.group(1) or "", inner).strip()
    span = Span(pair.start, pair.end)
    return Dead(
        span,
        "brackets and weights",
        words,
        Edit(span, words),
        "Leave the brackets out; a word counts for more the nearer it is to the front.",
    )


def _weight(text: str, pair: Pair, weight: re.Match[str], number_after: bool) -> Dead:
    """A weight inside brackets, in a host that wants it after them or not at all."""
    span = Span(pair.start, pair.end)
    words = text[pair.start : weight.start()].rstrip() + ")"
    if number_after:
        edit, hint = Edit(span, words + weight.group(1), safe=False), "Write the weight after the bracket: (red hair)1.2."
    else:
        edit, hint = Edit(span, words), "Leave the number out."
    return Dead(span, "a weight in brackets", words, edit, hint)


def _number(text: str, pair: Pair, end: int, weights: bool) -> Dead:
    """A weight after a bracket, in a host that wants it inside."""
    span, number = Span(pair.end, end), text[pair.end : end]
    edit, hint = Edit(span, ""), "Leave the number out."
    if weights:
        edit, hint = Edit(Span(pair.end - 1, end), f":{number})", safe=False), f"Write the weight inside the bracket: (red hair:{number})."
    return Dead(span, "a weight after a bracket", "", edit, hint)


def _square(text: str, pair: Pair, live: frozenset[str]) -> Iterator[Dead]:
    span = Span(pair.start, pair.end)
    inner = text[pair.start + 1 : pair.end - 1].strip()
    if _SCHEDULE.fullmatch(text, pair.start, pair.end):
        if "schedule" not in live:
            first = re.split(r"[:|]", inner, maxsplit=1)[0].strip()
            hint = "Choose one of the texts: this host does not change the prompt while it draws."
            yield Dead(span, "prompt editing", first, Edit(span, first, safe=False), hint)
    elif "square" not in live and _LETTER.search(inner) and not _DATA.search(inner):
        words = inner.replace("[", "").replace("]", "")
        edit = None if _SCHEDULE.search(inner) else Edit(span, words)
        yield Dead(span, "square brackets", words, edit, "Leave the brackets out; they do not weaken anything here.")


def _in_array(text: str, pair: Pair) -> bool:
    """One of the doubled brackets of `[[a,b]]`."""
    start, end, _ = pair
    outer = start > 0 and text[start - 1] == "[" and text[end : end + 1] == "]"
    return outer or (text[start + 1] == "[" and text[end - 2] == "]")


_NETWORK = re.compile(r"<[A-Za-z]\w*:[^<>\n]+>")
_BREAK = re.compile(r"\bBREAK\b")
_AND = re.compile(r"\bAND\b")
_COMMENT = re.compile(r"^[ \t]*# [^\n]*(?:\n|$)", re.MULTILINE)
_PLUS = re.compile(r"(?<=[\w)\]\"])(?:\+{2,}|-{2,})(?=[\s,.)]|$)")
_CALL = re.compile(r"(?<=\))\.(and|blend)\([^()]*\)|(?<=\w)\.(swap)\([^()]*\)")
_CALLS = {"and": "conjunction", "blend": "blend", "swap": "swap"}
_PREFIX = re.compile(r"(?<!\w)embedding:(?=[^\s,:()])")
_SHOUTED = re.compile(r"[A-Z]+\W*[A-Z]+\W*")
_SHOUTED_LENGTH = 30


def dead_words(usage: Usage) -> Iterator[Dead]:
    """BREAK, AND, networks, comments, `++`, calls and `embedding:`."""
    live, text = reading(usage).live, readable(usage)
    if "BREAK" in text:
        yield from _breaks(usage, text, live)
    if "AND" in text and "and" not in live:
        found = (match.span() for match in _AND.finditer(text) if not _is_shouted(text, *match.span()))
        yield from (_parting(usage.prompt, start, end, "AND", safe=False) for start, end in found)
    if "<" in text and "tag" not in live:
        yield from (_network(usage.prompt, *match.span()) for match in _NETWORK.finditer(text))
    if "#" in text and "comment" not in live:
        for match in _COMMENT.finditer(text):
            span = Span(*match.span())
            yield Dead(span, "a comment", "", Edit(span, ""), "Take it out: this host has no comments.")
    if "plus" not in live and ("++" in text or "--" in text):
        for match in _PLUS.finditer(text):
            if text[match.start() - 1] not in "cC":  # C++
                span = Span(*match.span())
                yield Dead(span, f"'{match.group()[:2]}'", "", Edit(span, ""), "Leave it out; weigh words as this host does.")
    for match in _CALL.finditer(text) if "(" in text else ():
        name = match.group(1) or match.group(2)
        if _CALLS[name] not in live:
            yield Dead(Span(*match.span()), f".{name}()", "", None, "Take it out: this host does not mix prompts this way.")
    if "embedding:" in text:
        yield from _prefixes(usage, text, live)


def _is_shouted(text: str, start: int, end: int) -> bool:
    """AND beside other words in capitals is a word."""
    before = text[max(start - _SHOUTED_LENGTH, 0) : start].split()[-1:]
    after = text[end : end + _SHOUTED_LENGTH].split()[:1]
    return any(_SHOUTED.fullmatch(word) and word != "BREAK" for word in (*before, *after))


def _breaks(usage: Usage, text: str, live: frozenset[str]) -> Iterator[Dead]:
    """BREAK as a word: everywhere in a host without it, inside brackets in one with it."""
    places = {f.span.start for line in usage.lines for f in line.fragments if f.kind == "break"}
    found = brackets(usage, text)
    within, unclosed = Inside(found.pairs), found.unclosed[0] if found.unclosed else len(text)

    def inside(at: int) -> bool:
        return unclosed < at or within(at)

    for span in _runs_of_breaks(usage.prompt, text):
        if "break-tag" in live and "break" not in live:
            yield Dead(span, "BREAK", "", Edit(span, "<break>"), "Write <break> instead.")
        elif "break" not in live:
            yield _parting(usage.prompt, span.start, span.end, "BREAK", safe=True)
        elif span.start not in places and not usage.failure and inside(span.start):
            yield Dead(span, "BREAK inside brackets", "", None, "Put it outside of all brackets.")


def _runs_of_breaks(prompt: str, text: str) -> Iterator[Span]:
    """BREAK, or several in a row: with nothing but white space between them in the prompt itself, not where `text` hides what is there."""
    run: Span | None = None
    for match in _BREAK.finditer(text):
        if run is not None and not prompt[run.end : match.start()].isspace():
            yield run
            run = None
        run = Span(run.start if run is not None else match.start(), match.end())
    if run is not None:
        yield run


def _parting(prompt: str, start: int, end: int, what: str, *, safe: bool) -> Dead:
    """A word that parts texts, with a comma in its place where there is none yet."""
    left, right = beside(prompt, start, end)
    first, last = start, end
    while first and prompt[first - 1].isspace():
        first -= 1
    if left == "":
        first = start
        while last < len(prompt) and prompt[last] in " \t":  # not a line break: a trainer reads the first line only
            last += 1
    elif left == "," and right == ",":
        first, last = start, prompt.index(right, end) + 1
    comma = "" if left in _NO_COMMA_AFTER or right in _NO_COMMA_BEFORE else ","
    hint = "Put a comma instead: this host reads all of the prompt as one text."
    return Dead(Span(start, end), what, "", Edit(Span(first, last), comma, safe), hint)


_NO_COMMA_AFTER = ("", *",([{|:")
_NO_COMMA_BEFORE = ("", *",)]}|:")


def _network(prompt: str, start: int, end: int) -> Dead:
    span = deletion(prompt, start, end)
    around = prompt[max(span.start - 1, 0) : span.start] + prompt[span.end : span.end + 1]
    edit = Edit(span, " " if len(around) == 2 and around.isalnum() else "")
    hint = "Load it another way (a node, load_lora_weights): in the prompt it does nothing here."
    return Dead(Span(start, end), "a network's tag", "", edit, hint)


def _prefixes(usage: Usage, text: str, live: frozenset[str]) -> Iterator[Dead]:
    """`embedding:` where it is text: everywhere in a host without it, or glued to what is before it."""
    read = {f.span.start for line in usage.lines for f in line.fragments if f.kind == "embedding"}
    for match in _PREFIX.finditer(text):
        span = Span(*match.span())
        if "embedding-prefix" not in live:
            alone = "embedding-name" in live
            hint = "Write the embedding's name alone." if alone else "This host takes no embeddings from the prompt."
            yield Dead(span, "'embedding:'", "", Edit(span, "") if alone else None, hint)
        elif span.start not in read and not usage.failure and span.start and text[span.start - 1] not in " \n(":
            edit = Edit(Span(span.start, span.start), " ")
            yield Dead(span, "'embedding:' without a blank before it", "", edit, "Put a blank before it.")
