"""The near end of a text encoder that runs in another process: calls become messages, answers become arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from promptlens.encoder.frames import Message, window_to_json
from promptlens.encoder.interface import ByIds, Progress
from promptlens.encoder.windows import Encoded, Pooled, Window

if TYPE_CHECKING:
    from promptlens.encoder.windows import FloatArray

Ask = Callable[..., tuple[Message, list[Any]]]


class RemoteEncoder(ByIds):
    """A text encoder in an `EncoderProcess`; answers as `TextEncoder` does. `ask` sends a request there and waits for its answer."""

    def __init__(self, ask: Ask, facts: Message) -> None:
        self._ask = ask
        self._number: int = facts["encoder"]
        self.name: str = facts["name"]
        self.width: int = facts["width"]
        self.positions: int = facts["positions"]
        self.layers: int = facts["layers"]
        self.missing_layers: int = facts["missing_layers"]

    @property
    def checksum(self) -> str:
        """As `TextEncoder.checksum`."""
        return str(self._ask({"do": "checksum", "encoder": self._number})[0]["checksum"])

    def close(self) -> None:
        """Give back the memory of the weights; the process stays."""
        self._ask({"do": "forget", "encoder": self._number})

    def encode_windows(
        self,
        windows: Sequence[Window],
        *,
        layer: str | int = "last",
        final_norm: bool = True,
        base: Window | None = None,
        progress: Progress | None = None,
    ) -> Encoded:
        """As `TextEncoder.encode_windows`."""
        message = self._message("encode", windows, base) | {"layer": layer, "final_norm": final_norm}
        hidden, pooled, projected = self._ask(message, progress)[1]
        return Encoded(hidden, pooled, projected)

    def pool_windows(self, windows: Sequence[Window], *, base: Window | None = None, progress: Progress | None = None) -> Pooled:
        """As `TextEncoder.pool_windows`."""
        pooled, projected = self._ask(self._message("pool", windows, base), progress)[1]
        return Pooled(pooled, projected)

    def embed(self, ids: Any) -> FloatArray:
        """As `TextEncoder.embed`."""
        rows = [[int(i) for i in row] for row in ids]
        embedded: FloatArray = self._ask({"do": "embed", "encoder": self._number, "ids": rows})[1][0]
        return embedded

    def _message(self, do: str, windows: Sequence[Window], base: Window | None) -> Message:
        return {
            "do": do,
            "encoder": self._number,
            "windows": [window_to_json(w) for w in windows],
            "base": None if base is None else window_to_json(base),
        }
