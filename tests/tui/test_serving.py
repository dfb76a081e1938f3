"""The terminal UI in a browser: what is served, where, and what is refused."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from promptlens.errors import ConfigError, InputError, UnknownNameError
from promptlens.tui import served_page
from promptlens.tui.keys import checked_keymap, clashes
from promptlens.tui.serving import command_of, is_local, serve_tui


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
        return port


def test_what_is_served_is_the_same_command_without_the_options_of_serving() -> None:
    given = ["tui", "--serve", "--host", "forge", "--port", "81", "--address=0.0.0.0", "my; $(prompt) 'x'.txt", "--", "--port"]
    parts = shlex.split(command_of(given))
    assert parts == [sys.executable, "-m", "promptlens", "tui", "--host", "forge", "my; $(prompt) 'x'.txt", "--", "--port"]


@pytest.mark.parametrize(("address", "local"), [("localhost", True), ("127.0.0.1", True), ("::1", True), ("0.0.0.0", False), ("pc", False)])
def test_only_this_machine_is_local(address: str, local: bool) -> None:
    assert is_local(address) is local


def test_without_the_package_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'promptlens\[serve\]'"):
        serve_tui([], "localhost", 8000)


def test_a_port_that_is_taken_is_said() -> None:
    pytest.importorskip("textual_serve")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"port {port}.*--port"):
            serve_tui([], "127.0.0.1", port)


def is_reached(port: int, served: subprocess.Popen[str]) -> bool:
    """Tries until somebody listens, or the program has ended."""
    while served.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=10).close()
        except ConnectionError:
            continue
        return True
    return False


def test_the_page_fetches_nothing_from_elsewhere_and_takes_keys_at_once() -> None:
    own = "http://localhost:8000"
    kept = f'<link rel="stylesheet" href="{own}/static/x.css" /><script src="{own}/static/x.js"></script><script>here()</script>'
    taken = (
        '<link\n href="https://fonts.example/css" />',
        "<script src='//cdn.example/x.js'></script>",
        f'<link href="{own}.evil.example/x.css" />',
    )
    page = served_page.mended(f"<html><head>{kept}{''.join(taken)}</head><body></head></body></html>", own)
    assert kept in page
    assert "example" not in page
    assert page.count("<title>PromptLens</title>") == 1
    assert ".focus()" in page


@pytest.mark.skipif(sys.platform == "win32", reason="stopped by a signal")
def test_the_page_is_served(tmp_path: Path) -> None:
    pytest.importorskip("textual_serve")
    port = free_port()
    command = [sys.executable, "-m", "promptlens", "tui", "--isolated", "--serve", "--address", "127.0.0.1", "--port", str(port)]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, cwd=tmp_path) as served:
        try:
            assert is_reached(port, served), served.communicate()[0]
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60) as page:
                text = page.read().decode()
            assert page.status == 200
            assert "PromptLens" in text
            assert "textual" in text
            assert "<title>PromptLens</title>" in text
            assert "googleapis" not in text
            assert f'src="http://127.0.0.1:{port}/static/' in text
            upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "a" * 22 + "=="}
            foreign = ({"Origin": "https://evil.example"}, {"Host": "evil.example"})
            for headers in foreign:
                with pytest.raises(urllib.error.HTTPError, match="403"):
                    urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}/ws", headers=upgrade | headers), timeout=60)
        finally:
            served.send_signal(signal.SIGINT)
            served.communicate(timeout=60)


def test_other_keys_are_checked() -> None:
    assert checked_keymap({"finding.next": "ctrl+n"}) == {"finding.next": "ctrl+n"}
    assert list(clashes({"finding.next": "ctrl+n"})) == []
    assert "ctrl+s" in next(iter(clashes({"finding.next": "ctrl+s"})))
    with pytest.raises(UnknownNameError, match=r"finding\.next"):
        checked_keymap({"finding.nxt": "ctrl+n"})
    with pytest.raises(ConfigError, match="no key"):
        checked_keymap({"finding.next": "ctrl+nope"})
