"""Text encoders on the user's machine: find their weights, fetch them, run them. Needs the extra `promptlens[encoder]` to run.

Importing this package imports neither torch nor anything else that is slow; names load on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

_HOMES = {
    "load_encoder": "promptlens.encoder.loading",
    "find_encoders": "promptlens.encoder.finding",
    "iter_encoders": "promptlens.encoder.finding",
    "choose_encoder": "promptlens.encoder.finding",
    "pull": "promptlens.encoder.pulling",
    "cached_encoder": "promptlens.encoder.cached",
    "CachedEncoder": "promptlens.encoder.cached",
    "EncoderProcess": "promptlens.encoder.process",
    "RemoteEncoder": "promptlens.encoder.remote",
    "WindowEncoder": "promptlens.encoder.interface",
    "FoundWeights": "promptlens.encoder.files",
    "TextEncoder": "promptlens.encoder.text_encoder",
    "CancelledError": "promptlens.encoder.windows",
    "Encoded": "promptlens.encoder.windows",
    "AllLayers": "promptlens.encoder.windows",
    "Pooled": "promptlens.encoder.windows",
    "Window": "promptlens.encoder.windows",
    "Vector": "promptlens.encoder.windows",
}

if TYPE_CHECKING:
    from promptlens.encoder.cached import CachedEncoder, cached_encoder
    from promptlens.encoder.files import FoundWeights
    from promptlens.encoder.finding import choose_encoder, find_encoders, iter_encoders
    from promptlens.encoder.interface import WindowEncoder
    from promptlens.encoder.loading import load_encoder
    from promptlens.encoder.process import EncoderProcess
    from promptlens.encoder.pulling import pull
    from promptlens.encoder.remote import RemoteEncoder
    from promptlens.encoder.text_encoder import TextEncoder
    from promptlens.encoder.windows import AllLayers, CancelledError, Encoded, Pooled, Vector, Window

__all__ = [
    "AllLayers",
    "CachedEncoder",
    "CancelledError",
    "Encoded",
    "EncoderProcess",
    "FoundWeights",
    "Pooled",
    "RemoteEncoder",
    "TextEncoder",
    "Vector",
    "Window",
    "WindowEncoder",
    "cached_encoder",
    "choose_encoder",
    "find_encoders",
    "iter_encoders",
    "load_encoder",
    "pull",
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
