"""ComfyUI's API format: `{"6": {"class_type": "CLIPTextEncode", "inputs": {"text": "...", "clip": ["4", 1]}}}`.

What the browser sends to run, and what pictures hold as `prompt`: subgraphs are expanded, muted and bypassed nodes are gone.
"""

from __future__ import annotations

from typing import Any

from promptlens.sources._comfy_graph import Graph, Link, Node, Value, Written
from promptlens.sources._prompt import Text


def is_api(value: Any) -> bool:
    """Whether a JSON value is a workflow in the API format."""
    return isinstance(value, dict) and any(isinstance(n, dict) and "class_type" in n for n in value.values())


def graph(value: dict[str, Any]) -> Graph:
    """The graph of a workflow in the API format."""
    nodes: dict[str, Node] = {}
    for name, node in value.items():
        if isinstance(node, dict) and isinstance(node.get("class_type"), str):
            given = node.get("inputs")
            inputs = {str(k): _value(v) for k, v in given.items()} if isinstance(given, dict) else {}
            where = node["class_type"]
            nodes[str(name)] = Node(str(name), str(where), where if isinstance(where, Text) else None, inputs)
    return Graph(nodes)


def _value(value: Any) -> Value:
    if isinstance(value, Text):
        return Written(value)
    if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str | int) and isinstance(value[1], int):
        return Link(str(value[0]), value[1])
    return value if isinstance(value, bool | int | float) else None
