"""ComfyUI workflows, in the API format and in the UI's: every text of every CLIP text encoder, as it would be encoded.

A text that another node makes when the workflow runs (a language model, a file) has `computed` set and is not guessed. Nodes that are
muted, bypassed or read by no sampler have `skipped` set. Other encoders' prompts (of video and edit models) are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from promptlens.sources import _comfy_api, _comfy_ui, _json
from promptlens.sources._comfy_graph import Gone, Graph, Node, Part, role_of, text_of
from promptlens.sources._comfy_nodes import TEXT_FIELDS, is_text_encoder
from promptlens.sources._document import Document
from promptlens.sources._format import Format, Head, ReadSettings
from promptlens.sources._prompt import Item, Piece, Prompt

_MARKS = ('"class_type"', '"widgets_values"', '"last_node_id"')


def _detects(path: PurePath, head: Head) -> bool:
    text = head.text
    return text.lstrip().startswith("{") and any(mark in text for mark in _MARKS)


def _read(document: Document, settings: ReadSettings) -> Iterator[Item]:
    value, notices = _json.loads(document)
    yield from notices
    yield from prompts(document, value)


def _graph(document: Document, value: Any, *, all_run: bool = False) -> Graph:
    """The graph of a workflow in either format; the API format may be wrapped as it is sent (`{"prompt": ...}`)."""
    if isinstance(value, dict) and _comfy_api.is_api(value.get("prompt")):
        value = value["prompt"]
    if _comfy_ui.is_ui(value):
        return _comfy_ui.graph(document, value, all_run=all_run)
    if _comfy_api.is_api(value):
        return _comfy_api.graph(value)
    raise document.unreadable(
        0, "it is no ComfyUI workflow: it has neither nodes and links nor a class_type", hint="Name its format with --as."
    )


def prompts(document: Document, value: Any) -> Iterator[Prompt]:
    """The prompts of a workflow; one text that several encoders read in the same way is one prompt."""
    graph = _graph(document, value)
    encoders = [node for node in graph.nodes.values() if is_text_encoder(node.type)]
    meant = _graph(document, value, all_run=True) if any(node.state for node in encoders) else graph
    found: dict[tuple[Any, ...], Prompt] = {}
    for node in encoders:
        role = role_of(meant, meant.nodes[node.id])
        skipped = node.state or (None if role else "read by no sampler")
        for field, encoder in TEXT_FIELDS.items():
            if field not in node.inputs:
                continue
            prompt = replace(_prompt(document, graph, node, field), role=role or "positive", skipped=skipped, encoder=encoder)
            same = (prompt.text, prompt.computed, prompt.line, prompt.column, role, skipped, encoder)
            if same in found:
                found[same] = replace(found[same], readers=(*found[same].readers, prompt.key))
            else:
                found[same] = prompt
    yield from sorted(found.values(), key=lambda p: (p.line, p.column))


def _prompt(document: Document, graph: Graph, node: Node, field: str) -> Prompt:
    key = f"{node.id}.{node.type}.{field}"
    line, column = document.position(node.where.start) if node.where is not None else (1, 1)
    parts = text_of(graph, node.inputs[field])
    if isinstance(parts, Gone):
        return Prompt("", document.path, line, column, key=key, computed=parts.why)
    pieces = tuple(_pieces(document, parts))
    first = next((piece for piece in pieces if piece.place), None)
    if first is not None and first.place is not None:
        line, column = first.place.locate(first.skip)
    single = parts[0].source if len({id(part.source) for part in parts}) == 1 else None
    mirrors = tuple(text.place(document) for text in single.mirrors) if single else ()
    return Prompt("".join(p.text for p in parts), document.path, line, column, key=key, pieces=pieces, mirrors=mirrors)


def _pieces(document: Document, parts: tuple[Part, ...]) -> Iterator[Piece]:
    at = 0
    for part in parts:
        place = part.source.text.place(document) if part.source else None
        yield Piece(at, at + len(part.text), place, part.skip)
        at += len(part.text)


FORMAT = Format(
    name="comfyui",
    title="ComfyUI workflow",
    summary="JSON in the API or UI format: the texts of CLIP text encoders, followed through links and subgraphs.",
    suffixes=(".json",),
    detects=_detects,
    rank=10,
    read=_read,
    host="comfyui",
)
