"""The program as it runs in a terminal: killed while one writes, started again; left without its terminal."""

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

from promptlens.tui.drafts import orphans, state_folder

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo-terminals")

ENOUGH_S = 60.0
LOOK_S = 0.1  # between two looks at the drafts, while nothing is drawn


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

    def until_kept(self, text: str) -> None:
        """Read until a draft has this text: it is written a moment after it is drawn."""
        ends = time.monotonic() + ENOUGH_S
        while not any(text in path.read_text() for path in (state_folder() / "drafts").glob("*.json")):
            assert time.monotonic() < ends, f"no draft has {text}"
            if select.select([self.handle], [], [], LOOK_S)[0]:
                self.written += os.read(self.handle, 1 << 16)

    def close(self) -> None:
        """Be gone, as a window that is closed."""
        os.close(self.handle)
        self.handle = -1


@contextmanager
def terminal(*arguments: str, controls: bool = False) -> Iterator[Terminal]:
    """The program in a terminal; `controls`: in one that sends it SIGHUP when it is closed."""
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    code = "from promptlens.__main__ import main; raise SystemExit(main())"
    if controls:
        code = f"import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); {code}"
    environment = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8"}
    command = [sys.executable, "-c", code, "tui", *(arguments or ["--isolated"])]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True)
    os.close(theirs)
    made = Terminal(process, ours)
    try:
        yield made
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if made.handle >= 0:
            made.close()


def test_what_was_typed_survives_kill_9() -> None:
    with terminal() as first:
        first.until(b"Negative", b"Tokens")
        first.type("purple")
        first.until_kept("purple")
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


def children_of(process: subprocess.Popen[bytes]) -> list[int]:
    """Handles of the processes that a process has started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if int((folder / "stat").read_text().rpartition(")")[2].split()[1]) == process.pid:
                found.append(os.pidfd_open(int(folder.name)))
    return found


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs a way to wait for a process that is not a child")
@pytest.mark.parametrize("controls", [False, True], ids=["and nothing says so", "with SIGHUP"])
def test_without_its_terminal_it_ends_with_the_draft_saved_and_its_child_ended(controls: bool) -> None:
    with terminal(controls=controls) as window:
        window.until(b"Negative", b"Tokens")
        window.type("purple")
        window.until(b'token 1 "purple"')
        children = children_of(window.process)
        assert children
        window.close()
        assert window.process.wait(ENOUGH_S) == 0
        for child in children:
            assert select.select([child], [], [], ENOUGH_S)[0]
            os.close(child)
    assert [draft.positive for _, draft in orphans()] == ["purple"]
    assert not list((state_folder() / "drafts").glob("*.lock"))


def test_told_to_end_it_leaves_the_terminal_as_it_was_and_the_draft() -> None:
    with terminal() as window:
        window.until(b"Negative", b"Tokens")
        window.type("purple")
        window.until(b'token 1 "purple"')
        window.process.send_signal(signal.SIGTERM)
        window.until(b"\x1b[?1049l", b"\x1b[?25h")
        assert window.process.wait(ENOUGH_S) == 0
    assert [draft.positive for _, draft in orphans()] == ["purple"]
