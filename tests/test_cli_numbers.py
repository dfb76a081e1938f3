"""Prompts that are only counted change nothing in what `check` says: the same output, the same exit code, for any file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from promptlens.__main__ import main
from promptlens.checking import _screens, _sieve, check_file
from promptlens.checking._entries import Entries, Judged
from promptlens.job import Job
from promptlens.sources import Prompt, _blocks

FORMATS = [("full",), ("concise",), ("github",), ("gitlab",), ("sarif",), ("full", "--statistics"), ("json", "--statistics")]

LINES = st.sampled_from(
    [
        *(b"a cat on a mat", b"a dog", b"two birds, a tree", b"a (cat", b"a cat, a cat, a dog", b"  a hat  ", b"", b"  ", b"\tx\t"),
        *(b"caf\xc3\xa9", b"\xff\xfe", b"\xef\xbb\xbfa cat", b"a\rb", b"a\x00b", b"# promptlens: ignore", b"a (b # promptlens: ignore"),
        *("café 🐱, café 🐱".encode(), b"a (cat, a (cat", b"red & blue", b"photorealism " * 40),
        *(b"word " * 100, b"--prompt a cat --steps 20", b"\x1ca", b"a\x0bb", b"very very very", b"\xe2\x80\xa8", b"a\x85b"),
    ]
)
CONTENTS = st.tuples(st.lists(LINES, max_size=8), st.sampled_from([b"\n", b"\n", b"\r\n"]), st.booleans()).map(
    lambda made: made[1].join(made[0]) + (made[1] if made[2] else b"")
)
NAMES = st.sampled_from(["a.txt", "b.txt", "c.caption", "d.caption", "sub/e.txt", "f.prompt", "wildcards/g.txt", "h.csv"])
TREES = st.dictionaries(NAMES, CONTENTS, min_size=1, max_size=5)


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of a few bytes, and every file is a long one: all ways that there are in large files are gone."""
    monkeypatch.setattr(_blocks, "BLOCK_BYTES", 7)
    monkeypatch.setattr(_screens, "HEAD_BYTES", 1)


def said(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], *, numbers: bool) -> tuple[int, str, str]:
    """What `check` says, with prompts counted and without."""
    with pytest.MonkeyPatch.context() as patch:
        if not numbers:
            patch.setattr(_screens.Screens, "items", lambda self, path, plan, *, named, crew: check_file(path, plan, named=named))
        code = main(("check", "--isolated", "--format", *arguments))
    return code, *capsys.readouterr()


def same_said(capsys: pytest.CaptureFixture[str], *arguments: str) -> None:
    for output in FORMATS:
        assert said(capsys, (*output, *arguments), numbers=True) == said(capsys, (*output, *arguments), numbers=False)


def tree(files: dict[str, bytes]) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        for path, content in files.items():
            file = Path(name) / path
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(content)
        before = os.getcwd()
        os.chdir(name)
        try:
            yield Path(name)
        finally:
            os.chdir(before)


SLOWLY = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])


@SLOWLY
@given(files=TREES, options=st.sampled_from([(), ("--host", "kohya"), ("--host", "diffusers", "--max-tokens", "4"), ("--as", "lines")]))
@example(files={"a.txt": b"a cat"}, options=())
@example(files={"a.txt": b"", "b.txt": b"a cat\n"}, options=())
@example(files={"a.txt": b"a cat\na dog\n\xff\n"}, options=())
@example(files={"c.caption": b"a cat\n", "d.caption": b"a dog\nmore\n"}, options=())
def test_the_same_is_said_of_files(files: dict[str, bytes], options: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    for _ in tree(files):
        same_said(capsys, *options, ".")
        same_said(capsys, *options, *sorted(files))


@SLOWLY
@given(content=CONTENTS)
@example(content=b"a cat\na dog\n\xff\n")
@example(content=b"\xef\xbb\xbfa cat\na dog\r\na bird\n")
@pytest.mark.usefixtures("small_blocks")
def test_the_same_is_said_of_long_files(content: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in tree({"a.txt": content}):
        same_said(capsys, "a.txt")
        same_said(capsys, "a.txt", "a.txt", "--host", "comfyui")


@SLOWLY
@given(lines=st.lists(LINES, min_size=1, max_size=4), order=st.lists(st.integers(0, 3), min_size=5, max_size=30), bound=st.integers(0, 500))
@example(lines=[b"a cat on a mat", b"\xff\xfe", b"\x1ca"], order=[0, 0, 2, 1, 0], bound=242)
@pytest.mark.usefixtures("small_blocks")
def test_the_same_is_said_of_lines_that_come_again(
    lines: list[bytes], order: list[int], bound: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """However little is remembered of those before."""
    content = b"\n".join(lines[n % len(lines)] for n in order)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_sieve, "CLEAN_BYTES", bound)
        patch.setattr(_sieve, "REPORTS", bound % 3)
        for _ in tree({"a.txt": content, "b.txt": content, "c.caption": lines[0], "d.caption": lines[0]}):
            same_said(capsys, ".")


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Job("a1111", "sd15").screen()
    assert screen is not None
    monkeypatch.setattr(_sieve, "CLEAN_BYTES", 10_000)
    sieve = _sieve.Sieve(screen)
    for n in range(1000):
        assert sieve.is_clean(f"a cat and {n} dogs")
    assert not sieve.is_known("a cat and 0 dogs")
    assert 0 < sum(sieve.is_known(f"a cat and {n} dogs") for n in range(1000)) < 100
    assert sieve.is_clean("a cat and 0 dogs")


def test_a_file_that_breaks_off_tells_what_came_before(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.txt").write_bytes(b"a cat\na (dog\n\xff\n")
    assert main(["check", "--isolated", "--format", "concise", str(tmp_path)]) == 2
    out = capsys.readouterr().out
    assert "a.txt:2:3: warning TB302" in out
    assert "2 prompts in 1 file" in out


def test_most_prompts_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The way that is meant to be quick is taken: of a thousand prompts only the first is analysed."""
    (tmp_path / "a.txt").write_text("".join(f"a cat and {n % 7} dogs on a mat\n" for n in range(4000)))
    for n in range(9):
        (tmp_path / f"b{n}.caption").write_text("a cat on a mat\n")
    analysed: list[str] = []
    original = Entries.judged

    def told(self: Entries, prompt: Prompt) -> Judged:
        analysed.append(prompt.text)
        return original(self, prompt)

    monkeypatch.setattr(Entries, "judged", told)
    assert main(["check", "--isolated", "--format", "concise", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "4,009 prompts in 10 files: nothing found.\n"
    assert analysed == ["a cat and 0 dogs on a mat"]
