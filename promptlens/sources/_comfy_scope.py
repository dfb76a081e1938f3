"""The parts of a saved ComfyUI graph: its nodes, links and widgets by name, and subgraphs with the node that each one stands behind.

`host_value` says what a promoted widget of a subgraph is set to. Where things lead is _comfy_ui.py's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from promptlens.sources._comfy_graph import Value, Written
from promptlens.sources._comfy_nodes import BYPASSED, MUTED, SEEDS, WIDGETS, is_text_encoder
from promptlens.sources._prompt import Text

INSIDE, OUTSIDE = "-10", "-20"  # the ids of a subgraph's own ends: what comes in, what goes out
FIRST_TEXT = "text"  # what the text of an encoder is called whose widgets have no known names


def entries(value: Any) -> list[dict[str, Any]]:
    """The maps of a list; of anything else, none."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def by_name(slots: list[dict[str, Any]], name: Any) -> dict[str, Any] | None:
    """The slot of that name."""
    return next((slot for slot in slots if slot.get("name") == name), None)


def typed(slot: dict[str, Any], wanted: str) -> bool:
    """Whether a slot takes a type; `*` goes with all, and a slot may name several."""
    types = str(slot.get("type")).split(",")
    return wanted in ("*", "") or "*" in types or any(each in types for each in wanted.split(","))


@dataclass(frozen=True, slots=True)
class Wire:
    """A link of a saved graph."""

    id: str
    origin: str
    origin_slot: int
    target: str
    target_slot: int

    @property
    def from_outside(self) -> bool:
        """True when it begins at an input of the subgraph."""
        return self.origin == INSIDE

    @classmethod
    def of(cls, link: Any) -> Wire | None:
        """A link as the UI saves it: a list in a workflow, a map in a subgraph."""
        if isinstance(link, dict):
            link = [link.get(k) for k in ("id", "origin_id", "origin_slot", "target_id", "target_slot")]
        if not isinstance(link, list) or len(link) < 5 or not isinstance(link[2], int) or not isinstance(link[4], int):
            return None
        return cls(str(link[0]), str(link[1]), max(link[2], 0), str(link[3]), link[4])


@dataclass(frozen=True, slots=True)
class Shape:
    """A workflow or the definition of a subgraph."""

    nodes: dict[str, dict[str, Any]]
    links: dict[str, Wire]
    inputs: list[dict[str, Any]]

    @classmethod
    def of(cls, value: dict[str, Any]) -> Shape:
        """The parts of a saved graph that make sense."""
        nodes = {str(n.get("id")): n for n in entries(value.get("nodes"))}
        given = value.get("links")
        wires = [Wire.of(link) for link in (given.values() if isinstance(given, dict) else given if isinstance(given, list) else [])]
        return cls(nodes, {w.id: w for w in wires if w}, entries(value.get("inputs")))

    def to_outside(self, slot: int) -> str | None:
        """The link that ends at an output of the subgraph."""
        return next((w.id for w in self.links.values() if w.target == OUTSIDE and w.target_slot == slot), None)

    def from_input(self, slot: int) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """The nodes and their inputs that read an input of the subgraph, in the order of its links."""
        listed = self.inputs[slot].get("linkIds") if slot < len(self.inputs) else None
        order = [str(i) for i in listed] if isinstance(listed, list) else list(self.links)
        for number in order:
            wire = self.links.get(number)
            node = self.nodes.get(wire.target) if wire and wire.from_outside and wire.origin_slot == slot else None
            target = next((i for i in entries(node.get("inputs")) if str(i.get("link")) == number), None) if node else None
            if node and target:
                yield node, target


class Shapes(dict[str, Shape]):
    """The definitions of subgraphs by id, and what was found out about their inputs."""

    def __init__(self, shapes: dict[str, Shape]) -> None:
        super().__init__(shapes)
        self.promoted: dict[tuple[int, int], tuple[dict[str, Any], str] | None] = {}


@dataclass(slots=True)
class Scope:
    """A graph where it is used: a subgraph has the node it stands behind (`host`) and the graph that node is in."""

    shape: Shape
    shapes: Shapes
    host: dict[str, Any] | None = None
    parent: Scope | None = None
    path: str = ""
    state: str = ""
    depth: int = 0
    all_run: bool = False
    _inner: dict[str, Scope] = field(default_factory=dict)

    def inner(self, node: dict[str, Any]) -> Scope | None:
        """The graph behind a node that stands for a subgraph."""
        shape = self.shapes.get(str(node.get("type")))
        if shape is None:
            return None
        name = str(node.get("id"))
        if name not in self._inner:
            path, state = self.path_of(node), self.state_of(node)
            self._inner[name] = Scope(shape, self.shapes, node, self, path, state, self.depth + 1, self.all_run)
        return self._inner[name]

    def path_of(self, node: dict[str, Any]) -> str:
        """The id under which a node runs."""
        return f"{self.path}:{node.get('id')}" if self.path else str(node.get("id"))

    def state_of(self, node: dict[str, Any]) -> str:
        """Why a node does not run, "" if it does."""
        return self.state or {MUTED: "muted", BYPASSED: "bypassed"}.get(self.mode_of(node), "")

    def mode_of(self, node: dict[str, Any]) -> int:
        """ComfyUI's number for whether a node runs: 0 if it does."""
        mode = node.get("mode")
        return mode if isinstance(mode, int) and not self.all_run else 0

    def widgets(self, node: dict[str, Any]) -> dict[str, Value]:
        """The values of a node's widgets by name; what the subgraph's own node sets goes first."""
        values = own_widgets(node)
        if is_text_encoder(kind := str(node.get("type"))) and kind in WIDGETS:  # the page reads these; of others' nodes it is not known
            values = {name: on_page(value) for name, value in values.items()}
        for entry, value in _proxied(self.host):
            if entry[0] == str(node.get("id")) and entry[1] in values:
                values[entry[1]] = value
        return values


def own_widgets(node: dict[str, Any]) -> dict[str, Value]:
    """The values of a node's widgets by name, as far as their names are known."""
    values, named = node.get("widgets_values"), node.get("widgets_values_named")
    kind = str(node.get("type"))
    if isinstance(values, dict):
        return {str(k): _value(v, None) for k, v in values.items()}
    listed = values if isinstance(values, list) else []
    also = named if isinstance(named, dict) else {}
    if kind in WIDGETS:
        return {name: _value(value, also.get(name)) for name, value in zip(WIDGETS[kind], listed, strict=False)}
    if is_text_encoder(kind):
        text = next((v for v in listed if isinstance(v, Text)), None)
        return {FIRST_TEXT: _value(text, also.get(FIRST_TEXT))} if text is not None else {}
    return {str(k): _value(v, None) for k, v in also.items()}


def on_page(value: Value, page: bool = True) -> Value:
    """The value as one that the web page reads before it is sent, or that it does not."""
    return replace(value, page=page) if isinstance(value, Written) else value


def widget(node: dict[str, Any], name: str) -> Value:
    """The value of a widget, None where it is not known."""
    return own_widgets(node).get(name)


def _value(value: Any, also: Any) -> Value:
    if isinstance(value, Text):
        return Written(value, (also,) if isinstance(also, Text) and also == value else ())
    return value if isinstance(value, bool | int | float) else None


def _proxied(host: dict[str, Any] | None) -> Iterator[tuple[tuple[str, str], Value]]:
    """The inner widgets that an older file shows on a subgraph's node, each as (node, widget), with its value there."""
    properties = host.get("properties") if host else None
    listed = properties.get("proxyWidgets") if isinstance(properties, dict) else None
    values = host.get("widgets_values") if host else None
    if not isinstance(listed, list) or not isinstance(values, list):
        return
    for entry, value in zip(listed, values, strict=False):
        if isinstance(entry, list) and len(entry) >= 2 and value is not None:
            yield (str(entry[0]), str(entry[1])), _value(value, None)


def _promoted(shape: Shape, shapes: Shapes, slot: int) -> tuple[dict[str, Any], str] | None:
    """The inner node and widget whose value an input of a subgraph shows."""
    known = (id(shape), slot)
    if known not in shapes.promoted:
        shapes.promoted[known] = None  # while it is looked for: a subgraph in itself shows nothing
        shapes.promoted[known] = _shown(shape, shapes, slot)
    return shapes.promoted[known]


def _shown(shape: Shape, shapes: Shapes, slot: int) -> tuple[dict[str, Any], str] | None:
    for node, target in shape.from_input(slot):
        inner = shapes.get(str(node.get("type")))
        if inner is None:
            locator = target.get("widget")
            if isinstance(locator, dict):
                return node, str(locator.get("name", target.get("name")))
        else:
            at = next((i for i, each in enumerate(inner.inputs) if each.get("name") == target.get("name")), None)
            found = _promoted(inner, shapes, at) if at is not None else None
            if found:
                return node, str(target.get("name"))
    return None


def host_value(scope: Scope, slot: int, depth: int = 0) -> Value:
    """What a promoted widget is set to: on the subgraph's node, or by the inner widget that it shows. None: there is no such widget."""
    host, shape = scope.host, scope.shape
    target = _promoted(shape, scope.shapes, slot)
    if host is None or target is None:
        return None
    node, name = target
    for entry, value in _proxied(host):
        if entry in ((str(node.get("id")), name), ("-1", str(shape.inputs[slot].get("name")))):
            return value
    set_there = _positional(scope, host, slot)
    if set_there is not None:
        return set_there
    inner = scope.inner(node)
    if inner is None:
        return widget(node, name)
    at = next((i for i, each in enumerate(inner.shape.inputs) if each.get("name") == name), None)
    return host_value(inner, at, depth + 1) if at is not None and depth < len(scope.shapes) else None


def _positional(scope: Scope, host: dict[str, Any], slot: int) -> Value:
    """The value in `widgets_values` of a subgraph's node: one for each promoted input, in their order."""
    values = host.get("widgets_values")
    if not isinstance(values, list) or not values:
        return None
    promoted = [(i, found[1]) for i in range(len(scope.shape.inputs)) if (found := _promoted(scope.shape, scope.shapes, i))]
    spaced = len(values) > len(promoted)  # older files also save the companion of each seed
    at = 0
    for index, name in promoted:
        if index == slot:
            named = host.get("widgets_values_named")
            also = named.get(scope.shape.inputs[slot].get("name")) if isinstance(named, dict) else None
            return _value(values[at], also) if at < len(values) else None
        at += 2 if spaced and name in SEEDS else 1
    return None
