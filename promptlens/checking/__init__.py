"""Checking prompt files: which files there are, what holds for each, what is found in them, and writing fixes back.

    Checker(...).paths(paths)   the entries of all that paths, patterns or folders name
    Search(...).find(path)      the files that a path, a glob or a folder names, with what is excluded left out
    check_file(path, plan)      the entries of one file: reports of its prompts, notes, what could not be read
    fix_file(path, plan)        what fixing makes of one file, ready to be written or shown as a diff

Each file of this folder is one step. Where settings come from is config's business, how entries look render's.
"""

from __future__ import annotations

from promptlens.checking._checker import Checker
from promptlens.checking._discovery import DEFAULT_EXCLUDE, DiscoveredFile, Search, Walk
from promptlens.checking._entries import Plan, check_content, check_file, format_of, with_pair
from promptlens.checking._fixing import FixedFile, fix_document, fix_file
from promptlens.checking._plans import Plans

__all__ = [
    "DEFAULT_EXCLUDE",
    "Checker",
    "DiscoveredFile",
    "FixedFile",
    "Plan",
    "Plans",
    "Search",
    "Walk",
    "check_content",
    "check_file",
    "fix_document",
    "fix_file",
    "format_of",
    "with_pair",
]
