"""Bad input on every way into a command: one clear line on stderr, nothing on stdout, exit code 2."""

from __future__ import annotations

import json
import random
import subprocess
from pathlib import Path

import pytest

from promptlens.__main__ import main

Said = pytest.CaptureFixture[str]

GARBAGE = bytes(random.Random(3).randrange(256) for _ in range(3_000)) + b"\0\xff"
FILES = ("garbage.txt", "garbage.csv", "garbage.json", "garbage.safetensors", "garbage.bin", "garbage.toml")
EMPTY = ("empty.txt", "empty.csv", "empty.json", "empty.safetensors")


@pytest.fixture(autouse=True)
def bad(isolated: Path) -> None:
    """Files that are not what their names say, folders where files are wanted, and a repository with them in it."""
    for name in FILES:
        Path(name).write_bytes(GARBAGE)
    for name in EMPTY:
        Path(name).touch()
    for name in ("folder", "folder.txt", "folder.toml", "folder.json"):
        Path(name).mkdir()


def said(capsys: Said, *arguments: str) -> str:
    """The one line that a command says, which ends with 2."""
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert "should not" not in err
    return err


NO_PROMPT = [
    ("garbage.txt", "garbage.txt"),
    ("empty.txt", "empty.txt: there is no prompt in it."),
    ("folder", "folder: i"),  # is a folder, and one prompt is wanted; it is a folder
    ("folder.txt", "folder.txt: i"),
    ("none/x.txt", "There is no file 'none/x.txt'. If it is a prompt, say so with --text."),
    ("none/", "There is no file 'none/'."),
]


@pytest.mark.parametrize(("argument", "why"), NO_PROMPT)
@pytest.mark.parametrize("command", [["tokens"], ["expand"], ["diff", "a cat"], ["diff", "--hosts", "all"]], ids=" ".join)
def test_what_is_no_prompt(command: list[str], argument: str, why: str, capsys: Said) -> None:
    pytest.importorskip("dynamicprompts")
    assert why in said(capsys, *command, argument)


@pytest.mark.encoder
@pytest.mark.parametrize(("argument", "why"), NO_PROMPT)
@pytest.mark.parametrize("command", ["influence", "similarity"])
def test_what_is_no_prompt_to_measure(command: str, argument: str, why: str, capsys: Said) -> None:
    pytest.importorskip("torch")
    assert why in said(capsys, command, argument)


def test_a_text_may_look_like_a_file(capsys: Said) -> None:
    assert main(["tokens", "--text", "none.txt"]) == 0
    assert main(["diff", "--text", "none.txt", "git:HEAD"]) == 0
    assert "none" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["diff", "a", "garbage.csv"], "garbage.csv: its name and content do not say what it is. Name its format with --as"),
        (["diff", "a", "garbage.csv", "--as", "styles"], "garbage.csv: it is not text"),
        (["diff", "a", "empty.json"], "empty.json: its name and content do not say what it is."),
        (["diff", "a", "git:HEAD"], "git:HEAD: name a file of a revision as git:REVISION:PATH"),
        (["diff", "a", "git:HEAD:"], "git:HEAD:: name a file of a revision"),
        (["fix", "garbage.txt"], "garbage.txt:1: TB501 it is not text"),
        (["fix", "empty.csv"], "empty.csv: TB501 its name and content do not say what it is."),
        (["fix", "--file", "none/x.txt"], "none/x.txt: cannot be read"),
        (["fix", "none/*.txt"], "none/*.txt: no file matches this pattern."),
        (["expand", "--wildcards", "none", "a __b__"], "none: is not a folder; name the one that holds your wildcard files."),
        (["expand", "--wildcards", "garbage.txt", "a __b__"], "garbage.txt: is not a folder;"),
        (["expand", "--style", "x", "--styles", "garbage.csv", "a"], "garbage.csv: it is not text"),
        (["expand", "--style", "x", "--styles", "empty.csv", "a"], "empty.csv:1:1: it has no column 'name'"),
        (["expand", "--style", "x", "--styles", "folder", "a"], "folder: it is a folder. Give the name of a file."),
        (["encoders", "--encoder-path", "garbage.safetensors"], "garbage.safetensors is not a safetensors file, or is cut short"),
        (["encoders", "--encoder-path", "empty.safetensors"], "empty.safetensors is not a safetensors file, or is cut short: 0 bytes."),
        (["encoders", "--encoder-path", "folder"], "folder holds no text encoder of a known layout"),
        (["encoders", "--encoder-path", "none"], "none does not exist."),
        (["encoders", "--root", "garbage.txt"], "--root garbage.txt is not a folder."),
        (["encoders", "--card", "nobody"], "'nobody' is not 'preview'"),
        (["check", "--config", "garbage.toml", "a"], "garbage.toml: is not TOML: it is not UTF-8 text."),
        (["check", "--config", "folder", "a"], "folder: cannot be read: Is a directory."),
        (["check", "--config", "none.toml", "a"], "none.toml: cannot be read: No such file or directory."),
        (["check", "--baseline", "empty.json", "a"], "empty.json: is no baseline: Expecting value"),
        (["check", "--baseline", "garbage.json", "a"], "garbage.json: is no baseline: it is not UTF-8 text."),
        (["check", "--baseline", "folder", "a"], "folder: the baseline cannot be read: Is a directory."),
        (["check", "--baseline", "none.json", "a"], "none.json: the baseline cannot be read: there is none; write it with --add-baseline."),
        (["check", "--add-baseline", "folder", "a"], "folder: the baseline cannot be written: Is a directory."),
        (["check", "--add-baseline", "none/x.json", "a"], "none/x.json: the baseline cannot be written: No such file or directory."),
        (["tui", "folder"], "folder: is a folder. Give the name of a file."),
        (["tui", "garbage.txt"], "garbage.txt: it is not text"),
        (["tui", "none/x.txt"], "none/x.txt: there is no folder 'none'. Make it first, or name the file elsewhere."),
        (["tui", "--serve", "folder"], "folder: is a folder."),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_used(arguments: list[str], why: str, capsys: Said) -> None:
    pytest.importorskip("dynamicprompts")
    assert why in " ".join(said(capsys, *arguments).split())


@pytest.mark.encoder
@pytest.mark.parametrize("source", ["garbage.txt", "garbage.csv", "empty.txt", "empty.json", "folder", "none/x.txt"])
def test_what_encoders_are_not_compared_over(source: str, capsys: Said) -> None:
    pytest.importorskip("torch")
    assert source in said(capsys, "encoders", "compare", "preview", "preview", source)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("[" * 100_000, "is no baseline: it is nested too deeply."),
        ('{"version": 1, "findings": [{"path": "a", "code": "b", "text": "c", "count": 1e999}]}', "is no finding."),
        ('{"version": 1, "findings": [{"path": 1}]}', "is no finding."),
        ('{"version": 2, "findings": []}', "is no baseline of this version"),
        ("[]", "is no baseline of this version"),
    ],
    ids=["nested", "endless", "half", "another version", "a list"],
)
def test_a_baseline_that_is_none(content: str, why: str, capsys: Said) -> None:
    Path("b.json").write_text(content)
    assert why in said(capsys, "check", "--baseline", "b.json", "a cat")


@pytest.mark.parametrize("name", ["none", "garbage.txt"])
@pytest.mark.parametrize("command", [["check", "a cat"], ["encoders"], ["diff", "a", "b"], ["expand", "a {b|c}"]], ids=lambda c: str(c[0]))
def test_an_install_that_is_no_folder(command: list[str], name: str, capsys: Said) -> None:
    pytest.importorskip("dynamicprompts")
    Path("promptlens.toml").write_text(f"installs = {json.dumps(name)}\n")
    assert f"{name}: is not a folder, and the settings name it among the installs." in said(capsys, *command)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (GARBAGE, "extra_model_paths.yaml is not YAML: it is not UTF-8 text."),
        (b"[1,2", "extra_model_paths.yaml is not YAML: while parsing"),
    ],
)
def test_an_install_with_a_damaged_file(content: bytes, why: str, capsys: Said) -> None:
    for name in ("comfy", "models/embeddings", "models/text_encoders"):
        Path("ui", name).mkdir(parents=True)
    Path("ui/folder_paths.py").touch()
    Path("ui/models/embeddings/bad.safetensors").write_bytes(GARBAGE)
    Path("ui/extra_model_paths.yaml").write_bytes(content)
    Path("promptlens.toml").write_text('installs = "ui"\n')
    assert why in said(capsys, "encoders")
    assert main(["check", "--host", "comfyui", "a embedding:bad cat"]) == 0  # an embedding that is none counts as words


@pytest.mark.parametrize("name", ["garbage.txt", "empty.txt", "none.txt", "folder"])
def test_a_revision_of_it(name: str, capsys: Said) -> None:
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org"]
    for arguments in (["init", "-q", "."], ["add", "."], ["commit", "-qm", "bad"]):
        subprocess.run([*git, *arguments], check=True, capture_output=True)
    assert f"git:HEAD:{name}: " in said(capsys, "diff", "a cat", f"git:HEAD:{name}")


def test_a_prompt_of_10_000_tokens(capsys: Said) -> None:
    pytest.importorskip("dynamicprompts")
    Path("long.txt").write_text("cat " * 10_000)
    for command in (["expand"], ["tokens"], ["diff", "a cat"], ["fix", "--diff"]):
        assert main([*command, "long.txt"]) in (0, 1)
        out, err = capsys.readouterr()
        assert out
        assert "error" not in err


@pytest.mark.encoder
def test_a_prompt_of_10_000_tokens_is_not_measured(capsys: Said, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("safetensors")
    from tiny_weights import tensors, write

    weights = str(write(tmp_path / "clip_l.safetensors", tensors()))
    Path("long.txt").write_text(", ".join(["cat"] * 10_000))
    for command in ("influence", "similarity"):
        why = said(capsys, command, "--model", "sd15", "--encoder-path", weights, "long.txt")
        assert "This prompt has 10,000 words, and each takes a reading of its own: at most 2,000 are measured." in why
        assert "or take --unit tag." in why
    assert (
        main(["fix", "--shorten", "--by", "influence", "--model", "sd15", "--max-tokens", "9000", "--encoder", "preview", "long.txt"]) == 0
    )
