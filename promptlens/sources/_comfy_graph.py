"""A ComfyUI workflow as it runs: nodes, the values and links of their inputs, and what their text encoders get.

Both file formats become a `Graph` first (_comfy_api.py, _comfy_ui.py). `text_of` follows a text through nodes that pass it on or join it;
what any other node makes at run time is named, never guessed. `role_of` follows the conditioning to the sampler input it reaches.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from promptlens.sources._comfy_nodes import SAME_TEXT, ZEROED
from promptlens.sources._comfy_page import Drawn, sent
from promptlens.sources._prompt import Role, Text

LONGEST_CHAIN = 200  # links that are followed from one input
LONGEST_TEXT = 1_000_000  # characters, or pieces, of a text that nodes join
MOST_STEPS = 1_000_000  # of following conditioning, for all encoders of a file together
_CONDITIONING = re.compile(r"positive|negative|cond", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Link:
    """An input that gets what another node puts out."""

    node: str
    slot: int


@dataclass(frozen=True, slots=True)
class Written:
    """An input whose text is in the file; `mirrors` are further places that hold the same one and must change with it.

    `page`: the web page reads it before it is sent (_comfy_page.py).
    """

    text: Text
    mirrors: tuple[Text, ...] = ()
    page: bool = False


@dataclass(frozen=True, slots=True)
class Gone:
    """An input that gets nothing, and why."""

    why: str


Value = Link | Written | Gone | bool | int | float | None


@dataclass(slots=True)
class Node:
    """One node that the workflow runs, or would if it were not muted or bypassed (`state`).

    `id` is ComfyUI's own: "57:27" is node 27 in the subgraph that node 57 stands for. `outputs` are types, None where the file has none.
    """

    id: str
    type: str
    where: Text | None
    inputs: dict[str, Value]
    state: str = ""
    outputs: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Consumer:
    """An input that reads an output."""

    node: Node
    name: str


@dataclass(slots=True)
class Graph:
    """All nodes by id."""

    nodes: dict[str, Node] = field(default_factory=dict)
    texts: dict[str, Resolved] = field(default_factory=dict)
    steps: int = 0
    _readers: dict[tuple[str, int], list[Consumer]] = field(default_factory=dict)
    _slots: dict[str, list[int]] = field(default_factory=dict)
    _read: bool = False

    def readers(self, node: str, slot: int) -> list[Consumer]:
        """The inputs of running nodes that read an output."""
        if not self._read:
            self._read = True
            for each in self.nodes.values():
                for name, value in each.inputs.items() if not each.state else ():
                    if isinstance(value, Link):
                        self._readers.setdefault((value.node, value.slot), []).append(Consumer(each, name))
            for origin, place in self._readers:
                self._slots.setdefault(origin, []).append(place)
        return self._readers.get((node, slot), [])

    def slots(self, node: Node) -> list[int]:
        """The outputs of a node that anything reads."""
        self.readers("", 0)
        return self._slots.get(node.id, [])


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a text and where it is written, `skip` characters into the text there; None: a node made it."""

    text: str
    source: Written | None
    skip: int = 0


Resolved = tuple[Part, ...] | Gone  # the text, or why it is not known before the workflow runs


def text_of(graph: Graph, value: Value, depth: int = 0) -> Resolved:
    """The text an input gets: written in the file, joined from texts that are, or made at run time."""
    if isinstance(value, Written):
        return _sent(value) if value.page else (Part(str.__str__(value.text), value),)
    if isinstance(value, Gone):
        return value
    if not isinstance(value, Link):
        return Gone("missing: nothing is connected" if value is None else "no text")
    node = graph.nodes.get(value.node)
    if node is None:
        return Gone(f"missing: node {value.node} is not in the file")
    if node.id not in graph.texts:
        graph.texts[node.id] = Gone("missing: its links go round in a circle, or on for too long")  # until it is known
        if depth < LONGEST_CHAIN:
            graph.texts[node.id] = _made(graph, node, depth)
    return graph.texts[node.id]


def _sent(value: Written) -> Resolved:
    try:
        stretches = sent(str.__str__(value.text))
    except Drawn:
        return Gone("drawn by the web page from the choices in {a|b} each time")
    return tuple(Part(text, None if at is None else value, at or 0) for text, at in stretches)


def _made(graph: Graph, node: Node, depth: int) -> Resolved:
    """The text that a node puts out."""
    if node.type in SAME_TEXT:
        return text_of(graph, node.inputs.get(SAME_TEXT[node.type]), depth + 1)
    if node.type == "ComfySwitchNode":
        return _switched(graph, node, depth)
    if node.type == "StringConcatenate":
        return _joined(graph, node, depth)
    if node.type in ("StringReplace", "StringTrim"):
        return _changed(graph, node, depth)
    return Gone(f"made at run time by node {node.id} ({node.type})")


def _switched(graph: Graph, node: Node, depth: int) -> Resolved:
    names = [name for name in ("on_false", "on_true") if not isinstance(node.inputs.get(name), Gone | None)]
    if len(names) == 1:  # with one side only, the switch has no say
        return text_of(graph, node.inputs[names[0]], depth + 1)
    switch = literal(graph, node.inputs.get("switch"), depth + 1)
    if not isinstance(switch, bool):
        return Gone(f"made at run time by node {node.id} ({node.type}): which way it switches is not in the file")
    return text_of(graph, node.inputs.get("on_true" if switch else "on_false"), depth + 1)


def literal(graph: Graph, value: Value, depth: int = 0) -> Value:
    """The number or switch that an input gets, where the file says it; otherwise what stands in the way."""
    while isinstance(value, Link) and depth < LONGEST_CHAIN:
        node = graph.nodes.get(value.node)
        if node is None or node.type not in SAME_TEXT:
            break
        value, depth = node.inputs.get(SAME_TEXT[node.type]), depth + 1
    return value


def _joined(graph: Graph, node: Node, depth: int) -> Resolved:
    first = text_of(graph, node.inputs.get("string_a"), depth + 1)
    between = text_of(graph, node.inputs.get("delimiter"), depth + 1) if "delimiter" in node.inputs else ()
    second = text_of(graph, node.inputs.get("string_b"), depth + 1)
    for part in (first, between, second):
        if isinstance(part, Gone):
            return part
    parts = tuple(p for part in (first, between, second) if isinstance(part, tuple) for p in part)
    return parts if sum(1 + len(p.text) for p in parts) <= LONGEST_TEXT else Gone("missing: it is too long")


def _changed(graph: Graph, node: Node, depth: int) -> Resolved:
    """What is left of a text after it was replaced or trimmed: known, but no longer written anywhere as it is."""
    values = []
    for name in ("string", "find", "replace") if node.type == "StringReplace" else ("string", "mode"):
        part = text_of(graph, node.inputs.get(name), depth + 1)
        if isinstance(part, Gone):
            return part
        values.append("".join(p.text for p in part))
    if node.type == "StringReplace":
        growth = (values[0].count(values[1]) if values[1] else len(values[0]) + 1) * len(values[2])
        if growth > LONGEST_TEXT:
            return Gone("missing: it is too long")
        return (Part(values[0].replace(values[1], values[2]), None),)
    trim = {"Both": str.strip, "Left": str.lstrip, "Right": str.rstrip}.get(values[1])
    return (Part(trim(values[0]), None),) if trim else Gone(f"made at run time by node {node.id} ({node.type})")


def role_of(graph: Graph, encoder: Node) -> Role | None:
    """The role of a text encoder's prompt: that of the sampler input it reaches; None when it reaches none.

    Positive wins where the same conditioning is used as both. A way through ConditioningZeroOut counts only when there is no other.
    """
    found: set[tuple[bool, Role]] = set()
    waiting: list[_Way] = [(encoder.id, 0, False, None)]
    seen: set[_Way] = set()
    while waiting and graph.steps < MOST_STEPS:
        way = waiting.pop()
        graph.steps += 1
        if way not in seen:
            seen.add(way)
            for reader in graph.readers(way[0], way[1]):
                waiting += _further(graph, reader, way, found)
    return min(found, key=lambda f: (f[0], f[1] != "positive"))[1] if found else None


_Way = tuple[str, int, bool, Role | None]  # an output, whether it was set to zero on the way, the last role it was called by


def _further(graph: Graph, reader: Consumer, way: _Way, found: set[tuple[bool, Role]]) -> list[_Way]:
    """Where conditioning goes from an input on; where it goes no further, its role is found."""
    node, name = reader.node, reader.name.lower()
    own: Role | None = "positive" if "positive" in name else "negative" if "negative" in name else None
    zeroed = way[2] or node.type == ZEROED
    slots = [slot for slot in graph.slots(node) if _carries(graph, node, slot)]
    if own is not None:  # nodes that pass both on have them in this order: ControlNetApplyAdvanced, InpaintModelConditioning ...
        paired = [slot for slot in slots if slot == (0 if own == "positive" else 1)]
        slots = paired if paired or len(slots) != 1 else slots
    role = own or way[3]
    if not slots:
        found.add((zeroed, role or "positive"))
    return [(node.id, slot, zeroed, role) for slot in slots]


def _carries(graph: Graph, node: Node, slot: int) -> bool:
    """Whether an output is conditioning: by its type, or by the inputs that read it where the file has no types."""
    if node.outputs is not None and slot < len(node.outputs) and node.outputs[slot] not in ("*", ""):
        return node.outputs[slot] == "CONDITIONING"
    return any(_CONDITIONING.search(reader.name) for reader in graph.readers(node.id, slot))
