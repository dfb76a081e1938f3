"""Fixing on the command line: `check --fix`, `--diff`, and the command `fix`."""

from __future__ import annotations

import io
import os
import stat
import sys
from pathlib import Path

import pytest

from promptlens.__main__ import main
from promptlens.checking import fix_file
from promptlens.errors import InputError

Said = pytest.CaptureFixture[str]

CSV = b'\xef\xbb\xbfname,prompt,negative_prompt\r\n"a, b","1girl, solo, 1girl","bad,\r\nblurry, bad"\r\nfine,a cat,\r\n'
FIXED = b'\xef\xbb\xbfname,prompt,negative_prompt\r\n"a, b","1girl, solo","bad,\r\nblurry"\r\nfine,a cat,\r\n'


@pytest.fixture
def styles(isolated: Path) -> Path:
    """A styles.csv with a byte order mark, Windows line ends, quoted commas, and two prompts that say something twice."""
    path = Path("styles.csv")
    path.write_bytes(CSV)
    return path


def test_fix_keeps_every_byte_outside_the_edits(styles: Path, capsys: Said) -> None:
    assert main(["check", "--fix", "styles.csv"]) == 0
    assert styles.read_bytes() == FIXED
    err = capsys.readouterr().err
    assert "styles.csv:2:9: fixed TB401" in err
    assert "2 changes in 1 file." in err
    assert main(["check", "--fix", "styles.csv"]) == 0
    assert styles.read_bytes() == FIXED


def test_diff_writes_nothing(styles: Path, capsys: Said) -> None:
    assert main(["check", "--diff", "styles.csv"]) == 1
    out, err = capsys.readouterr()
    assert '-"a, b","1girl, solo, 1girl"' in out
    assert '+"a, b","1girl, solo"' in out
    assert "would be made" in err
    assert styles.read_bytes() == CSV
    assert main(["check", "--diff", "--exit-zero", "styles.csv"]) == 0
    styles.write_bytes(FIXED)
    assert main(["check", "--diff", "styles.csv"]) == 0


def test_a_folder(styles: Path, capsys: Said) -> None:
    Path("captions").mkdir()
    Path("captions/a.caption").write_text("red, red")
    Path("captions/b.caption").write_bytes(b"\xff\xff\xff")
    assert main(["fix", "."]) == 2  # b.caption cannot be read
    assert Path("captions/a.caption").read_text() == "red"
    assert styles.read_bytes() == FIXED
    assert "b.caption" in capsys.readouterr().err


def test_a_prompt(capsys: Said) -> None:
    assert main(["fix", "日本, a [red] cat, 日本, 👩‍🚀"]) == 0
    out, err = capsys.readouterr()
    assert out == "日本, a [red] cat, 👩‍🚀\n"
    assert err.startswith("note: fixed TB401")


def test_the_same_change_is_told_once(capsys: Said) -> None:
    assert main(["fix", "red cat, " * 5]) == 0
    assert capsys.readouterr().err == "note: fixed TB401 'red cat' is said again (4 times)\n"


def test_a_file_that_is_not_there_is_an_error(capsys: Said) -> None:
    assert main(["fix", "none.txt"]) == 2
    err = capsys.readouterr().err
    assert "none.txt: cannot be read: No such file or directory." in err
    assert "say so with --text" in err


def test_dropped_words_are_said(capsys: Said) -> None:
    text = ", ".join(f"word{n} one two three" for n in range(20))
    assert main(["fix", "--host", "diffusers", text]) == 1
    assert capsys.readouterr().out == f"{text}\n"
    assert main(["fix", "--host", "diffusers", "--unsafe-fixes", text]) == 0
    out, err = capsys.readouterr()
    assert len(out) < len(text)
    assert "dropped to make it fit, the last ones first: " in err


def test_shorten_drops_and_guesses_nothing_else(capsys: Said) -> None:
    text = "a lynx, red hair:1.3, snow, a very long sky"
    assert main(["fix", "--shorten", "--max-tokens", "11", text]) == 0
    out, err = capsys.readouterr()
    assert out == "a lynx, red hair:1.3, snow\n"
    assert "dropped to make it fit, the last ones first: 'a very long sky'" in " ".join(err.split())
    Path("a.txt").write_text(text)
    for command in (["fix"], ["check"]):
        assert main([*command, "--shorten", "--max-tokens", "11", "--diff", "a.txt"]) == 1
        assert "+a lynx, red hair:1.3, snow\n" in capsys.readouterr().out
        assert Path("a.txt").read_text() == text
    assert main(["check", "--fix", "--shorten", "--by", "order", "--max-tokens", "11", "a.txt"]) == 0
    assert Path("a.txt").read_text() == "a lynx, red hair:1.3, snow"
    assert "a.txt:1:1: fixed TB103 dropped to make it fit, the last ones first: 'a very long sky'" in capsys.readouterr().err


def test_what_would_make_something_worse_is_not_counted(capsys: Said) -> None:
    """Without the second "sky" the words move to where "red hair" is cut, so that --fix leaves it."""
    from promptlens.rules._samples import SCENE

    text = f"sky, {SCENE} sky, red hair blowing in the evening wind"
    Path("a.txt").write_text(f"{text}\n1girl, 1girl\n")
    use = ("--host", "comfyui", "--model", "sd15", "--format", "concise")
    assert main(["check", *use, "a.txt"]) == 0
    assert capsys.readouterr().out.endswith("\n2 prompts in 1 file: 2 warnings, 1 fixable with --fix.\n")
    assert main(["check", *use, "--statistics", "a.txt"]) == 0
    assert capsys.readouterr().out.split("\n")[1].split()[:3] == ["2", "1", "TB401"]
    assert main(["check", "--fix", *use, "a.txt"]) == 0
    assert capsys.readouterr().out.endswith("\n2 prompts in 1 file: 1 warning.\n")
    assert Path("a.txt").read_text() == f"{text}\n1girl\n"


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(CSV)))
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written))
    assert main(["fix", "--stdin-filename", "styles.csv", "-"]) == 0
    assert written.getvalue() == FIXED


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["check", "--fix", "a, a"], "For a prompt or standard input: promptlens fix"),
        (["check", "--unsafe-fixes", "a, a"], "--unsafe-fixes goes with --fix or --diff"),
        (["check", "--shorten", "styles.csv"], "--shorten, with --by and all that says how, goes with --fix or --diff."),
        (["check", "--by", "influence", "styles.csv"], "goes with --fix or --diff."),
        (["check", "--fix", "--by", "order", "styles.csv"], "--by goes with --shorten or --unsafe-fixes."),
        (["check", "--fix", "--shorten", "--root", "x", "styles.csv"], "go with --by influence."),
        (["fix", "a, a", "styles.csv"], "either prompts or files"),
        (["fix", "--diff", "a, a"], "--diff is for files"),
        (["fix", "--file", "none.txt"], "none.txt: cannot be read"),
    ],
)
def test_wrong_use(arguments: list[str], said: str, styles: Path, capsys: Said) -> None:
    assert main(arguments) == 2
    assert said in capsys.readouterr().err


def test_permissions_and_links_stay(styles: Path) -> None:
    styles.chmod(0o640)
    os.symlink("styles.csv", "link_styles.csv")
    assert main(["check", "--fix", "link_styles.csv"]) == 0
    assert Path("link_styles.csv").is_symlink()
    assert styles.read_bytes() == FIXED
    assert stat.S_IMODE(styles.stat().st_mode) == 0o640
    assert sorted(os.listdir(".")) == ["link_styles.csv", "styles.csv"]


def test_a_file_that_changed_meanwhile_is_left(styles: Path) -> None:
    from promptlens.checking import Plan
    from promptlens.job import Job

    fixed = fix_file("styles.csv", Plan(Job("a1111", "sdxl")))
    assert fixed
    styles.write_bytes(b"mine")
    with pytest.raises(InputError, match="changed meanwhile"):
        fixed.write()
    assert styles.read_bytes() == b"mine"


def test_a_write_that_fails_leaves_the_file(styles: Path, monkeypatch: pytest.MonkeyPatch, capsys: Said) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert main(["check", "--fix", "styles.csv"]) == 2
    assert "styles.csv: not fixed, since it cannot be written: No space left on device" in capsys.readouterr().err
    assert styles.read_bytes() == CSV
    assert os.listdir(".") == ["styles.csv"]


def test_json_keeps_its_order_and_escapes(capsys: Said) -> None:
    text = '{"b.png": {"tags": "red, caf\\u00e9, red" , "caption":"x"},\n\t"a.png": {"caption": "blue, blue"}}'
    Path("meta_cap.json").write_text(text)
    assert main(["check", "--fix", "--as", "kohya-metadata", "meta_cap.json"]) == 0
    assert Path("meta_cap.json").read_text() == text.replace(", red", "").replace(", blue", "")
