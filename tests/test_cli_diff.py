"""The command `diff`: what goes to stdout, what to stderr, and the exit code."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from promptlens import HOSTS
from promptlens.__main__ import main
from promptlens.errors import InputError
from promptlens.gitfiles import read_revision

Said = pytest.CaptureFixture[str]


def error_of(said: Said) -> str:
    out, err = said.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    return line


def test_two_prompts(capsys: Said) -> None:
    assert main(["diff", "a cat, red", "a cat, (red:1.3), fog"]) == 0
    out = capsys.readouterr().out
    assert "~ (red:1.3)  weight 1 → 1.3" in out
    assert "+ fog  1 token, chunk 1" in out
    assert "4 → 6 tokens" in out


def test_exit_code_on_request(capsys: Said) -> None:
    assert main(["diff", "--exit-code", "a cat", "a dog"]) == 1
    assert main(["diff", "--exit-code", "a cat", "A  cat"]) == 0
    assert "the very same tokens and weights" in capsys.readouterr().out


def test_json_of_two_prompts(capsys: Said) -> None:
    main(["diff", "--format", "json", "--model", "sd15", "a cat", "a dog"])
    found = json.loads(capsys.readouterr().out)
    assert found["schema"] == 1
    (encoder,) = found["encoders"]
    assert encoder["used"] == [2, 2]
    assert [t["piece"] for t in encoder["added"]] == ["dog</w>"]
    assert [c["kind"] for c in found["changes"]] == ["removed", "added"]


def test_all_hosts(capsys: Said) -> None:
    assert main(["diff", "--hosts", "all", "one " * 76]) == 1  # diffusers loses one of them
    out = capsys.readouterr().out
    assert all(f"\n{name} " in out for name in HOSTS)
    assert "not observed" in out


def test_named_hosts_as_json(capsys: Said) -> None:
    assert main(["diff", "--hosts", "comfyui, a1111", "--format", "jsonl", "a cat"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [h["host"] for h in found["hosts"]] == ["comfyui", "a1111"]
    assert found["same_cuts"] == [["comfyui", "a1111"]]


def test_check_in_several_hosts(capsys: Said) -> None:
    assert main(["check", "--host", "all", "one " * 76]) == 1
    out = capsys.readouterr().out
    main(["diff", "--hosts", "all", "one " * 76])
    assert out == capsys.readouterr().out
    Path("a.caption").write_text("a cat")
    assert main(["check", "--host", "a1111,comfyui", "--format", "json", "a.caption", "a dog"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(one["prompt"], [h["host"] for h in one["hosts"]]) for one in found] == [
        ("a cat", ["a1111", "comfyui"]),
        ("a dog", ["a1111", "comfyui"]),
    ]
    assert main(["check", "--host", "all", "--format", "sarif", "a"]) == 2
    assert "--format is full or json or jsonl" in error_of(capsys)


def test_an_encoder_whose_vocabulary_is_missing_is_not_counted(capsys: Said) -> None:
    assert main(["diff", "--hosts", "comfyui,compel", "--model", "flux", "a cat"]) == 0
    out = capsys.readouterr().out
    assert "not counted: its vocabulary is not here" in out
    assert "How compel reads prompts for FLUX.1 dev is not known" in out


@pytest.fixture
def settled(isolated: Path) -> None:
    """Two files with settings of their own, below a folder that has others."""
    Path("promptlens.toml").write_text('model = "sd15"\n')
    for name, settings in (("one", 'model = "sd21"\n'), ("two", 'host = "comfyui"\nmodel = "sd21"\nunit = "file"\n')):
        Path(name).mkdir()
        Path(name, "promptlens.toml").write_text(settings)
        Path(name, "a.txt").write_text("a cat\na dog\n")


@pytest.mark.usefixtures("settled")
def test_side_by_side_each_file_has_its_own_settings(capsys: Said) -> None:
    def models(*arguments: str) -> list[tuple[str, str]]:
        assert main([*arguments, "--format", "json"]) == 0
        return [(found["prompt"], found["model"]) for found in json.loads(capsys.readouterr().out)]

    lines = [("a cat", "sd21"), ("a dog", "sd21")]
    assert models("diff", "--hosts", "all", "one/a.txt") == lines
    assert models("check", "--host", "a1111,comfyui", "one/a.txt", "a fox") == [*lines, ("a fox", "sd15")]
    assert models("check", "--host", "a1111,comfyui", "one", "two") == [*lines, ("a cat\na dog", "sd21")]
    assert models("check", "--host", "all", "one/a.txt", "--model", "sdxl") == [(text, "sdxl") for text, _ in lines]


@pytest.mark.usefixtures("settled")
def test_what_is_compared_has_the_settings_of_its_files(capsys: Said) -> None:
    assert main(["diff", "a cat, red", "two/a.txt"]) == 0  # the text is read as the file is
    assert capsys.readouterr().out.startswith("ComfyUI · Stable Diffusion 2.x")
    assert main(["diff", "one/a.txt", "two/a.txt"]) == 2
    said = error_of(capsys)
    assert "one/a.txt for a1111 with sd21 and two/a.txt for comfyui with sd21. Say --host and --model" in said
    assert main(["diff", "one/a.txt", "two/a.txt", "--host", "a1111"]) == 0
    assert "a cat" in capsys.readouterr().out


def test_check_in_several_hosts_says_what_cannot_be_read(capsys: Said) -> None:
    Path("bad.caption").write_bytes(b"\xff\xff\xff")
    for arguments, why in (
        (["bad.caption"], "bad.caption:1:1: "),
        (["none/*.txt"], "no file matches"),
        (["--file", "none.txt"], "none.txt"),
    ):
        assert main(["check", "--host", "all", *arguments]) == 2
        assert why in error_of(capsys)
    Path("folder").mkdir()
    assert main(["check", "--host", "all", "folder"]) == 0
    assert error_of(capsys) == "note: folder: there are no prompts in it."


def test_a_host_that_fails(capsys: Said) -> None:
    assert main(["diff", "--hosts", "a1111,comfyui", "(x:1.2.3)"]) == 1
    assert "a1111  fails on this prompt (ValueError)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a"], "Give two prompts"),
        (["a", "b", "c"], "Give two prompts"),
        (["--hosts", "a1111", "a", "b"], "give one prompt"),
        (["--hosts", "comfi", "a"], "Did you mean 'comfyui'?"),
        (["--hosts", ",", "a"], "--hosts takes names"),
    ],
)
def test_wrong_use(arguments: list[str], said: str, capsys: Said) -> None:
    assert main(["diff", *arguments]) == 2
    assert said in error_of(capsys)


def test_prompts_that_are_data(capsys: Said) -> None:
    main(["diff", "[red] \x1b[31m👩‍🚀 日本", "[red]x"])
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "[red]" in out


# files of a revision


def git(*arguments: str) -> None:
    subprocess.run(["git", "-c", "user.name=x", "-c", "user.email=x@example.org", *arguments], check=True, capture_output=True)


@pytest.fixture
def repository(isolated: Path) -> Path:
    """A repository with a style that was changed after it was committed."""
    git("init", "-q", ".")
    styles = Path("styles.csv")
    styles.write_text("name,prompt,negative_prompt\none,a cat,\ntwo,a dog,\n")
    git("add", ".")
    git("commit", "-qm", "styles")
    styles.write_text("name,prompt,negative_prompt\none,a cat,\ntwo,a red dog,\n")
    return styles


def test_a_file_as_it_was(repository: Path) -> None:
    assert read_revision("git:HEAD:styles.csv").endswith(b"two,a dog,\n")
    Path("inside").mkdir()
    assert read_revision(f"git:HEAD:{repository.resolve()}").endswith(b"two,a dog,\n")


def test_what_changed_in_a_file(repository: Path, capsys: Said) -> None:
    assert main(["diff", "git:HEAD:styles.csv", "styles.csv"]) == 0
    out = capsys.readouterr().out
    assert "+ a red dog" in out
    assert "- a dog" in out
    assert "a cat" not in out


def test_a_prompt_that_came_is_told_from_the_one_that_stayed(repository: Path, capsys: Said) -> None:
    git("commit", "-qam", "styles")
    repository.write_text("name,prompt,negative_prompt\none,a cat,\n")
    assert main(["diff", "git:HEAD:styles.csv", "styles.csv"]) == 0
    out = capsys.readouterr().out
    assert "- a red dog" in out
    assert "a cat" not in out


def test_a_revision_is_read_by_the_settings_of_its_path(repository: Path, capsys: Said) -> None:
    Path("promptlens.toml").write_text('[per-path."*.csv"]\nhost = "diffusers"\n')
    assert main(["diff", "git:HEAD:styles.csv", "styles.csv"]) == 0
    assert capsys.readouterr().out.startswith("diffusers · ")


@pytest.mark.parametrize("name", ["git:HEAD:nothing.csv", "git:nowhere:styles.csv", "git:--help:styles.csv", "git:HEAD:no/such/folder.csv"])
def test_what_is_not_there(name: str, repository: Path) -> None:
    with pytest.raises(InputError, match=name):
        read_revision(name)


def test_no_repository(capsys: Said) -> None:
    assert main(["diff", "git:HEAD:styles.csv", "a"]) == 2
    assert "git says: not a git repository" in error_of(capsys)


def test_no_git(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(InputError, match="git is not installed"):
        read_revision("git:HEAD:x.txt")
