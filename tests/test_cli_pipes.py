"""The command as a process of its own: pipes that close, colours by environment, widths, Ctrl-C, byte arguments."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from wcwidth import wcswidth

import promptlens

ROOT = Path(promptlens.__file__).parents[1]
COMMAND = [sys.executable, "-m", "promptlens"]
NASTY = "a [red] (cat:1.2) 日本 👍🏽 \x1b[31mx\x1b[0m, " * 12

COLOR = re.compile(r"\x1b\[[0-9;]*m")


def environment(**more: str) -> dict[str, str]:
    """The environment of a test, with the package found wherever the tests run."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", **more}


def run(*arguments: str | bytes, stdin: bytes = b"", variables: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*COMMAND, *arguments], input=stdin, capture_output=True, env=environment(**(variables or {})), timeout=60, check=False
    )


def test_text_through_a_pipe() -> None:
    done = run("check", "--model", "sd15", "--format", "concise", "-", stdin="日本 cat\n".encode())
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode().splitlines()[0] == "<stdin>: clip-l 4/75 tokens, 1 chunk (4), 0 lost"


def test_a_pipe_that_closes_ends_quietly() -> None:
    rows = b"".join(b'{"text": "a cat %d"}\n' % n for n in range(400))
    command = [*COMMAND, "check", "--format", "jsonl", "--stdin-format", "jsonl", "-"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdin.write(rows[:200])
    process.stdin.flush()
    assert process.stdout.readline().startswith(b'{"id": "<stdin>:1"')
    process.stdout.close()
    try:
        process.stdin.write(rows)
        process.stdin.close()
    except BrokenPipeError:
        pass
    assert process.wait(60) == 141
    assert process.stderr.read() == b""
    process.stderr.close()


def test_each_line_is_answered_before_the_next_is_written() -> None:
    command = [*COMMAND, "check", "--format", "jsonl", "--stdin-format", "jsonl", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for number in range(3):
            process.stdin.write(json.dumps({"id": number, "text": "a cat"}).encode() + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["id"] == number
        process.stdin.close()
        assert process.wait(60) == 0


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_control_c() -> None:
    command = [*COMMAND, "check", "--format", "jsonl", "--stdin-format", "jsonl", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(b'{"text": "a"}\n')
        process.stdin.flush()
        process.stdout.readline()  # it is in its loop now
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert process.stderr.read() == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_said() -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run([*COMMAND, "check", "a"], stdout=full, stderr=subprocess.PIPE, env=environment(), timeout=60, check=False)
    assert done.stderr == b"error: The results cannot be written: No space left on device.\n"
    assert done.returncode == 2


@pytest.mark.skipif(os.name == "nt", reason="needs a shell")
def test_a_closed_stdout_is_no_crash() -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" >&-', "sh", *COMMAND, "check", "a"], capture_output=True, env=environment(), check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("arguments", "variables", "colored"),
    [
        ([], {}, False),
        ([], {"FORCE_COLOR": "1", "TERM": "xterm-256color"}, True),
        ([], {"FORCE_COLOR": "1", "TERM": "dumb"}, True),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ([], {"FORCE_COLOR": ""}, False),
        (["--color", "always"], {"NO_COLOR": "1"}, True),
        (["--color", "never"], {"FORCE_COLOR": "1"}, False),
        (["--color", "auto"], {"FORCE_COLOR": "1"}, True),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, (list, dict)) else "",
)
def test_who_decides_about_colours(arguments: list[str], variables: dict[str, str], colored: bool) -> None:
    done = run("check", *arguments, NASTY, variables=variables)
    assert bool(COLOR.search(done.stdout.decode())) == colored


def test_colours_change_nothing_else() -> None:
    plain, colored = (run("check", NASTY, variables=more).stdout.decode() for more in ({}, {"FORCE_COLOR": "1"}))
    assert COLOR.sub("", colored) == plain
    assert "\x1b" not in plain
    assert "\\x1b[31mx\\x1b[0m" in plain


@pytest.mark.parametrize(
    ("columns", "width"), [("", 80), ("80", 80), ("40", 40), ("100", 100), ("0", 80), ("x", 80), ("5", 24), ("1000", 120)]
)
def test_the_width_is_that_of_the_terminal(columns: str, width: int) -> None:
    lines = run("check", NASTY, variables={"COLUMNS": columns} if columns else {}).stdout.decode().splitlines()
    assert max(map(wcswidth, lines)) <= width
    assert max(map(wcswidth, lines)) > width - 14


def test_an_output_without_unicode() -> None:
    done = run("check", "日本 · a BREAK b", variables={"PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (run("check", "日本 · a BREAK b").returncode, b"")
    assert b"\\u65e5\\u672c" in done.stdout
    assert b"|2| b" in done.stdout
    done = run("check", "--format", "json", "日本", variables={"PYTHONIOENCODING": "ascii"})
    assert json.loads(done.stdout)["prompt"] == "日本"


@pytest.mark.skipif(os.name == "nt", reason="arguments are bytes")
def test_an_argument_that_is_no_text() -> None:
    done = run("check", b"caf\xe9")
    assert done.returncode == 2
    assert done.stderr.startswith(b"error: <text>: the argument holds the byte 0xe9 at character 4, which is not UTF-8.")


@pytest.mark.skipif(sys.platform != "linux", reason="file names are bytes")
def test_a_file_whose_name_is_no_text() -> None:
    Path(os.fsdecode(b"caf\xe9.txt")).write_text("a cat")
    done = run("check", "--format", "concise", b"caf\xe9.txt")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"caf\\udce9.txt: clip-l 2/75")
    assert json.loads(run("check", "--format", "jsonl", b"caf\xe9.txt").stdout)["id"] == "caf\udce9.txt:1:1"


def test_a_lone_surrogate_in_a_json_line() -> None:
    done = run("check", "--format", "jsonl", "--stdin-format", "jsonl", stdin=b'{"id": "\\ud800", "text": "a \\ud800"}')
    row = json.loads(done.stdout)
    assert (row["id"], row["prompt"]) == ("\ud800", "a \ud800")


@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
def test_a_terminal_is_coloured() -> None:
    import pty

    ours, theirs = pty.openpty()
    process = subprocess.Popen([*COMMAND, "check", "a cat"], stdout=theirs, env=environment(TERM="xterm-256color", COLUMNS="60"))
    os.close(theirs)
    seen = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # Linux: the other end is closed
            break
        if not piece:
            break
        seen += piece
    os.close(ours)
    assert process.wait(60) == 0
    assert COLOR.search(seen.decode())
