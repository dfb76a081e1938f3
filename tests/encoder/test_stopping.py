"""Ctrl-C while influence is computed, in a real process on a terminal; and the bar that shows how far it is."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import promptlens
from promptlens.encoder.cache import unpack
from promptlens.progress import WorkBar

WORDS = " ".join(f"word{n}" for n in range(200))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(stream: Terminal) -> list[str]:
    return [line for line in stream.getvalue().split("\r") if line.strip()]


def test_the_bar_fills_and_says_how_long_the_rest_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    stream, now = Terminal(), [0.0]
    monkeypatch.setattr(sys, "stderr", stream)
    with WorkBar("Encoding", lambda: now[0]) as bar:
        bar(1, 100)
        assert stream.getvalue() == "", "short work shows nothing"
        for seconds, done in ((1.0, 5), (10.0, 50), (19.0, 95), (20.0, 100)):
            now[0] = seconds
            bar(done, 100)
    assert shown(stream) == [
        "Encoding [#.......................]   5%",
        "Encoding [############............]  50%, 10 s left",
        "Encoding [######################..]  95%, 1 s left",
        "Encoding [########################] 100%",
    ]
    assert stream.getvalue().endswith("\r"), "and it is wiped off"


def test_the_time_before_the_work_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    stream, now = Terminal(), [0.0]
    monkeypatch.setattr(sys, "stderr", stream)
    with WorkBar("Encoding", lambda: now[0]) as bar:
        for seconds, done in ((60.0, 0), (70.0, 50)):  # a minute of loading
            now[0] = seconds
            bar(done, 100)
    assert shown(stream)[-1].endswith("50%, 10 s left")


def test_without_a_terminal_there_is_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    stream, now = io.StringIO(), [0.0]
    monkeypatch.setattr(sys, "stderr", stream)
    with WorkBar("Encoding", lambda: now[0]) as bar:
        now[0] = 9.0
        bar(50, 100)
    assert stream.getvalue() == ""


@pytest.mark.encoder
@pytest.mark.skipif(os.name == "nt", reason="terminals and signals")
@pytest.mark.parametrize("lens", ["pooled", "conditioning"])
def test_control_c_leaves_one_line_and_nothing_half_done(tmp_path: Path, isolated: Path, lens: str) -> None:
    pytest.importorskip("torch")
    from tiny_weights import tensors, write

    weights = write(tmp_path / "clip_l.safetensors", tensors())
    root = str(Path(promptlens.__file__).parents[1])
    arguments = ["influence", "--model", "sd15", "--lens", lens, "--encoder-path", str(weights), "--plot", "out.svg", WORDS]
    ours, theirs = os.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "promptlens", *arguments],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, "PYTHONPATH": root, "OMP_NUM_THREADS": "1"},
        start_new_session=True,
    ) as process:
        os.close(theirs)
        said = b""
        while b"%" not in said:  # it computes
            said += os.read(ours, 4096)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: everything in the group gets it
        out, _ = process.communicate(timeout=120)
    said += _rest(ours)
    assert process.returncode == 130
    assert out == b""
    left = said.decode().replace("\r\n", "\n").split("\r")[-1].strip().splitlines()
    assert left == ["note: Stopped before encoding was done; there is no result."]
    assert not Path("out.svg").exists()
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)  # nobody of it is left
    cached = [path for path in (isolated / ".cache" / "promptlens" / "windows").rglob("*") if path.is_file()]
    assert all(unpack(path.read_bytes()) is not None for path in cached)
    assert not [path for path in isolated.rglob("*") if path.name.startswith((".new-", ".out"))]


def _rest(terminal: int) -> bytes:
    """What is still to be read of a terminal whose other end is closed."""
    said = b""
    while True:
        try:
            more = os.read(terminal, 4096)
        except OSError:  # Linux: an end that is closed
            more = b""
        if not more:
            os.close(terminal)
            return said
        said += more
