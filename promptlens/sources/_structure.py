"""One way to read JSON, YAML and TOML: by the file's suffix, as values whose strings know where they stand."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from promptlens.sources._document import UNDECODABLE, Document
from promptlens.sources._prompt import Notice


def load(document: Document) -> tuple[Any, list[Notice]]:
    """The value of a document and its notices; a suffix that is none of YAML's or TOML's is read as JSON."""
    undecodable = None if document.text.isascii() else UNDECODABLE.search(document.text)
    if undecodable:
        raise document.unreadable(undecodable.start(), "bytes that are not UTF-8 stand here", hint="Save the file as UTF-8.")
    suffix = PurePath(document.path).suffix.lower()
    if suffix in (".yaml", ".yml"):
        from promptlens.sources import _yaml

        return _yaml.load(document)
    if suffix == ".toml":
        from promptlens.sources import _toml

        return _toml.load(document), []
    from promptlens.sources import _json

    return _json.loads(document)
