"""`check --watch`, and shell completion."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from promptlens.__main__ import main
from promptlens.watching import stamps, watch

Said = pytest.CaptureFixture[str]


def after(*changes: Callable[[], object]) -> Callable[[float], None]:
    """What stands for the pause: each makes one change, and then Ctrl-C is pressed."""
    left: Iterator[Callable[[], object]] = iter(changes)

    def wait(_: float) -> None:
        change = next(left, None)
        if change is None:
            raise KeyboardInterrupt
        change()

    return wait


def test_it_runs_again_after_each_change(isolated: Path, capsys: Said) -> None:
    one, two = Path("one.txt"), Path("two.txt")
    one.write_text("a cat")
    runs: list[list[str]] = []

    def paths() -> list[str]:
        return sorted(map(str, Path(".").glob("*.txt")))

    def run() -> int:
        runs.append(paths())
        return len(runs)

    pauses = after(lambda: None, lambda: two.write_text("a dog"), lambda: one.write_text("a red cat"), two.unlink)
    assert watch(run, paths, wait=pauses) == 4
    assert runs == [["one.txt"], ["one.txt", "two.txt"], ["one.txt", "two.txt"], ["one.txt"]]
    err = capsys.readouterr().err
    assert "changed: two.txt" in err
    assert "watching 2 files" in err


def test_a_file_that_goes_meanwhile() -> None:
    assert stamps(lambda: ["not there"]) == {}


def test_watch_is_for_files(capsys: Said) -> None:
    assert main(["check", "--watch", "a cat"]) == 2
    assert "--watch is for files" in capsys.readouterr().err


def test_nothing_is_written_before_it_is_refused(isolated: Path, capsys: Said) -> None:
    Path("a.caption").write_text("red, red")
    assert main(["check", "--watch", "--fix", "a.caption"]) == 2
    assert "--watch is for files" in capsys.readouterr().err
    assert Path("a.caption").read_text() == "red, red"


def test_check_watches(isolated: Path, monkeypatch: pytest.MonkeyPatch, capsys: Said) -> None:
    Path("a.caption").write_text("red, red")

    def once(run: Callable[[], int], paths: Callable[[], list[str]]) -> int:
        assert paths() == ["a.caption"]
        return run()

    monkeypatch.setattr("promptlens.watching.watch", once)
    assert main(["check", "--watch", "--format", "concise", "."]) == 0
    assert "TB401" in capsys.readouterr().out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts_for_shells(shell: str, capsys: Said) -> None:
    assert main(["completion", shell]) == 0
    assert "_PROMPTLENS_COMPLETE" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("promptlens ch", {"check"}),
        ("promptlens check --host comf", {"comfyui"}),
        ("promptlens check --host a1111,comf", {"a1111,comfyui"}),
        ("promptlens check --model sd1", {"sd15"}),
        ("promptlens check --select TB20", {"TB201", "TB202", "TB203", "TB204"}),
        ("promptlens check --as kohya-c", {"kohya-caption"}),
        ("promptlens check --format sa", {"sarif"}),
    ],
)
def test_what_is_offered(line: str, offered: set[str]) -> None:
    words = line.split(" ")
    environment = {**os.environ, "_PROMPTLENS_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    done = subprocess.run([sys.executable, "-m", "promptlens"], capture_output=True, text=True, env=environment, check=False)
    assert {row.partition(",")[2] for row in done.stdout.splitlines()} == offered
