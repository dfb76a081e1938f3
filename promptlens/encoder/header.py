"""What a safetensors file holds, from its first bytes: names, types and shapes of tensors, and where their bytes are.

Reading a header costs one seek, so a folder of 7 GB checkpoints is searched in the time of a folder listing, and without
torch. The format: 8 bytes with the length of the header (little endian), the header in JSON, the tensors.
It leaves out reading tensors, which the safetensors library does.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from promptlens.errors import WeightsError

INDEX_SUFFIX = ".safetensors.index.json"

# The library's own limit; a file that says more is not one.
HEADER_LIMIT = 100_000_000


@dataclass(frozen=True, slots=True)
class TensorEntry:
    """One tensor: its type as the format names it ("F16"), its shape, and its bytes `start` to `end` counted from byte 0 of `file`."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    file: Path
    start: int
    end: int

    @property
    def bytes(self) -> int:
        return self.end - self.start


Entries = dict[str, TensorEntry]


def read_entries(path: Path) -> Entries:
    """Tensors of a safetensors file, or of all the files an index (`*.safetensors.index.json`) names.

    Raises `WeightsError` for a file that is not one, is cut short, or cannot be read.
    """
    if not path.name.endswith(INDEX_SUFFIX):
        return _file_entries(path)
    try:
        names = json.loads(path.read_text(encoding="utf-8"))["weight_map"].values()
        shards = sorted({str(name) for name in names})
    except (OSError, ValueError, KeyError, AttributeError) as e:
        raise WeightsError(f"{path}: the index of the weight files cannot be read ({e}).") from e
    entries: Entries = {}
    for shard in shards:
        if Path(shard).name != shard:
            raise WeightsError(f"{path}: the index names {shard!r}, which lies outside its folder.")
        entries |= _file_entries(path.parent / shard)
    return entries


def _file_entries(path: Path) -> Entries:
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(0)
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= min(HEADER_LIMIT, size - 8):
                raise WeightsError(f"{path} is not a safetensors file, or is cut short: {size:,} bytes. Get it again.")
            raw = file.read(length)
    except OSError as e:
        raise WeightsError(f"{path} cannot be read: {e.strerror or e}.") from e
    entries = parse_header(raw, path)
    expected = max((e.end for e in entries.values()), default=0)
    if expected > size:
        raise WeightsError(f"{path} is cut short: it has {size:,} of {expected:,} bytes. Get it again.")
    return entries


def parse_header(raw: bytes, path: Path) -> Entries:
    """Tensors that the JSON of a header lists; `path` is where they are said to be."""
    offset = 8 + len(raw)
    try:
        listed: dict[str, Any] = json.loads(raw)
        return {
            name: TensorEntry(
                name,
                str(row["dtype"]),
                tuple(int(n) for n in row["shape"]),
                path,
                offset + int(row["data_offsets"][0]),
                offset + int(row["data_offsets"][1]),
            )
            for name, row in listed.items()
            if name != "__metadata__"
        }
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as e:
        raise WeightsError(f"{path} is not a safetensors file: its header cannot be read ({e}).") from e
