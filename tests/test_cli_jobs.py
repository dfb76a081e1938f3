"""`check --jobs`: several processes say what one says, in the same order and with the same exit code, and leave nothing behind."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_cli_numbers import CONTENTS, FORMATS, LINES, SLOWLY, tree
from test_cli_pipes import COMMAND, environment

from promptlens.__main__ import main
from promptlens.checking import _crew, _helper, _long_files, _screens, _sharing
from promptlens.checking._worker import Worker
from promptlens.config import load_settings
from promptlens.errors import PromptLensError
from promptlens.sources import _blocks

NAMES = st.sampled_from(["a.txt", "b.txt", "c.caption", "d.caption", "sub/e.txt", "f.prompt", "g.csv", "h.json", "i.caption", "j.caption"])
TREES = st.dictionaries(NAMES, CONTENTS, min_size=1, max_size=8)
# Place, end, fix and message of each finding, and the counts; a page for each of many findings would take a minute.
SHORT = [("sarif",), ("concise",), ("json", "--statistics")]


class HereHelper(_helper.Helper):
    """A helper in this process; what goes to and fro is pickled all the same."""

    asked = 0

    def __init__(self) -> None:
        self.plans: set[int] = set()
        self.worker = Worker()
        self.answers: deque[bytes] = deque()

    def send(self, request: Any) -> None:
        assert not self.answers, "a helper is asked for one thing at a time"
        type(self).asked += 1
        self.answers.append(pickle.dumps(self.worker.answer(*pickle.loads(pickle.dumps(request)))))

    def receive(self) -> Any:
        return pickle.loads(self.answers.popleft())

    def kill(self) -> None:
        pass

    def close(self) -> None:
        pass


def any_of(helpers: Sequence[HereHelper], *, wait: bool) -> Sequence[HereHelper]:
    """Some of those that were asked have an answer, in any order; of those that are not waited for perhaps none has."""
    assert all(helper.answers for helper in helpers)
    count = HereHelper.asked % 3 + wait
    return [*helpers][-1 - HereHelper.asked % 2 :: -1][:count] or helpers[:wait]


@pytest.fixture
def little_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Helpers are asked about a handful of files, and about files of a few lines."""
    monkeypatch.setattr(_crew, "FOR_COPIES", _crew.Enough(2, 1))
    monkeypatch.setattr(_crew, "FOR_OTHERS", _crew.Enough(2, 1))
    monkeypatch.setattr(_long_files, "FIRST_BLOCKS", 1)
    monkeypatch.setattr(_sharing, "GROUP", 2)
    monkeypatch.setattr(_sharing, "FIRST_GROUP", 2)


@pytest.fixture
def started_anew(monkeypatch: pytest.MonkeyPatch, little_is_enough: None) -> None:
    """Helpers as they are where a process cannot be copied."""
    monkeypatch.setattr(_crew, "can_fork", lambda: False)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, started_anew: None) -> type[HereHelper]:
    monkeypatch.setattr(_helper, "started_anew", HereHelper)
    monkeypatch.setattr(_helper, "answering", any_of)
    HereHelper.asked = 0
    return HereHelper


def said(capsys: pytest.CaptureFixture[str], jobs: int, *arguments: str) -> tuple[int, str, str]:
    code = main(("check", "--isolated", "--jobs", str(jobs), *arguments))
    return code, *capsys.readouterr()


def same_said(capsys: pytest.CaptureFixture[str], *arguments: str, formats: Sequence[tuple[str, ...]] = FORMATS) -> None:
    for output in formats:
        alone = said(capsys, 1, "--format", *output, *arguments)
        for jobs in (2, 3):
            assert said(capsys, jobs, "--format", *output, *arguments) == alone


@SLOWLY
@given(files=TREES, options=st.sampled_from([(), ("--host", "kohya"), ("--host", "compel"), ("--host", "diffusers", "--max-tokens", "4")]))
@pytest.mark.usefixtures("here")
def test_the_same_is_said_of_files(files: dict[str, bytes], options: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    for _ in tree(files):
        same_said(capsys, *options, ".")
        same_said(capsys, *options, *sorted(files), "none.txt", formats=SHORT)


@SLOWLY
@given(lines=st.lists(LINES, min_size=1, max_size=20), block_bytes=st.sampled_from([1, 40, 200]))
def test_the_same_is_said_of_long_files(
    lines: list[bytes], block_bytes: int, here: type[HereHelper], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_blocks, "BLOCK_BYTES", block_bytes)
    monkeypatch.setattr(_screens, "HEAD_BYTES", 1)
    for _ in tree({"a.txt": b"\n".join(lines), "b.txt": b"\r\n".join(lines[:5]), "c.txt": b"a cat\na (cat\na (dog\n"}):
        same_said(capsys, ".", formats=SHORT)


def test_lines_that_only_who_asks_can_judge(
    here: type[HereHelper], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host that fails, and a prompt too long for the rules, of which a note tells once; long files among many short ones."""
    monkeypatch.setattr(_blocks, "BLOCK_BYTES", 200)
    lines = ["a cat", "a (dog", "a ((bird", "a fox " * 20_000, "(a:b:c:d", 'a "cat', "last"]
    for n in range(3):
        Path(f"{n}.txt").write_text("\n".join(lines * 9 if n == 1 else lines[:3]))
    for host in ("a1111", "compel"):
        same_said(capsys, "--host", host, ".", formats=SHORT)
    assert here.asked > 5
    err = said(capsys, 2, ".")[2]
    assert err.count("too long for the rules") == 1


def test_helpers_are_asked(here: type[HereHelper], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    many(tmp_path)
    assert said(capsys, 2, str(tmp_path))[0] == 0
    assert here.asked > 2
    here.asked = 0
    assert said(capsys, 1, str(tmp_path))[0] == 0
    assert here.asked == 0


def test_baselines_and_statistics(here: type[HereHelper], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    many(tmp_path)
    written = []
    for jobs in (1, 2):
        baseline = tmp_path / f"{jobs}.baseline"
        assert said(capsys, jobs, "--add-baseline", str(baseline), str(tmp_path))[0] == 0
        written.append(baseline.read_bytes())
        assert "nothing found" in said(capsys, jobs, "--format", "concise", "--baseline", str(baseline), str(tmp_path))[1]
    assert written[0] == written[1]
    assert b"TB302" in written[0]
    assert said(capsys, 1, "--statistics", str(tmp_path)) == said(capsys, 2, "--statistics", str(tmp_path))


def test_fixed_with_any_number(here: type[HereHelper], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    after = []
    for jobs in (1, 2):
        folder = tmp_path / str(jobs)
        folder.mkdir()
        many(folder)
        os.chdir(folder)
        after.append((said(capsys, jobs, "--fix", "."), [path.read_text() for path in sorted(folder.iterdir())]))
    assert after[0] == after[1]


def many(folder: Path) -> None:
    """Some files, in a few of which something is found."""
    for n in range(12):
        (folder / f"{n:02}.caption").write_text(f"a cat and {n} dogs\n" if n % 3 else f"a cat and ({n} dogs, a hat, a hat\n")
    (folder / "z.txt").write_text("".join(f"a {'(' * (n % 5 == 0)}bird and {n} mice\n" for n in range(300)))


def test_few_files_start_no_process(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    many(tmp_path)
    monkeypatch.setattr(_crew.Crew, "_started", lambda _: pytest.fail("a process was started"))
    assert said(capsys, 8, str(tmp_path))[0] == 0


def test_files_of_middling_size_are_shared_once_they_are_many(
    here: type[HereHelper], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_crew, "FOR_OTHERS", _crew.Enough(100, 1000))
    monkeypatch.setattr(_screens, "HEAD_BYTES", 100)
    monkeypatch.setattr(_blocks, "BLOCK_BYTES", 50)
    for n in range(4):
        (tmp_path / f"{n}.txt").write_text("a cat and a (dog\n" * 40)
    alone = said(capsys, 1, "--format", "concise", str(tmp_path))
    assert said(capsys, 2, "--format", "concise", str(tmp_path)) == alone
    assert 0 < here.asked <= 680 * 3 / 50  # the first is looked at here


def test_settings_of_single_files_do_not_keep_them_apart(
    here: type[HereHelper], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "promptlens.toml").write_text('[per-path."1*.caption"]\nhost = "comfyui"\n')
    for n in range(20):
        (tmp_path / f"{n:02}.caption").write_text("a (cat\n")
    assert main(("check", "--jobs", "1", "--format", "concise", ".")) == 0
    alone = capsys.readouterr()
    assert main(("check", "--jobs", "2", "--format", "concise", ".")) == 0
    assert capsys.readouterr() == alone
    assert here.asked == 11  # two files at a time, but for the first ones of both hosts, and the settings


@pytest.mark.usefixtures("started_anew")
def test_processes_started_anew_say_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    many(tmp_path)
    alone = said(capsys, 1, "--format", "concise", str(tmp_path))
    assert said(capsys, 2, "--format", "concise", str(tmp_path)) == alone
    assert "TB302" in alone[1]


@pytest.mark.usefixtures("started_anew")
def test_a_helper_that_ends_is_no_harm(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    many(tmp_path)
    alone = said(capsys, 1, "--format", "concise", str(tmp_path))
    monkeypatch.setattr(_helper, "MODULE", "promptlens.no_such_module")
    code, out, err = said(capsys, 2, "--format", "concise", str(tmp_path))
    assert (code, out) == alone[:2]
    assert err == "note: a helper process ended with code 1; the rest is checked without any.\n"


@pytest.mark.usefixtures("started_anew")
def test_where_no_process_can_be_started(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any, **__: Any) -> None:
        raise OSError(11, "Resource temporarily unavailable")

    many(tmp_path)
    alone = said(capsys, 1, "--format", "concise", str(tmp_path))
    monkeypatch.setattr(subprocess, "Popen", refused)
    code, out, err = said(capsys, 2, "--format", "concise", str(tmp_path))
    assert (code, out) == alone[:2]
    assert err.count("no helper process can be started (Resource temporarily unavailable)") == 1


def test_a_worker_that_fails_leaves_it_to_who_asked() -> None:
    asked: list[tuple[Any, ...]] = [("files", 7, None, [("a.txt", True)]), ("files", 7, None, [])]
    requests = b"".join(pickle.dumps((request, [])) for request in asked)
    done = subprocess.run(
        [sys.executable, "-m", _helper.MODULE], input=requests, capture_output=True, env=environment(), check=True, timeout=60
    )
    assert done.stdout == pickle.dumps((None, b""), pickle.HIGHEST_PROTOCOL) * 2


def children(parent: int) -> list[str]:
    """The processes that a process has started, as Linux tells them."""
    return Path(f"/proc/{parent}/task/{parent}/children").read_text().split()


@pytest.mark.skipif(not Path(f"/proc/self/task/{os.getpid()}/children").exists(), reason="children are told by Linux only")
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL, signal.SIGTERM])
def test_no_process_is_left(ending: signal.Signals, tmp_path: Path) -> None:
    blanks = " " * 1900
    (tmp_path / "a.txt").write_text("".join(f"a ({n} cats{blanks}\n" for n in range(2500)))
    command = [*COMMAND, "check", "--isolated", "--jobs", "2", "--format", "concise", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(), start_new_session=True) as process:
        assert process.stdout is not None
        next(line for line in process.stdout if b".txt:350:" in line)  # helpers were asked; the pipe does not take all that is to be said
        assert len(children(process.pid)) == 2
        process.send_signal(ending)
        _, told = process.communicate(timeout=300)  # the helpers hold stderr too: it ends when they have ended
    assert process.returncode == (130 if ending == signal.SIGINT else -ending)
    assert told == b""


@pytest.mark.parametrize("value", ["0", "-1", "true", '"2"', "1.5"])
def test_the_setting_is_a_number_from_1(value: str, tmp_path: Path) -> None:
    file = tmp_path / "promptlens.toml"
    file.write_text(f"jobs = {value}\n")
    with pytest.raises(PromptLensError, match=r"jobs: must be a whole number from"):
        load_settings(file=file)


def test_the_setting_holds(
    here: type[HereHelper], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    many(tmp_path)
    monkeypatch.chdir(tmp_path)
    for jobs, asked in ((1, False), (2, True)):
        here.asked = 0
        (tmp_path / "promptlens.toml").write_text(f"jobs = {jobs}\n")
        assert main(("check", ".")) == 0
        assert (here.asked > 0) is asked
    capsys.readouterr()


def test_a_style_that_files_share_is_said_whoever_reads_them(here: type[HereHelper], capsys: pytest.CaptureFixture[str]) -> None:
    for n in range(9):
        Path(f"{n}.styles.csv").write_text(f"name,prompt,negative_prompt\nfilm,a lynx number {n},\nown {n},a cat,blurry\n")
        Path(f"{n}.caption").write_text("a cat")
    same_said(capsys, ".")
    assert here.asked
    code, out, _ = said(capsys, 3, "--format", "concise", ".")
    told = [line for line in out.splitlines() if "TB502" in line]
    assert (code, len(told)) == (0, 8)
    assert told[-1].startswith("8.styles.csv:2:1: warning TB502 the style 'film' is defined in 7.styles.csv, line 2 too;")
