"""The encoder in a process of its own: the same answers, and no way to be left behind."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("safetensors")

import numpy as np
from tiny_weights import tensors, window, write

import promptlens
from promptlens.encoder import CancelledError, EncoderProcess, RemoteEncoder, TextEncoder, Vector, Window, load_encoder
from promptlens.errors import UnknownNameError, WeightsError

pytestmark = pytest.mark.encoder
IDS = [window(320, 2368, 100), window(*range(1000, 1075))]
PATIENCE_S = 60


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("weights") / "clip_l.safetensors", tensors())


@pytest.fixture(scope="module")
def process() -> Iterator[EncoderProcess]:
    with EncoderProcess() as running:
        yield running


@pytest.fixture(scope="module")
def remote(process: EncoderProcess, weights: Path) -> RemoteEncoder:
    return process.load(weights, "clip-l", device="cpu", threads=1)


@pytest.fixture(scope="module")
def local(weights: Path) -> TextEncoder:
    return load_encoder(weights, "clip-l", device="cpu", threads=1)


def test_the_same_answers(remote: RemoteEncoder, local: TextEncoder) -> None:
    for option in ({"layer": "last"}, {"layer": 2, "final_norm": False}):
        there, here = remote.encode(IDS, hide=[[1], []], **option), local.encode(IDS, hide=[[1], []], **option)
        assert np.array_equal(there.hidden, here.hidden)
        assert np.array_equal(there.pooled, here.pooled)
        assert there.projected is not None
        assert here.projected is not None
        assert np.array_equal(there.projected, here.projected)
    vectors = [{1: np.ones(128)}, {}]
    assert np.array_equal(remote.encode(IDS, vectors=vectors).hidden, local.encode(IDS, vectors=vectors).hidden)
    assert np.array_equal(remote.embed(IDS), local.embed(IDS))
    assert (remote.name, remote.width, remote.positions, remote.layers) == (local.name, local.width, local.positions, local.layers)
    assert (remote.missing_layers, remote.checksum) == (local.missing_layers, local.checksum)


def test_bases_and_progress(remote: RemoteEncoder, local: TextEncoder) -> None:
    base = Window(IDS[1])
    windows = [Window(window(*range(1000, 1000 + n), *range(1001 + n, 1075))) for n in range(75)]
    steps: list[tuple[int, int]] = []
    there = remote.pool_windows(windows, base=base, progress=lambda done, total: steps.append((done, total)))
    assert np.array_equal(there.pooled, local.pool_windows(windows, base=base).pooled)
    assert steps[-1][0] == steps[-1][1]


def test_errors_are_the_same_errors(process: EncoderProcess, remote: RemoteEncoder, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="id 50000"):
        remote.encode([(49406, 50000, 49407)])
    with pytest.raises(WeightsError, match="does not exist"):
        process.load(tmp_path / "nowhere", "clip-l")
    with pytest.raises(UnknownNameError):
        process.load(tmp_path, "clip-q")


def test_a_cancelled_call_ends_and_the_next_one_works(process: EncoderProcess, remote: RemoteEncoder) -> None:
    windows = [Window(window(*range(n, n + 70))) for n in range(2000)]

    def cancel(_done: int, _total: int) -> None:
        process.cancel()

    with pytest.raises(CancelledError):
        remote.encode_windows(windows, progress=cancel)
    assert remote.pool(IDS).pooled.shape == (2, 128)


def test_what_progress_raises_ends_the_call(remote: RemoteEncoder) -> None:
    def stop(_done: int, _total: int) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        remote.encode_windows([Window(window(*range(n, n + 70))) for n in range(1000)], progress=stop)
    assert remote.pool(IDS).pooled.shape == (2, 128)


def test_many_threads_may_ask(remote: RemoteEncoder, local: TextEncoder) -> None:
    texts = [window(n, n + 1) for n in range(40)]
    want = [local.pool([ids]).pooled for ids in texts]
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda ids: remote.pool([ids]).pooled, texts))
    assert all(np.array_equal(a, b) for a, b in zip(got, want, strict=True))


def test_weights_can_be_given_back(process: EncoderProcess, weights: Path) -> None:
    second = process.load(weights, "clip-l", device="cpu", threads=1)
    second.close()
    assert process.load(weights, "clip-l", device="cpu", threads=1).pool(IDS).pooled.shape == (2, 128)


def test_calls_after_the_end_fail(weights: Path) -> None:
    process = EncoderProcess()
    encoder = process.load(weights, "clip-l", device="cpu", threads=1)
    process.close()
    process.close()
    with pytest.raises(CancelledError, match="was closed"):
        encoder.pool(IDS)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal here")
def test_a_process_that_dies_is_told(weights: Path) -> None:
    with EncoderProcess() as process:
        encoder = process.load(weights, "clip-l", device="cpu", threads=1)

        def kill(_done: int, _total: int) -> None:
            os.kill(process.pid, signal.SIGKILL)

        with pytest.raises(WeightsError, match="killed by signal 9"):
            encoder.encode_windows([Window(window(*range(n, n + 70))) for n in range(2000)], progress=kill)
        with pytest.raises(WeightsError, match="killed by signal 9"):
            encoder.pool(IDS)


# A parent that starts a process, says its id, and is busy with it until it is killed or interrupted.
PARENT = """
import signal
import sys
from promptlens.encoder import EncoderProcess, Window

def main():
    signal.signal(signal.SIGINT, signal.default_int_handler)  # who is started in the background of a shell ignores it
    process = EncoderProcess()
    encoder = process.load(sys.argv[1], "clip-l", device="cpu", threads=1)
    said = []
    def busy(done, total):
        if not said:
            said.append(print(process.pid, flush=True))
    while True:
        encoder.encode_windows([Window((49406, *range(n, n + 75), 49407)) for n in range(500)], progress=busy)

main()
"""


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs a way to wait for a process that is not a child")
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda s: s.name)
def test_it_ends_with_its_parent(weights: Path, end: signal.Signals) -> None:
    root = str(Path(promptlens.__file__).parents[1])
    command = [sys.executable, "-c", PARENT, str(weights)]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": root},
        start_new_session=True,
    ) as parent:
        assert parent.stdout is not None
        child = os.pidfd_open(int(parent.stdout.readline()))
        os.killpg(parent.pid, end)  # as a terminal does: everything in the group gets it
        _, errors = parent.communicate(timeout=PATIENCE_S)
        assert (b"KeyboardInterrupt" in errors) == (end == signal.SIGINT)
        ended, _, _ = select.select([child], [], [], PATIENCE_S)  # readable when the process is gone
        os.close(child)
    assert ended


def test_vectors_travel() -> None:
    from promptlens.encoder.frames import window_from_json, window_to_json

    original = Window((49406, -1, 49407), frozenset({1}), (Vector.at(1, [1.5, -2.0]),))
    assert window_from_json(window_to_json(original)) == original
