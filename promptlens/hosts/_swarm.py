"""SwarmUI's tags: what `<...>` in a prompt comes to before ComfyUI reads it.

Sections (`<segment:face> ...`) are prompts of their own. What the host draws at random is taken at its longest, as its own token counter
does. Read in SwarmUI's T2IPromptHandling.cs and PromptRegion.cs, not observed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from promptlens.hosts import Fragment, FragmentKind
from promptlens.hosts._rewrite import Derived
from promptlens.hosts._swarm_text import MAX_DEPTH, NUMBER, Changing, Node, Section, brackets, length_of, moved, step_of

# Tags that begin a prompt for another model or another part of the picture, up to the next of them.
SECTIONS = frozenset({"base", "refiner", "video", "videoswap", "pixeldecoder", "segment", "object", "region", "extend", "clear"})
_RANDOM = frozenset({"random"})
_CHANGING = frozenset({"alternate", "alt", "fromto"})
# Tags whose text is not in the prompt, or that only set something: nothing of them is read.
_SILENT: Mapping[str, FragmentKind] = {
    **dict.fromkeys(("comment", "param", "preset", "p", "trigger", "wildcard", "wc"), "comment"),
    "lora": "network",
}
MAX_TAGS, MAX_REPEATS = 2000, 100  # past these, tags are text
MAX_EXPANDED = 50_000  # characters that tags come to; more of them come to nothing
_TAG = re.compile(r"([^\[\]:<>]+)(?:\[([^\]]*)\])?(?::(.*))?", re.DOTALL)


@dataclass(slots=True)
class Expander:
    """Works out the tags of one prompt; `removed` gathers what they take away."""

    embeddings: Mapping[str, int]
    steps: int
    removed: list[Fragment] = field(default_factory=list)
    variables: dict[str, Derived] = field(default_factory=dict)
    tags: int = 0
    expanded: int = 0

    def sections(self, text: Derived) -> list[Section]:
        """The main prompt first, then the others in order."""
        found: list[tuple[str, list[Node]]] = [("", [])]
        for piece, tag in _tags(text):
            name = tag.group(1).strip().lower() if tag else ""
            if tag and name in SECTIONS:
                back = name == "region" and tag.group(3) == "end"
                found.append(("" if back else f"{name} {(tag.group(3) or '').strip()}".strip(), []))
                self._take(piece, "comment")
            else:
                nodes = self._expanded(piece, tag, 0)
                found[-1][1].extend(nodes if nodes or self.expanded <= MAX_EXPANDED else brackets(piece, self.steps))
        main = [node for label, nodes in found for node in nodes if not label]
        return [Section("", tuple(main)), *(Section(label, tuple(nodes)) for label, nodes in found if label)]

    def expand(self, text: Derived, depth: int) -> list[Node]:
        if self.expanded > MAX_EXPANDED:
            return []
        return [node for piece, tag in _tags(text) for node in self._expanded(piece, tag, depth)]

    def _expanded(self, piece: Derived, tag: re.Match[str] | None, depth: int) -> list[Node]:
        """What a piece of text, or a tag, comes to."""
        self.tags += 1
        self.expanded += len(piece.text) if depth else 0
        if self.expanded > MAX_EXPANDED:
            return []
        if tag is None or depth > MAX_DEPTH or self.tags > MAX_TAGS:
            return list(brackets(piece, self.steps))
        name, data = tag.group(1).strip().lower(), _group(piece, tag, 3)
        if name in _SILENT:
            self._take(piece, _SILENT[name])
            return []
        if name == "break":
            return [piece]
        if name in ("embed", "embedding"):
            return self._embedding(piece, data.text)
        if name in _CHANGING:
            return self._changing(name, tag.group(2), [self.expand(option, depth + 1) for option in _split(data)])
        if name in _RANDOM:
            return self._longest(_split(data), tag.group(2), depth)
        if name == "repeat":
            return self._repeated(self.expand(data, depth + 1), _count(tag.group(2)), piece)
        if name in ("setvar", "setmacro"):
            variable, _, mode = (tag.group(2) or "").partition(",")
            shown = [] if mode.strip().lower() == "false" else self.expand(data, depth + 1)
            self.variables[variable.strip()] = data
            return shown
        if name in ("var", "macro"):
            return self._stored((tag.group(3) or tag.group(2) or "").strip(), piece, depth)
        return list(brackets(piece, self.steps))

    def _take(self, piece: Derived, kind: FragmentKind) -> None:
        self.removed.append(Fragment(piece.text, kind=kind, origin=piece.origin))

    def _embedding(self, piece: Derived, name: str) -> list[Node]:
        """`embedding:` and the name of the file, as ComfyUI wants it."""
        wanted = name.strip().lower().replace("\\", "/").removesuffix(".safetensors")
        for key in self.embeddings:
            known = key.lower().removesuffix(".safetensors")
            if known == wanted or known.endswith("/" + wanted):
                return [piece.rebuild([(0, len(piece.text), f"embedding:{key}")])]
        self._take(piece, "missing")
        return []

    def _repeated(self, nodes: list[Node], times: int, piece: Derived) -> list[Node]:
        """The nodes so many times, the later ones placed at the tag; as far as there is room for them."""
        length = length_of(nodes) + 1
        again = moved([Derived(" "), *nodes], piece)
        found = list(nodes)
        for _ in range(times - 1):
            self.expanded += length
            if self.expanded > MAX_EXPANDED:
                break
            found += again
        return found

    def _stored(self, name: str, piece: Derived, depth: int) -> list[Node]:
        """What a variable or macro holds, placed where it is called; nothing inside itself."""
        known = self.variables.pop(name, None)
        if known is None:
            return []
        nodes = moved(self.expand(known, depth + 1), piece)
        self.variables[name] = known
        return nodes

    def _changing(self, name: str, when: str | None, options: list[list[Node]]) -> list[Node]:
        if name != "fromto":
            return [Changing(tuple(map(tuple, options)))]
        if len(options) != 2 or not NUMBER.fullmatch(when or ""):
            return []
        return [Changing(tuple(map(tuple, options)), step_of(when or "", self.steps))]

    def _longest(self, options: list[Derived], count: str | None, depth: int) -> list[Node]:
        """As many of the longest entries as are drawn."""
        separator = ", " if (count or "").strip().endswith(",") else " "
        drawn = min(_count((count or "1").strip().rstrip(",")), len(options))
        longest = sorted(range(len(options)), key=lambda n: -len(options[n].text))[:drawn]
        nodes: list[Node] = []
        for n in sorted(longest):
            nodes += [Derived(separator), *self.expand(options[n], depth + 1)]
        return nodes[1:]


def _tags(text: Derived) -> Iterator[tuple[Derived, re.Match[str] | None]]:
    """The outermost tags, and the text between them."""
    opened: list[int] = []
    pairs: list[tuple[int, int]] = []
    for match in re.finditer("[<>]", text.text):
        if match.group() == "<":
            opened.append(match.start())
        elif opened:
            start = opened.pop()
            while pairs and pairs[-1][0] > start:
                pairs.pop()
            pairs.append((start, match.end()))
    done = 0
    for start, end in pairs:
        tag = _TAG.fullmatch(text.text, start + 1, end - 1)
        if tag:
            if done < start:
                yield text.cut(done, start), None
            yield text.cut(start, end), tag
            done = end
    if done < len(text.text):
        yield text.cut(done, len(text.text)), None


def _group(piece: Derived, tag: re.Match[str], number: int) -> Derived:
    """A group of a tag's match, which began one character into the piece's own text."""
    if tag.group(number) is None:
        return piece.cut(len(piece.text), len(piece.text))
    base = tag.start() - 1
    return piece.cut(tag.start(number) - base, tag.end(number) - base)


def _split(data: Derived) -> list[Derived]:
    """Entries of a list: between "||" if there is one outside tags, or else "|", or else ","; trimmed."""
    outside = [at for at, depth in _depths(data.text) if not depth]
    bars = [at for at in outside if data.text[at] == "|"]
    double = [at for at in bars if data.text.startswith("||", at)]
    separator = "||" if double else "|" if bars else ","
    places: list[int] = []
    for at in outside:
        if data.text.startswith(separator, at) and (not places or at >= places[-1] + len(separator)):
            places.append(at)
    ends = [*places, len(data.text)]
    starts = [0, *(at + len(separator) for at in places)]
    found: list[Derived] = []
    for start, end in zip(starts, ends, strict=True):
        kept = data.text[start:end].strip()
        first = data.text.index(kept, start)
        found.append(data.cut(first, first + len(kept)))
    return found


def _depths(text: str) -> Iterator[tuple[int, int]]:
    """Every place that is no angle bracket, with how many tags it is inside of."""
    depth = 0
    for at, char in enumerate(text):
        if char in "<>":
            depth += 1 if char == "<" else -1
        else:
            yield at, depth


def _count(text: str | None) -> int:
    """A number, or the end of a range like 1-3."""
    last = (text or "").rpartition("-")[2]
    return min(int(float(last)), MAX_REPEATS) if NUMBER.fullmatch(last) else 1
