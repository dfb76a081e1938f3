r"""compel's prompt syntax as a tree: `word++`, `(words)1.2`, `"words"-`, `.attend`, `.swap`, `.blend`, `.and`, `withLora`.

compel tries its rules in order and takes the first that fits, starting over at every bracket, which takes it exponential time; here what
a rule finds at a place is remembered, so the time is linear and the answer the same. Observed in compel 2.5.1, prompt_parser.py, with
pyparsing 3.3.3. What its tree means is worked out in _compel.py.

    prompt    (swap | lora | attention | quoted | bracketed | any run without white space)*
    item      lora | attention | swap | bracketed | quoted | word      inside brackets and quotes also "," and "."
    word      characters but white space and ()",.+-=  unless escaped; "+" and "-" before a plain character; "-" before a digit
"""

from __future__ import annotations

import re
from collections.abc import Callable

from promptlens.hosts._compel_scanner import KEYWORD, Options, Scanner
from promptlens.hosts._compel_tree import Attention, Blend, Lora, Node, Nodes, Swap, Text, Tree
from promptlens.hosts._rewrite import Derived

Found = tuple[int, Nodes] | None

_WORD = re.compile(r"""(?:\\[()",.+\-=]|[+-](?![ \t\r\n()",.+\-=]|\Z)|-?[0-9]+|[^ \t\n\r\x0b\x0c()",.+\-=])+""")
_FREE = re.compile(r"[^ \t\n\r\x0b\x0c]+")
# White space that counts as such between words: pyparsing's White lets these go before blanks.
_WHITE = re.compile("[\f\xa0\u1680\u180e\u2000-\u200b\u202f\u205f\u3000]*[ \t\r\n]+")
_LORA = re.compile("useLora|withLora")
_AND = re.compile(r"\.and|\.add")
_BLEND = re.compile(r"\.blend")

# Python's recursion limit, and the stack frames pyparsing takes for a level of brackets, of swaps, for quotes, and before the first.
MAX_FRAMES, BRACKET_FRAMES, SWAP_FRAMES, QUOTE_FRAMES, BASE_FRAMES = 1000, 21, 12, 60, 30


def parse_compel(text: Derived) -> Tree:
    """The tree of a prompt. Raises `HostFailure` where compel raises, under the name of its error."""
    return _Parser(text, BASE_FRAMES).conjunction()


def _remembered(rule: Callable[[_Parser, int], Found]) -> Callable[[_Parser, int], Found]:
    """A rule that skips white space, and tries each place once."""
    name = rule.__name__

    def looked_up(parser: _Parser, at: int) -> Found:
        at = parser.scan.space(at)
        key = (name, at)
        if key not in parser.known:
            parser.known[key] = rule(parser, at)
        return parser.known[key]

    return looked_up


class _Parser:
    """Rules as methods from a place to what they find there: (end, nodes), or None."""

    def __init__(self, source: Derived, frames: int) -> None:
        self.scan = Scanner(source)
        self.source = source
        self.text = source.text
        self.frames = frames
        self.known: dict[tuple[str, int], Found] = {}

    def conjunction(self) -> Tree:
        listed = self.members(0)
        if listed and (found := self.scan.arguments(self.scan.match(_AND, listed[0]))):
            members, weights = listed[1], tuple(self.scan.weight(name) for name, _ in found[1])
            self.check_count(members, weights)
            rest = self.source.cut(found[0], len(self.text))
            return Tree(members, weights or (1.0,) * len(members), rest)
        at, before = self.loras(0)
        blend = self.blend(at)
        end, part = blend or self.prompt(at)
        end, after = self.loras(end)
        end = self.scan.space(end)
        if end < len(self.text):
            raise self.scan.failure("ParseException", "compel cannot read the prompt from here on, and stops with an error.", end)
        return Tree((before, part, after), (1.0, 1.0, 1.0), self.source.cut(end, end))

    def blend(self, at: int) -> tuple[int, Blend] | None:
        listed = self.members(at)
        found = self.scan.arguments(self.scan.match(_BLEND, listed[0])) if listed else None
        if not listed or not found:
            return None
        end, options = found
        normalize = not options or options[-1][0] != "no_normalize"
        weights = tuple(self.scan.weight(name) for name, _ in (options if normalize else options[:-1]))
        members = listed[1]
        self.check_count(members, weights)
        if any(isinstance(node, Swap) for nodes in members for node in nodes):
            raise self.scan.failure("ParsingException", "compel does not swap inside a blend; it stops with an error.", at)
        return end, Blend(members, weights or (1.0,) * len(members), normalize)

    def members(self, at: int) -> tuple[int, tuple[Nodes, ...]] | None:
        """`(member, member, ...)`."""
        members: list[Nodes] = []
        end = self.scan.literal("(", at)
        while end is not None:
            found = self.target(end) or self.quoted_prompt(end)
            if not found:
                return None
            members.append(found[1])
            if (close := self.scan.literal(")", found[0])) is not None:
                return close, tuple(members)
            end = self.scan.literal(",", found[0])
        return None

    def prompt(self, at: int) -> tuple[int, Nodes]:
        """As far as it goes: what no other rule takes is text up to the next white space."""
        nodes: list[Node] = []
        while True:
            found = self.swap(at) or self.lora(at) or self.attention(at) or self.quoted(at) or self.bracketed(at)
            if found:
                at = found[0]
                nodes += found[1]
            elif free := _FREE.match(self.text, at):
                nodes.append(Text(self.source.cut(*free.span())))
                at = free.end()
            elif white := _WHITE.match(self.text, at):
                at = white.end()
            else:
                return at, tuple(nodes)

    def items(self, at: int, *, punctuation: bool) -> tuple[int, Nodes]:
        """As far as they go."""
        nodes: list[Node] = []
        while True:
            found = self.item(at)
            if not found and punctuation:
                found = self.punctuation(at)
            if not found:
                return at, tuple(nodes)
            at = found[0]
            nodes += found[1]

    def item(self, at: int) -> Found:
        return self.lora(at) or self.attention(at) or self.swap(at) or self.bracketed(at) or self.quoted(at) or self.word(at)

    def punctuation(self, at: int) -> Found:
        at = self.scan.space(at)
        return (at + 1, (Text(self.source.cut(at, at + 1)),)) if self.text[at : at + 1] in (",", ".") else None

    def target(self, at: int) -> Found:
        return self.quoted(at) or self.bracketed(at) or self.word(at)

    def word(self, at: int) -> Found:
        found = _WORD.match(self.text, self.scan.space(at))
        return (found.end(), (Text(self.source.cut(*found.span())),)) if found else None

    @_remembered
    def bracketed(self, at: int) -> Found:
        if self.text[at : at + 1] != "(":
            return None
        self.deeper(BRACKET_FRAMES, at)
        end, nodes = self.items(at + 1, punctuation=True)
        self.frames -= BRACKET_FRAMES
        close = self.scan.literal(")", end)
        return None if close is None else (close, nodes)

    @_remembered
    def quoted(self, at: int) -> Found:
        return self.unquoted(at, lambda inner: inner.items(0, punctuation=True))

    @_remembered
    def quoted_prompt(self, at: int) -> Found:
        return self.unquoted(at, lambda inner: inner.prompt(0))

    def unquoted(self, at: int, rule: Callable[[_Parser], tuple[int, Nodes]]) -> Found:
        """What a rule makes of the text inside quotes, if it takes all of it."""
        found = self.scan.quoted(at)
        if not found:
            return None
        close, inner = found
        if not inner.text.strip():
            return close, (Text(inner.cut(0, 0)),)
        parser = _Parser(inner, self.frames + QUOTE_FRAMES)
        end, nodes = rule(parser)
        return (close, nodes) if parser.scan.space(end) == len(inner.text) else None

    @_remembered
    def attention(self, at: int) -> Found:
        """A target with signs or a number right after it, or with `.attend(...)`."""
        found = self.target(at)
        if not found:
            return None
        end, children = found
        called = self.scan.literal(".attend", end)
        called = None if called is None else self.scan.literal("(", called)
        if called is not None and (amount := self.scan.amount(self.scan.space(called), numbers=True)):
            close = self.scan.literal(")", amount[0])
            if close is not None:
                return close, (Attention(amount[1], children),)
        amount = self.scan.amount(end, numbers=self.text[at] in '("')
        return (amount[0], (Attention(amount[1], children),)) if amount else None

    @_remembered
    def swap(self, at: int) -> Found:
        target = self.target(at)
        called = self.scan.literal(".swap", target[0]) if target else None
        start = None if called is None else self.scan.literal("(", called)
        if not target or start is None:
            return None
        self.deeper(SWAP_FRAMES, at)
        end, nodes = self.items(start, punctuation=False)
        self.frames -= SWAP_FRAMES
        comma = self.scan.literal(",", end)
        options: Options = []
        if comma is not None:
            end, options = self.scan.options(comma)
        close = self.scan.literal(")", end)
        if close is None:
            return None
        if not dict([("shape_freedom", True), *options])["shape_freedom"]:
            raise self.scan.failure("TypeError", "shape_freedom must be a number; compel stops with an error.", at, close)
        empty = (Text(self.source.cut(close, close)),)
        return close, (Swap(target[1] or empty, nodes or empty, self.scan.span(at, close)),)

    @_remembered
    def lora(self, at: int) -> Found:
        called = self.scan.match(_LORA, at)
        start = None if called is None else self.scan.literal("(", called)
        name = None if start is None else self.scan.match(KEYWORD, start)
        if name is None:
            return None
        comma = self.scan.literal(",", name)
        weight = None if comma is None else self.scan.number(comma)
        close = self.scan.literal(")", weight[0] if weight else name)
        return None if close is None else (close, (Lora(self.source.cut(at, close)),))

    def loras(self, at: int) -> tuple[int, Nodes]:
        nodes: list[Node] = []
        while found := self.lora(at):
            at = found[0]
            nodes += found[1]
        return at, tuple(nodes)

    def deeper(self, frames: int, at: int) -> None:
        self.frames += frames
        if self.frames > MAX_FRAMES:
            raise self.scan.failure("RecursionError", "Nested deeper than compel's parser can go; it stops with an error.", at)

    def check_count(self, members: tuple[Nodes, ...], weights: tuple[float, ...]) -> None:
        if weights and len(weights) != len(members):
            message = f"{len(members)} members with {len(weights)} weights; compel stops with an error."
            raise self.scan.failure("ParsingException", message, 0)
