"""The program as it runs in a terminal: killed while one writes, started again."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo-terminals")

ENOUGH_S = 60.0


class Terminal:
    """A pseudo-terminal with the program in it."""

    def __init__(self, process: subprocess.Popen[bytes], handle: int) -> None:
        self.process = process
        self.handle = handle
        self.written = b""

    def type(self, text: str) -> None:
        os.write(self.handle, text.encode())

    def until(self, *words: bytes) -> None:
        """Read until all these words have been drawn."""
        ends = time.monotonic() + ENOUGH_S
        while not all(word in self.written for word in words):
            assert select.select([self.handle], [], [], max(ends - time.monotonic(), 0))[0], f"{words} not in {self.written[-500:]!r}"
            self.written += os.read(self.handle, 1 << 16)


@contextmanager
def terminal(*arguments: str) -> Iterator[Terminal]:
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    code = "from promptlens.__main__ import main; raise SystemExit(main())"
    environment = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8"}
    command = [sys.executable, "-c", code, "tui", *(arguments or ["--isolated"])]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True)
    os.close(theirs)
    try:
        yield Terminal(process, ours)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        os.close(ours)


def test_what_was_typed_survives_kill_9() -> None:
    with terminal() as first:
        first.until(b"Negative", b"Tokens")
        first.type("purple")
        first.until(b'token 1 "purple"')
    with terminal() as second:
        second.until(b"Restore what was typed?", b"purple")
        second.type("\r")
        second.until(b"74 free")
        second.type(" lion")
        second.until(b'token 2 "lion"')
        second.type("\x11")
        second.until(b"Quit?")
        second.type("d")
        assert second.process.wait(ENOUGH_S) == 0
    with terminal() as third:
        third.until(b"Negative", b"Tokens")
        assert b"Restore" not in third.written


def test_a_file_is_read_with_the_settings_nearest_to_it() -> None:
    Path("below").mkdir()
    Path("promptlens.toml").write_text('model = "sd15"\n')
    Path("below/promptlens.toml").write_text('model = "sd21"\n[per-path."*.txt"]\nhost = "comfyui"\n')
    Path("below/a.txt").write_text("a lynx\n")
    with terminal("below/a.txt") as opened:
        opened.until(b"SD21", b"ComfyUI", b"lynx")
