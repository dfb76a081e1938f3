"""PromptLens: what a text encoder really reads of a prompt.

    >>> from promptlens import analyze
    >>> analyze("a (red:1.2) cat", host="a1111", model="sdxl").usage.encoders[0].shown_count
    3

Public names load on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "analyze": "promptlens.analysis",
    "Report": "promptlens.report",
    "Finding": "promptlens.report",
    "Usage": "promptlens.report",
    "HOSTS": "promptlens.hosts",
    "MODELS": "promptlens.models",
    "ENCODERS": "promptlens.models",
    "PromptLensError": "promptlens.errors",
    "conditioning": "promptlens.conditionings",
    "fix": "promptlens.fixes",
    "Fixed": "promptlens.fixes",
    "influence": "promptlens.influences",
    "similarity": "promptlens.influences",
    "load_encoder": "promptlens.encoder",
    "read_prompts": "promptlens.sources",
}

if TYPE_CHECKING:
    from promptlens.analysis import analyze
    from promptlens.conditionings import conditioning
    from promptlens.encoder import load_encoder
    from promptlens.errors import PromptLensError
    from promptlens.fixes import Fixed, fix
    from promptlens.hosts import HOSTS
    from promptlens.influences import influence, similarity
    from promptlens.models import ENCODERS, MODELS
    from promptlens.report import Finding, Report, Usage
    from promptlens.sources import read_prompts

__all__ = [
    "ENCODERS",
    "HOSTS",
    "MODELS",
    "Finding",
    "Fixed",
    "PromptLensError",
    "Report",
    "Usage",
    "analyze",
    "conditioning",
    "fix",
    "influence",
    "load_encoder",
    "read_prompts",
    "similarity",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
