"""Rows of a table never import each other: a new host or format is one file that needs no other."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import promptlens

PACKAGE = Path(promptlens.__file__).parent
TABLES = [folder for folder in ("hosts", "sources", "rules", "render") if (PACKAGE / folder).is_dir()]


def rows(folder: str) -> dict[str, Path]:
    return {p.stem: p for p in sorted((PACKAGE / folder).glob("*.py")) if not p.stem.startswith("_")}


def imported(path: Path) -> set[str]:
    """Full names of the promptlens modules a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


@pytest.mark.parametrize("folder", TABLES)
def test_no_row_imports_another(folder: str) -> None:
    names = rows(folder)
    assert names
    full = {name: f"promptlens.{folder}.{name}" for name in names}
    others = {name: imported(path) & (set(full.values()) - {full[name]}) for name, path in names.items()}
    assert {name: found for name, found in others.items() if found} == {}
