"""`check` on files and folders: what is found, in which format it is read, and where it says that something is wrong."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from promptlens.__main__ import main


class Done(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Done]

WORKFLOW = {
    "1": {"class_type": "CLIPTextEncode", "inputs": {"text": "a (cat", "clip": ["4", 1]}},
    "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["4", 1]}},
    "3": {"class_type": "KSampler", "inputs": {"positive": ["1", 0], "negative": ["2", 0]}},
}


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `promptlens` with arguments and what stands on stdin."""

    def run(*arguments: str, stdin: bytes = b"") -> Done:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        code = main(arguments)
        return Done(code, *capsys.readouterr())

    return run


def write(path: str, content: str | bytes = "a cat\n") -> Path:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def rows(done: Done) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.out.splitlines()]


def ids(run: Run, *arguments: str, **more: Any) -> list[str]:
    return [row["id"] for row in rows(run("check", "--format", "jsonl", *arguments, **more))]


# Which files


def test_a_folder_is_searched_for_prompts_in_the_order_of_names(run: Run) -> None:
    for name in (
        "b/two.txt",
        "a.caption",
        "c/styles.csv",
        "notes.md",
        "package.json",
        "requirements.txt",
        "node_modules/x.txt",
        ".git/x.txt",
    ):
        write(name, "name,prompt,negative_prompt\nx,y,\n" if name.endswith("csv") else "{}" if name.endswith("json") else "a cat\n")
    assert ids(run, ".") == ["a.caption:1:1", "b/two.txt:1:1", "c/styles.csv:2:3"]


def test_what_git_ignores_is_left_out(run: Run) -> None:
    Path(".git").mkdir()
    write(".git/info/exclude", "private.txt\n")
    write(".gitignore", "# drafts\nold/\n*.caption\n!kept.caption\n/top.txt\n")
    write("inner/.gitignore", "!top.caption\n")
    for name in ("old/x.txt", "x.caption", "kept.caption", "top.txt", "inner/top.txt", "inner/top.caption", "private.txt"):
        write(name)
    assert ids(run, ".") == ["inner/top.caption:1:1", "inner/top.txt:1:1", "kept.caption:1:1"]
    assert len(ids(run, "--no-respect-gitignore", ".")) == 7
    assert ids(run, "top.txt") == ["top.txt:1:1"]
    assert ids(run, "--force-exclude", "top.txt", "old/x.txt") == []
    assert ids(run, "inner") == ["inner/top.caption:1:1", "inner/top.txt:1:1"]


def test_ignore_files_above_the_folder_count_up_to_the_repository(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    write(".gitignore", "*.txt\n")
    (Path("repo") / ".git").mkdir(parents=True)
    write("repo/inner/a.txt")
    assert ids(run, "repo") == ["repo/inner/a.txt:1:1"]
    write("repo/.gitignore", "a.txt\n")
    monkeypatch.chdir("repo/inner")
    assert ids(run, ".") == []


def test_exclude(run: Run) -> None:
    for name in ("a.txt", "b.txt", "drafts/c.txt", "requirements.txt"):
        write(name)
    assert ids(run, ".") == ["a.txt:1:1", "b.txt:1:1", "drafts/c.txt:1:1"]
    assert ids(run, "--extend-exclude", "drafts", ".") == ["a.txt:1:1", "b.txt:1:1"]
    assert ids(run, "--exclude", "drafts", ".") == ["a.txt:1:1", "b.txt:1:1", "requirements.txt:1:1"]
    assert ids(run, "--extend-exclude", "a.txt", "a.txt") == ["a.txt:1:1"]
    assert ids(run, "--extend-exclude", "a.txt", "--force-exclude", "a.txt", "b.txt") == ["b.txt:1:1"]


def test_patterns(run: Run) -> None:
    for name in ("a.txt", "in/b.txt", "in/deep/c.txt"):
        write(name)
    assert ids(run, "in/*.txt") == ["in/b.txt:1:1"]
    assert ids(run, "in/**/*.txt") == ["in/b.txt:1:1", "in/deep/c.txt:1:1"]
    done = run("check", "none/*.txt", "a.txt", "--format", "concise")
    assert (done.code, done.err) == (2, "error: none/*.txt: no file matches this pattern.\n")
    assert run("check", "a [red] cat, *very* cute").code == 0


def test_a_file_is_checked_once(run: Run) -> None:
    write("a.txt")
    os.symlink("a.txt", "link.txt")
    assert ids(run, "a.txt", ".", "a.txt") == ["a.txt:1:1"]


def test_folders_that_are_links_are_not_entered(run: Run) -> None:
    write("in/a.txt")
    os.symlink("..", "in/loop")
    assert ids(run, ".") == ["in/a.txt:1:1"]
    assert ids(run, "in/loop/in") == ["in/loop/in/a.txt:1:1"]


@pytest.mark.skipif(os.name == "nt", reason="needs named pipes")
def test_what_is_no_file_is_passed_over_in_folders(run: Run) -> None:
    write("a.txt")
    os.mkfifo("pipe.txt")
    os.symlink("nowhere", "gone.txt")
    assert ids(run, ".") == ["a.txt:1:1"]
    assert "pipe.txt: TB501 it is not a regular file." in run("check", "pipe.txt").err


# How they are read


def test_a_text_file_is_one_prompt_a_line(run: Run) -> None:
    write("a.txt", "a cat\n\n  a dog\n")
    assert ids(run, "a.txt") == ["a.txt:1:1", "a.txt:3:3"]
    (row,) = rows(run("check", "--format", "jsonl", "--as", "text", "a.txt"))
    assert row["prompt"] == "a cat\n\n  a dog"
    assert row["source"]["format"] == "text"


def test_unknown_formats(run: Run) -> None:
    write("a.md")
    done = run("check", "a.md")
    assert (done.code, done.err) == (
        2,
        "error: a.md: TB501 its name and content do not say what it is. "
        "Name its format with --as, or the keys of its prompts in the settings.\n",
    )
    assert ids(run, "--as", "lines", "a.md") == ["a.md:1:1"]
    assert "Unknown format 'line'. " in run("check", "--as", "line", "a.md").err


def test_a_file_made_for_one_host_is_read_as_that_does(run: Run) -> None:
    write("w.json", json.dumps(WORKFLOW))
    write("x.caption", "a cat\nanother line\n")
    found = rows(run("check", "--format", "jsonl", "w.json", "x.caption"))
    assert [row.get("host") for row in found] == ["comfyui", "comfyui", "kohya", None]
    assert [row["role"] for row in found] == ["positive", "negative", "caption", None]
    assert [row["host"] for row in rows(run("check", "--host", "forge", "--format", "jsonl", "w.json"))] == ["forge", "forge"]


def test_standard_input_as_a_file(run: Run) -> None:
    stdin = b"name,prompt,negative_prompt\nx,a cat,\n"
    assert ids(run, "--stdin-filename", "my styles.csv", "-", stdin=stdin) == ["my styles.csv:2:3"]
    assert ids(run, "--as", "lines", "-", stdin=b"a\nb\n") == ["<stdin>:1:1", "<stdin>:2:1"]
    assert run("check", "--stdin-filename", "x.txt", "a").err.startswith("error: --stdin-filename is for '-', ")


# What is said


def test_findings_are_listed_with_their_place_in_the_file(run: Run) -> None:
    write("styles.csv", 'name,prompt,negative_prompt\nx,"a ""(cat"", sitting",""\ny,fine,"ugly, ugly"\n')
    done = run("check", "--format", "concise", "styles.csv")
    assert done.out.splitlines() == [
        "styles.csv:2:8: warning TB302 '(' is never closed; it weighs all that follows: 'cat\", sitting'",
        "styles.csv:3:15: warning TB401 'ugly' is said again",
        done.out.splitlines()[-1],
    ]
    assert done.out.splitlines()[-1].startswith("3 prompts in 1 file: 2 warnings, ")
    shown = run("check", "styles.csv").out
    assert 'a "(cat", sitting\n    |    ^\n' in shown


def test_the_only_prompt_has_a_page(run: Run) -> None:
    write("a.txt", "a cat, a cat\n")
    done = run("check", "a.txt")
    assert done.out.startswith("AUTOMATIC1111 · Stable Diffusion XL · a.txt\n")
    assert "prompts in" not in done.out


def test_a_second_line_of_a_caption_is_told(run: Run) -> None:
    write("a.caption", "a cat\nand more\n")
    write("b.caption", "")
    done = run("check", "--format", "concise", ".")
    assert [line.split(" ", 3)[:3] for line in done.out.splitlines()[:2]] == [
        ["a.caption:2:1:", "warning", "TB502"],
        ["b.caption:1:1:", "error", "TB503"],
    ]
    assert done.code == 1


def test_the_two_prompts_of_a_row_are_compared(run: Run) -> None:
    write("styles.csv", "name,prompt,negative_prompt\nx," + "one " * 80 + ",no\n")
    (first, second) = rows(run("check", "--format", "jsonl", "styles.csv"))
    assert "TB104" in [f["code"] for f in first["findings"]]
    assert "TB104" not in [f["code"] for f in second["findings"]]
    assert "TB104" in run("check", "one " * 80, "--negative", "no", "--format", "concise").out


def test_a_workflow_with_one_prompt_of_each_role_is_a_pair(run: Run) -> None:
    flow = json.loads(json.dumps(WORKFLOW))
    flow["1"]["inputs"]["text"] = "one " * 80
    write("w.json", json.dumps(flow))
    assert "TB104" in run("check", "--format", "concise", "w.json").out


def test_prompts_of_other_encoders_are_counted_and_not_judged(run: Run) -> None:
    flow = {
        "1": {"class_type": "CLIPTextEncodeFlux", "inputs": {"clip_l": "a cat", "t5xxl": "a cat that sits", "guidance": 3.5}},
        "3": {"class_type": "KSampler", "inputs": {"positive": ["1", 0]}},
    }
    write("w.json", json.dumps(flow))
    done = run("check", "--format", "concise", "--model", "sd15", "w.json")
    assert done.out.endswith("1 prompt in 1 file: nothing found, 1 prompt not checked (read by t5-xxl, which sd15 does not have).\n")


def test_one_bad_file_does_not_stop_the_others(run: Run) -> None:
    write("a.txt")
    write("b/styles.csv", 'name,prompt\nx,"never closed\n')
    write("c.txt", "x\0y")
    write("d.txt", "fine")
    done = run("check", "--format", "concise", ".")
    assert done.code == 2
    assert [line.split(": ")[1] for line in done.err.splitlines()] == ["b/styles.csv:2:3", "c.txt:1"]
    assert done.out == "2 prompts in 2 files: nothing found.\n"
    found = rows(run("check", "--format", "jsonl", "b", "d.txt"))
    assert [(row["ok"], row.get("code")) for row in found] == [(False, "TB501"), (True, None)]


def test_more_warnings_than_are_let_pass(run: Run) -> None:
    write("a.txt", "a cat, a cat\na dog, a dog\n")
    assert [run("check", "--max-warnings", n, "a.txt").code for n in ("1", "2")] == [1, 0]
    assert run("check", "--max-warnings", "1", "--exit-zero", "a.txt").code == 0


@pytest.mark.parametrize(
    "prompt", ["日本語, 日本語", "👩‍👩‍👧 [bold red]x[/], 👩‍👩‍👧", "a\x1b[31m, a\x1b[31m", "x" * 500 + ", a cat, " + "y" * 500 + ", a cat"]
)
def test_the_mark_stands_under_the_word_in_any_script(run: Run, prompt: str) -> None:
    from wcwidth import wcswidth

    write("a.txt", f"{prompt}\nfine\n")
    out = run("check", "a.txt").out
    assert "\x1b" not in out
    lines = out.splitlines()
    assert max(map(wcswidth, lines)) <= 80
    assert any(line.strip("| ").strip("^") == "" and "^" in line for line in lines)


@pytest.mark.parametrize("settings", ["", '[per-path."*.png"]\nformat = "images"\n'])
def test_pictures_without_the_package_that_reads_them_are_one_note(run: Run, monkeypatch: pytest.MonkeyPatch, settings: str) -> None:
    monkeypatch.setitem(sys.modules, "sd_parsers", None)
    write("promptlens.toml", settings)
    for name in ("a.png", "b.PNG", "deep/c.jpg", "d.webp", "e.jpeg"):
        write(name, b"\x89PNG\r\n\x1a\n")
    write("x.txt", "red, red\n")
    done = run("check", "--format", "concise", ".")
    assert done.code == 0
    assert "\nx.txt:1:6: warning TB401" in done.out
    assert done.err.startswith("note: a.png and other pictures are left out, since reading pictures needs the optional package sd-parsers.")
    assert (done.err.count("note:"), done.err.count("pip install 'promptlens[images]'")) == (1, 1)
    named = run("check", "--format", "concise", "a.png", "x.txt")
    assert named.code == 2
    assert named.out.startswith("x.txt:1:6: warning TB401")
    assert "error: a.png: TB501 reading pictures needs the optional package sd-parsers." in named.err
