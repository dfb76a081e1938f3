"""Encoded windows are kept, found again, bounded, and never believed when damaged."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("numpy")

import numpy as np

from promptlens.encoder import CachedEncoder, Encoded, Pooled, Vector, Window
from promptlens.encoder.cache import DiskCache, MemoryCache, pack, remembered, unpack, window_key, write_whole
from promptlens.errors import WeightsError

ENTRY = (np.arange(12, dtype=np.float32).reshape(3, 4), None, np.zeros(0, dtype=np.float32))


def same(a: Any, b: Any) -> bool:
    return len(a) == len(b) and all((x is None and y is None) or np.array_equal(x, y) for x, y in zip(a, b, strict=True))


class Counting:
    """An encoder whose answers are made of the ids, and that counts the windows it had to compute."""

    name, width, positions, layers, missing_layers, checksum = "clip-l", 4, 77, 12, 0, "sum"

    def __init__(self, *, projects: bool = True) -> None:
        self.computed: list[Window] = []
        self.projects = projects

    def _pooled(self, windows: Sequence[Window]) -> Any:
        self.computed += windows
        if not windows:
            raise WeightsError("There is no window to encode.")
        return np.array([[w.ids[1], len(w.hide), len(w.vectors), 0] for w in windows], dtype=np.float32)

    def encode_windows(self, windows: Sequence[Window], *, layer: Any = "last", final_norm: bool = True, **_options: Any) -> Encoded:
        pooled = self._pooled(windows)
        hidden = np.stack([np.full((len(w.ids), 4), w.ids[1] + 100 * (layer == "penultimate") + 10 * final_norm) for w in windows])
        return Encoded(hidden.astype(np.float32), pooled, pooled * 2 if self.projects else None)

    def pool_windows(self, windows: Sequence[Window], **_options: Any) -> Pooled:
        pooled = self._pooled(windows)
        return Pooled(pooled, pooled * 2 if self.projects else None)

    def embed(self, ids: Any) -> Any:
        return np.zeros((len(ids), 3, 4), dtype=np.float32)


def caching(encoder: Counting, *, disk: Path | None = None, checksum: str = "sum", memory: MemoryCache | None = None) -> CachedEncoder:
    return CachedEncoder(
        lambda: encoder,
        name="clip-l",
        width=4,
        positions=77,
        layers=12,
        missing_layers=0,
        checksum=checksum,
        memory=memory,
        disk=None if disk is None else DiskCache(disk),
    )


def window(token: int) -> Window:
    return Window((49406, token, 49407))


# ---------------------------------------------------------------------------------------------- the encoder in front


@pytest.mark.parametrize("projects", [True, False])
def test_only_unknown_windows_are_computed(projects: bool) -> None:
    encoder = Counting(projects=projects)
    cached = caching(encoder)
    first = cached.encode_windows([window(1), window(2), window(1)])
    second = cached.encode_windows([window(2), window(3), window(1)])
    assert encoder.computed == [window(1), window(2), window(3)]
    assert np.array_equal(second.hidden[[2, 0]], first.hidden[:2])
    assert np.array_equal(second.pooled[:, 0], [2, 3, 1])
    assert (second.projected is None) == (not projects)


def test_what_changes_the_answer_is_not_mixed_up() -> None:
    encoder = Counting()
    cached = caching(encoder)
    one = window(1)
    questions: list[Any] = [
        lambda: cached.encode_windows([one]).hidden,
        lambda: cached.encode_windows([one], layer="penultimate").hidden,
        lambda: cached.encode_windows([one], final_norm=False).hidden,
        lambda: cached.pool_windows([one]).pooled,
        lambda: cached.pool_windows([Window(one.ids, frozenset({1}))]).pooled,
        lambda: cached.pool_windows([Window(one.ids, frozenset(), (Vector.at(1, [1.0] * 4),))]).pooled,
        lambda: cached.pool_windows([Window(one.ids, frozenset(), (Vector.at(1, [2.0] * 4),))]).pooled,
    ]
    before = [ask() for ask in questions]
    assert len(encoder.computed) == len(questions)
    assert all(np.array_equal(ask(), was) for ask, was in zip(questions, before, strict=True))
    assert len(encoder.computed) == len(questions)


def test_layers_by_name_and_by_number_are_one() -> None:
    encoder = Counting()
    cached = caching(encoder)
    cached.encode_windows([window(1)], layer="last")
    cached.encode_windows([window(1)], layer=1)
    assert len(encoder.computed) == 1


def test_a_new_program_finds_them_on_disk_and_loads_nothing(tmp_path: Path) -> None:
    encoder = Counting()
    want = caching(encoder, disk=tmp_path).encode_windows([window(1), window(2)])

    def never() -> Any:
        pytest.fail("the weights were loaded")

    later = CachedEncoder(
        never, name="clip-l", width=4, positions=77, layers=12, missing_layers=0, checksum="sum", disk=DiskCache(tmp_path)
    )
    got = later.encode_windows([window(2), window(1)])
    assert np.array_equal(got.hidden, want.hidden[::-1])
    assert got.projected is not None
    other = Counting()
    caching(other, disk=tmp_path, checksum="other weights").encode_windows([window(1)])
    assert other.computed == [window(1)]


def test_wrong_use_is_told_without_loading() -> None:
    encoder = Counting()
    cached = caching(encoder)
    for bad in ([Window((49406, 50000, 49407))], [Window((1,) * 78)], []):
        with pytest.raises(WeightsError):
            cached.pool_windows(bad)
    with pytest.raises(WeightsError, match="Unknown layer"):
        cached.encode_windows([window(1)], layer="first")
    assert encoder.computed == []
    assert cached.embed([[1, 2, 3]]).shape == (1, 3, 4)


def test_a_call_that_is_stopped_keeps_nothing_half(tmp_path: Path) -> None:
    class Stopped(Counting):
        def pool_windows(self, windows: Sequence[Window], **_options: Any) -> Pooled:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        caching(Stopped(), disk=tmp_path).pool_windows([window(1)])
    assert list(tmp_path.rglob("*")) == []


# ---------------------------------------------------------------------------------------------- in memory


def test_memory_forgets_what_was_not_used_for_longest() -> None:
    memory = MemoryCache(limit=3 * 40)
    row = (np.zeros(10, dtype=np.float32),)
    for key in "abc":
        memory.put(key, row)
    assert memory.get("a") is not None
    memory.put("d", row)
    assert [memory.get(k) is not None for k in "abcd"] == [True, False, True, True]
    assert memory.bytes == 120
    memory.put("d", row)
    assert memory.bytes == 120
    memory.put("large", (np.zeros(100, dtype=np.float32),))
    assert memory.bytes == 0


# ---------------------------------------------------------------------------------------------- on disk


@given(st.lists(st.one_of(st.none(), st.lists(st.integers(0, 4), max_size=3)), max_size=4))
def test_entries_come_back_as_they_went(shapes: list[list[int] | None]) -> None:
    arrays = tuple(None if s is None else np.random.default_rng(1).standard_normal(s, dtype=np.float32) for s in shapes)
    got = unpack(pack(arrays))
    assert got is not None
    assert same(got, arrays)
    assert all(a is None or (a.dtype == np.float32 and a.flags.writeable) for a in got)


def test_an_entry_with_any_byte_changed_or_missing_is_no_entry() -> None:
    content = pack(ENTRY)
    for place in range(len(content)):
        assert unpack(content[:place]) is None
        assert unpack(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]) is None
    assert unpack(content + b"x") is None


def test_a_damaged_file_is_computed_anew_and_replaced(tmp_path: Path) -> None:
    encoder = Counting()
    caching(encoder, disk=tmp_path).pool_windows([window(1)])
    (file,) = (p for p in tmp_path.rglob("*") if p.is_file())
    file.write_bytes(file.read_bytes()[:-3])
    caching(encoder, disk=tmp_path).pool_windows([window(1)])
    assert len(encoder.computed) == 2
    caching(encoder, disk=tmp_path).pool_windows([window(1)])
    assert len(encoder.computed) == 2


def test_the_folder_is_bounded_and_keeps_what_was_used_last(tmp_path: Path) -> None:
    size = len(pack(ENTRY))
    disk = DiskCache(tmp_path, limit=10 * size)
    keys = [window_key("sum", "x", window(n)) for n in range(12)]
    for n, key in enumerate(keys[:10]):
        disk.put(key, ENTRY)
        path = tmp_path / key[:2] / key[2:]
        os.utime(path, (n, n))
    os.utime(tmp_path / keys[0][:2] / keys[0][2:], (100, 100))
    DiskCache(tmp_path, limit=10 * size).put(keys[10], ENTRY)  # one too many: cut to nine
    left = [key for key in keys if DiskCache(tmp_path).get(key) is not None]
    assert left == [keys[0], *keys[3:11]]


def test_reading_counts_as_use(tmp_path: Path) -> None:
    disk = DiskCache(tmp_path)
    key = window_key("sum", "x", window(1))
    disk.put(key, ENTRY)
    path = tmp_path / key[:2] / key[2:]
    os.utime(path, (1, 1))
    assert disk.get(key) is not None
    assert path.stat().st_mtime > 1


def test_a_disk_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    encoder = Counting()
    assert caching(encoder, disk=tmp_path / "file").pool_windows([window(1)]).pooled.shape == (1, 4)


def test_writing_is_all_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_whole(tmp_path / "x", b"old")

    def interrupted(*_args: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "x", b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["x"]
    assert (tmp_path / "x").read_bytes() == b"old"


WRITER = """
import sys
import numpy as np
from pathlib import Path
from promptlens.encoder import Window
from promptlens.encoder.cache import DiskCache, window_key
disk = DiskCache(Path(sys.argv[1]))
n = 0
while True:
    disk.put(window_key("sum", "x", Window((49406, n, 49407))), (np.full((77, 768), n, dtype=np.float32), None))
    n += 1
    print(n, flush=True)
"""


def test_a_killed_program_leaves_whole_entries_or_none(tmp_path: Path) -> None:
    written = 0
    for _ in range(3):  # each begins where the last was killed
        with subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            for line in writer.stdout:
                if int(line) >= written + 20:
                    written = int(line)
                    break
            writer.kill()
    found = [path for path in tmp_path.rglob("*") if path.is_file() and not path.name.startswith(".new-")]
    assert len(found) >= written
    assert all(unpack(path.read_bytes()) is not None for path in found)
    entry = DiskCache(tmp_path).get(window_key("sum", "x", window(written - 1)))
    assert entry is not None
    assert entry[0] is not None
    assert entry[0][0, 0] == written - 1


def test_what_a_killed_program_left_half_written_counts_and_goes_in_its_turn(tmp_path: Path) -> None:
    size = len(pack(ENTRY))
    left = tmp_path / "ab" / ".new-left"
    left.parent.mkdir()
    left.write_bytes(b"x" * (4 * size))
    os.utime(left, (1, 1))
    disk = DiskCache(tmp_path, limit=4 * size)
    key = window_key("sum", "x", window(1))
    disk.put(key, ENTRY)
    assert not left.exists()
    assert disk.get(key) is not None


def test_checksums_of_weights_are_remembered_while_the_file_stays(tmp_path: Path) -> None:
    weights = tmp_path / "w.safetensors"
    weights.write_bytes(b"123")
    computed: list[str] = []

    def compute() -> str:
        computed.append("ab" * 32)
        return computed[-1]

    for _ in range(2):
        assert remembered(tmp_path / "sums", [weights], "clip-l", compute) == "ab" * 32
    assert len(computed) == 1
    remembered(tmp_path / "sums", [weights], "clip-g", compute)
    weights.write_bytes(b"1234")
    remembered(tmp_path / "sums", [weights], "clip-l", compute)
    assert len(computed) == 3
