"""ComfyUI's UI format: nodes with widgets and links as the browser saves them, made into the graph that it would run.

Reroutes, primitives and named wires are followed, bypassed nodes are stepped over by type, subgraphs are expanded. A widget that a subgraph
shows on its node ("promoted") has its value there: `widgets_values` of the node in the order of the promoted inputs, or of `proxyWidgets`
in files saved before 2026; where the node has none, the inner widget's own value counts. Observed in ComfyUI_frontend, executionUtil.ts,
ExecutableNodeDTO.ts, SubgraphNode.ts and proxyWidgetMigration.ts.
"""

from __future__ import annotations

from typing import Any

from promptlens.sources._comfy_graph import LONGEST_CHAIN, Gone, Graph, Link, Node, Value
from promptlens.sources._comfy_nodes import BYPASSED, GET_NODE, MUTED, NOT_RUN, PRIMITIVE, REROUTES, SET_NODE
from promptlens.sources._comfy_scope import Scope, Shape, Shapes, by_name, entries, host_value, on_page, typed, widget
from promptlens.sources._document import Document
from promptlens.sources._prompt import Text

MAX_NODES = 50_000  # after subgraphs are expanded; a large workflow has some 500
MAX_DEPTH = 30  # of subgraphs in subgraphs


def is_ui(value: Any) -> bool:
    """Whether a JSON value is a workflow in the UI format."""
    return isinstance(value, dict) and isinstance(value.get("nodes"), list) and "links" in value


def graph(document: Document, value: dict[str, Any], *, all_run: bool = False) -> Graph:
    """The graph of a workflow in the UI format; raises `UnreadableFile` when its subgraphs contain themselves or never end.

    `all_run`: as if no node were muted or bypassed, to see what those are for.
    """
    definitions = value.get("definitions")
    found = definitions.get("subgraphs") if isinstance(definitions, dict) else None
    shapes = Shapes({str(s["id"]): Shape.of(s) for s in entries(found) if "id" in s})
    root = Scope(Shape.of(value), shapes, all_run=all_run)
    done = Graph()
    waiting = [root]
    while waiting:
        scope = waiting.pop()
        for node in scope.shape.nodes.values():
            inner = scope.inner(node)
            if inner is not None:
                if scope.depth >= MAX_DEPTH:
                    raise document.unreadable(0, f"its subgraphs contain themselves, or are nested deeper than {MAX_DEPTH} levels")
                waiting.append(inner)
            elif node.get("type") not in NOT_RUN:
                made = _node(scope, node)
                done.nodes[made.id] = made
            if len(done.nodes) + len(waiting) > MAX_NODES:
                raise document.unreadable(0, f"its subgraphs expand to more than {MAX_NODES:,} nodes")
    return done


def _node(scope: Scope, node: dict[str, Any]) -> Node:
    inputs: dict[str, Value] = dict(scope.widgets(node))
    for index, slot in enumerate(entries(node.get("inputs"))):
        if slot.get("link") is not None:
            value = _input(scope, node, index, 0)
            if value is not None or str(slot.get("name")) not in inputs:
                inputs[str(slot.get("name"))] = value
    where = node.get("type")
    outputs = tuple(str(o.get("type")) for o in entries(node.get("outputs")))
    return Node(scope.path_of(node), str(where), where if isinstance(where, Text) else None, inputs, scope.state_of(node), outputs)


def _input(scope: Scope, node: dict[str, Any], index: int, depth: int, wanted: str = "") -> Value:
    """What an input gets; None when nothing does, so that the node's own widget counts."""
    slots = entries(node.get("inputs"))
    if index >= len(slots) or slots[index].get("link") is None:
        return None
    return _link(scope, slots[index].get("link"), wanted or str(slots[index].get("type")), depth)


def _link(scope: Scope, number: Any, wanted: str, depth: int) -> Value:
    link = scope.shape.links.get(str(number))
    if link is None:
        return Gone("missing: its link leads nowhere")
    if depth > LONGEST_CHAIN:
        return Gone("missing: its links go round in a circle, or on for too long")
    if link.from_outside:
        return _from_outside(scope, link.origin_slot, wanted, depth + 1)
    origin = scope.shape.nodes.get(link.origin)
    if origin is None:
        return Gone(f"missing: node {link.origin} is not in the file")
    return _output(scope, origin, link.origin_slot, wanted, depth + 1)


def _from_outside(scope: Scope, slot: int, wanted: str, depth: int) -> Value:
    """What comes into a subgraph through one of its inputs: a link on its node, or the value of the promoted widget."""
    if scope.parent is None or scope.host is None or slot >= len(scope.shape.inputs):
        return Gone("missing: the subgraph has no such input")
    name = scope.shape.inputs[slot].get("name")
    outer = by_name(entries(scope.host.get("inputs")), name)
    if outer is not None and outer.get("link") is not None:
        return on_page(_link(scope.parent, outer["link"], wanted, depth), False)
    return host_value(scope, slot)


def _output(scope: Scope, node: dict[str, Any], slot: int, wanted: str, depth: int) -> Value:
    kind, mode = node.get("type"), scope.mode_of(node)
    name = f"node {scope.path_of(node)} ({kind})"
    if mode == MUTED and kind != PRIMITIVE:
        return Gone(f"missing: {name} is muted")
    if mode == BYPASSED and kind != PRIMITIVE:
        index = _passed(node, slot, wanted)
        if index is None:
            return Gone(f"missing: {name} is bypassed and has nothing of that type to pass on")
        passed = _input(scope, node, index, depth)
        return passed if passed is not None else Gone(f"missing: {name} is bypassed and gets nothing to pass on")
    inner = scope.inner(node)
    if inner is not None:
        link = inner.shape.to_outside(slot)
        return _link(inner, link, wanted, depth) if link is not None else Gone(f"missing: {name} puts out nothing there")
    if kind in REROUTES:
        return _input(scope, node, slot, depth, wanted)
    if kind == GET_NODE:
        return _named_wire(scope, node, wanted, depth)
    if kind == PRIMITIVE:  # the page puts its value into the widget it is wired to
        return on_page(widget(node, "value"))
    return Link(scope.path_of(node), slot)


def _passed(node: dict[str, Any], slot: int, wanted: str) -> int | None:
    """The input that a bypassed node passes on to an output: the one in the same place if its type fits, else the first whose type does."""
    inputs, outputs = entries(node.get("inputs")), entries(node.get("outputs"))
    if wanted in ("*", ""):
        return (slot if slot < len(inputs) else 0) if inputs else None
    given = str(outputs[slot].get("type")) if slot < len(outputs) else "*"
    if slot < len(inputs) and typed(inputs[slot], given) and typed(inputs[slot], wanted):
        return slot
    exact = [i for i, each in enumerate(inputs) if str(each.get("type")) == wanted]
    fitting = [i for i, each in enumerate(inputs) if typed(each, given) and typed(each, wanted)]
    return next(iter([*exact, *fitting]), None)


def _named_wire(scope: Scope, node: dict[str, Any], wanted: str, depth: int) -> Value:
    name = _first(node)
    for other in scope.shape.nodes.values():
        if other.get("type") == SET_NODE and name and _first(other) == name:
            return _input(scope, other, 0, depth, wanted)
    return Gone(f"missing: no wire is named {name or '?'}")


def _first(node: dict[str, Any]) -> str:
    values = node.get("widgets_values")
    return str(values[0]) if isinstance(values, list) and values else ""
