"""The bar of a long file: what is on the screen after each step, and that nothing of it is anywhere else."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from promptlens import progress
from promptlens.__main__ import main
from promptlens.progress import BAR, ReadingBar

MB = 1_000_000


class Terminal(io.StringIO):
    """Says that it is a terminal, and knows what is on its last line."""

    def isatty(self) -> bool:
        return True

    @property
    def line(self) -> str:
        cells: list[str] = []
        at = 0
        for char in self.getvalue().rpartition("\n")[2]:
            if char == "\r":
                at = 0
            else:
                cells[at : at + 1] = [char]
                at += 1
        return "".join(cells).rstrip()


def on_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Stands for the terminal; to be called in the test itself, since pytest puts its own in the place of what a fixture sets."""
    made = Terminal()
    monkeypatch.setattr(sys, "stderr", made)
    return made


def test_it_says_how_much_is_read_and_how_long_the_rest_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)
    now = [0.0]
    bar = ReadingBar(lambda: now[0])
    shown = []
    for megabytes, seconds in ((1, 0), (10, 9), (50, 49), (160, 159), (199, 198), (200, 199)):
        now[0] = seconds
        bar(megabytes * MB, 200 * MB)
        shown.append(terminal.line)
    assert shown == [
        "[........................]   1 of 200 MB",
        "[#.......................]  10 of 200 MB",
        "[######..................]  50 of 200 MB, 2 min left",
        "[###################.....] 160 of 200 MB, 40 s left",
        "[#######################.] 199 of 200 MB, 1 s left",
        "",
    ]


def test_another_file_takes_its_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)
    now = [0.0]
    bar = ReadingBar(lambda: now[0])
    bar(1 * MB, 20 * MB)
    now[0] = 100.0
    bar(19 * MB, 20 * MB)
    bar(1 * MB, 20 * MB)  # one of the same size
    assert terminal.line == "[#.......................]  1 of 20 MB"
    now[0] = 101.0
    bar(10 * MB, 20 * MB)
    assert terminal.line == "[############............] 10 of 20 MB, 1 s left"


def test_it_is_never_wider_than_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)
    monkeypatch.setattr(progress, "_columns", lambda: 31)
    bar = ReadingBar(lambda: 0.0)
    bar(1 * MB, 12_345 * MB)
    assert terminal.line == "[........................]"
    assert terminal.getvalue().endswith("\r[........................]  ")
    terminal.write(progress.ECHOED)
    bar.line.wipe()
    assert terminal.line == ""


def test_it_comes_again_below_what_was_written(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)
    bar = ReadingBar(lambda: 0.0)
    bar(1 * MB, 20 * MB)
    bar.line.wipe()
    terminal.write("a finding\n")
    bar.line.again()
    assert terminal.line == "[#.......................]  1 of 20 MB"
    bar.line.show("")
    bar.line.again()
    assert terminal.line == ""
    assert terminal.getvalue().count("a finding\n") == 1


def test_short_files_and_pipes_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)
    ReadingBar()(1, progress.SHOWN_FROM_BYTES - 1)
    assert terminal.getvalue() == ""
    pipe = io.StringIO()
    monkeypatch.setattr(sys, "stderr", pipe)
    ReadingBar()(1, 20 * MB)
    monkeypatch.setattr(sys, "stderr", None)
    ReadingBar()(1, 20 * MB)
    assert pipe.getvalue() == ""


@pytest.fixture
def long_file(isolated: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Long enough for a bar, with a finding in its middle; bars are of shorter files too, so that it is not really long."""
    monkeypatch.setattr(progress, "SHOWN_FROM_BYTES", MB)
    lines = ["a lynx in the snow"] * 100_000 + ["1girl, 1girl"] + ["a fox in the snow"] * 100_000
    Path("long.txt").write_text("\n".join(lines))
    return "long.txt"


@pytest.mark.parametrize("together", [True, False], ids=["on one terminal", "with the results elsewhere"])
def test_a_run_leaves_nothing_of_it(together: bool, long_file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)
    out = terminal if together else io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    assert main(["check", "--format", "concise", long_file]) == 0
    assert "of 4 MB" in terminal.getvalue()
    assert terminal.line == ""
    found = [line.rpartition("\r")[2] for line in out.getvalue().splitlines() if "TB401" in line]
    assert len(found) == 1
    assert found[0].startswith("long.txt:100001:8: warning TB401")
    if not together:
        assert "\r" not in out.getvalue()


def test_ctrl_c_wipes_it_off(long_file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)

    def stopped(_line: str) -> None:
        BAR.line.show = shown  # type: ignore[method-assign]
        shown("[##")
        raise KeyboardInterrupt

    shown = BAR.line.show
    monkeypatch.setattr(BAR.line, "show", stopped)
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert main(["check", long_file]) == 130
    assert "[##" in terminal.getvalue()
    assert terminal.line == ""
