"""`check --jobs` on Linux, where helpers are copies of the process that asks: run in a process of its own, which has a single thread."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from test_cli_jobs import many
from test_cli_numbers import FORMATS
from test_cli_pipes import environment

from promptlens.forked import ForkedChild, can_fork

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are copied on Linux only")

# Helpers for a handful of files. What is said goes to stdout and stderr as ever; how often a process was copied, and each exit code, too.
SCRIPT = """
import os, sys, warnings
warnings.simplefilter("error")
from promptlens.__main__ import main
from promptlens.checking import _crew, _long_files, _sharing, _worker
from promptlens.sources import _blocks
_crew.FOR_COPIES = _crew.Enough(2, 1)
_sharing.GROUP, _sharing.FIRST_GROUP, _long_files.FIRST_BLOCKS, _blocks.BLOCK_BYTES = 2, 2, 1, 300
copies, fork = [], os.fork
os.fork = lambda: copies.append(0) or fork()
sys.stdout.write("unwritten ")
{more}
for arguments in {runs!r}:
    print(main(["check", "--isolated", *arguments]), len(copies), "=" * 9)
    copies.clear()
"""


def told(runs: list[list[str]], *, more: str = "") -> tuple[list[tuple[str, int, int]], str]:
    """Of each run what it said, its exit code, and how many copies there were; and what was said on stderr."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(runs=runs, more=more)],
        capture_output=True,
        env=environment(),
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout.startswith("unwritten ")
    *parts, rest = done.stdout.removeprefix("unwritten ").split(f" {'=' * 9}\n")
    assert rest == ""
    rows = [(said, end.split(" ")) for said, _, end in ((f"\n{part}").rpartition("\n") for part in parts)]
    return [(said, int(code), int(copies)) for said, (code, copies) in rows], done.stderr


def test_copies_say_the_same(tmp_path: Path) -> None:
    many(tmp_path)
    (tmp_path / "wrong.txt").write_bytes(b"a cat\n" * 99 + b"a (dog\n\xff\n")
    ways = [*FORMATS, ("concise", "--host", "compel")]
    found, err = told([["--jobs", jobs, "--format", *way, str(tmp_path)] for way in ways for jobs in "123"])
    for one, two, three in zip(found[::3], found[1::3], found[2::3], strict=True):
        assert one[:2] == two[:2] == three[:2]
        assert [run[2] for run in (one, two, three)] == [0, 2, 3]
    assert {code for _, code, _ in found} == {2}
    assert err.count(f"error: {tmp_path}/wrong.txt:101:1: TB501 byte 0xFF is not UTF-8 text.") == 3 * sum("sarif" not in w for w in ways)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ("_worker.Worker.answer = lambda *_: os.kill(os.getpid(), 9)", "a helper process was killed by signal 9 (9 mostly"),
        ("_worker.Worker.answer = lambda *_: os._exit(3)", "a helper process ended with code 3; the rest is"),
        ("_worker.Worker.answer = lambda *_: sys.exit(4)", "a helper process ended with code 1; the rest is"),
        ("def fork(): raise OSError(11, 'Try again')", "no helper process can be started (Try again); the rest is"),
        ("_worker.Worker.answer = lambda *_: 1 / 0", ""),
        ("_worker.Worker.answer = lambda *_: print(1) or print(2, file=sys.stderr) or os.write(1, b'3') and (None, b'')", ""),
    ],
)
def test_a_copy_that_fails_is_no_harm(more: str, why: str, tmp_path: Path) -> None:
    many(tmp_path)
    (one, two), err = told([["--jobs", jobs, "--format", "concise", str(tmp_path)] for jobs in "12"], more=more)
    assert one[:2] == two[:2]
    assert two[2] > 0
    assert err.count("\n") == err.count("note: ") == (1 if why else 0)
    assert why in err


# Two changes and then Ctrl-C; between the runs no helper is there, nor is one left that was not waited for.
WATCHED = """
from promptlens import watching
changes = []
def wait(_):
    with open(f"/proc/self/task/{os.getpid()}/children") as file:
        left = file.read()
    assert left == "", left
    if not changes:
        raise KeyboardInterrupt
    changes.pop(0)()
def write(name, text):
    with open(name, "a") as file:
        file.write(text)
def both():
    changes[:] = [lambda: write("z.txt", "a (late dog\\n"), lambda: write("new.caption", "a cat, a cat, [a hat")]
    return wait
watching.watch.__kwdefaults__["wait"] = wait
check = main
def main(arguments):
    os.chdir(arguments.pop())
    both()
    return check(arguments)
"""


@pytest.mark.skipif(not Path(f"/proc/self/task/{os.getpid()}/children").exists(), reason="this kernel tells no children")
@pytest.mark.parametrize("way", ["concise", "full"])
def test_copies_while_watching(way: str, tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("one", "two", "three")]
    for folder in folders:
        folder.mkdir()
        many(folder)
    runs = [["--watch", "--format", way, "--jobs", str(n), ".", str(folder)] for n, folder in enumerate(folders, start=1)]
    found, err = told(runs, more=WATCHED)
    assert [run[2] for run in found] == [0, 6, 9]
    assert found[0][:2] == found[1][:2] == found[2][:2]
    assert found[0][0].count(" in 13 files: ") == 2
    assert found[0][0].count(" in 14 files: ") == 1
    assert "late dog" in found[0][0] or way == "concise"
    assert (
        err.splitlines()
        == [
            *("note: watching 13 files; Ctrl-C ends it.", "note: changed: z.txt", "note: watching 13 files; Ctrl-C ends it."),
            *("note: changed: new.caption", "note: watching 14 files; Ctrl-C ends it."),
        ]
        * 3
    )


def test_files_that_are_named_are_shared_too(tmp_path: Path) -> None:
    """As a shell names them that was given a pattern; what is said of arguments that are no files stands where it stood."""
    many(tmp_path)
    names = [str(path) for path in sorted(tmp_path.iterdir())]
    (tmp_path / "empty").mkdir()
    arguments = [*names[:5], f"{tmp_path}/none.txt", f"{tmp_path}/*.none", *names[5:], str(tmp_path / "empty")]
    (one, two, three), err = told([["--jobs", jobs, "--format", "concise", *arguments] for jobs in "123"])
    assert one[:2] == two[:2] == three[:2]
    assert [run[2] for run in (one, two, three)] == [0, 2, 3]
    lines = err.splitlines()
    each = lines[: len(lines) // 3]
    assert lines == each * 3
    assert [line.split(": ")[0] for line in each[-3:]] == ["error", "error", "note"]
    assert each[-1].endswith("there are no files with prompts in it.")


def test_not_beside_a_thread(tmp_path: Path) -> None:
    """The lock that a thread holds would never be given back in a copy: then processes are started anew."""
    many(tmp_path)
    more = "import threading; threading.Thread(target=threading.Event().wait, daemon=True).start(); _crew.FOR_OTHERS = _crew.FOR_COPIES"
    (one, two), err = told([["--jobs", jobs, "--format", "concise", str(tmp_path)] for jobs in "12"], more=more)
    assert one == two
    assert two[2] == 0
    assert err == ""


def test_a_thread_is_seen() -> None:
    held = threading.Event()
    thread = threading.Thread(target=held.wait)
    thread.start()
    try:
        assert not can_fork()
    finally:
        held.set()
        thread.join()


def test_a_copy_ends_when_its_requests_do() -> None:
    script = """
import os, signal
from promptlens.forked import ForkedChild
def echo(requests, answers):
    while line := requests.readline():
        answers.write(line.upper()); answers.flush()
one = ForkedChild(echo)
two = ForkedChild(echo, [one])
for child in (two, one):
    child.stdin.write(b"a cat\\n"); child.stdin.flush()
    print(child.stdout.readline(), os.getsid(child.pid) == child.pid)
one.stdin.close()
print(one.wait(), one.wait())
os.kill(two.pid, signal.SIGINT)
two.stdin.write(b"still here\\n"); two.stdin.flush()
print(two.stdout.readline())
two.kill()
print(two.wait())
two.kill()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, env=environment(), text=True, timeout=60, check=True)
    assert done.stdout.splitlines() == ["b'A CAT\\n' True", "b'A CAT\\n' True", "0 0", "b'STILL HERE\\n'", str(-signal.SIGKILL)]
    assert done.stderr == ""


@pytest.mark.parametrize("closed", ["<&-", ">&-", "<&- >&-"])
def test_streams_that_are_closed(closed: str, tmp_path: Path) -> None:
    """Pipes get the numbers of the streams then, and are not to be taken for them."""
    many(tmp_path)
    script = SCRIPT.format(runs=[["--jobs", "2", "--format", "concise", str(tmp_path)]], more="sys.stdout = sys.stderr")
    command = ["sh", "-c", f'exec "$0" -c "$1" {closed}', sys.executable, script.replace("sys.stdout.write", "sys.stderr.write")]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment(), text=True, timeout=60, check=True)
    assert "312 prompts in 13 files: 64 warnings" in done.stderr
    assert "0 2 =========" in done.stderr
    assert "note: " not in done.stderr


def test_nothing_is_left_open_where_no_copy_can_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> int:
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", refused)
    before = os.listdir("/proc/self/fd")
    masked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    with pytest.raises(OSError, match="Resource temporarily"):
        ForkedChild(lambda requests, answers: None)
    assert os.listdir("/proc/self/fd") == before
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == masked


def test_nothing_is_left_open_where_there_is_no_second_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = os.pipe
    made: list[tuple[int, int]] = []

    def once() -> tuple[int, int]:
        if made:
            raise OSError(24, "Too many open files")
        made.append(pipe())
        return made[0]

    monkeypatch.setattr(os, "pipe", once)
    before = os.listdir("/proc/self/fd")
    with pytest.raises(OSError, match="Too many open files"):
        ForkedChild(lambda requests, answers: None)
    assert os.listdir("/proc/self/fd") == before
