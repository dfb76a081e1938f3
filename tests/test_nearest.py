"""The nearest settings file upwards from each prompt file is the one that holds for it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from promptlens.__main__ import main
from promptlens.config import load_settings, user_folder
from promptlens.nearest import Nearest

Said = pytest.CaptureFixture[str]

FIVE = "one two three four five"


def write(path: str | Path, text: str) -> Path:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def budget(tokens: int) -> str:
    return f"[limits]\nmax-tokens = {tokens}\n"


def findings(capsys: Said, *arguments: str) -> list[str]:
    main(["check", "--format", "concise", *arguments])
    return [" ".join(row) for row in re.findall(r"^(\S+?):\d+:\d+: \w+ (TB\d+)", capsys.readouterr().out, re.MULTILINE)]


@pytest.fixture
def tree(isolated: Path) -> None:
    """Three folders with a prompt of five tokens each; the budget is 4 above, 9 in b, and 3 in b/deep/own."""
    for name in ("a/x.txt", "b/x.txt", "b/deep/x.txt", "b/deep/own/x.txt"):
        write(name, FIVE)
    write("promptlens.toml", budget(4))
    write("b/promptlens.toml", budget(9))
    write("b/deep/own/pyproject.toml", "[tool.promptlens.limits]\nmax-tokens = 3\n")


OVER = ["a/x.txt TB103", "b/deep/own/x.txt TB103"]


@pytest.mark.usefixtures("tree")
def test_each_file_has_the_settings_nearest_to_it(capsys: Said) -> None:
    assert findings(capsys, ".") == OVER
    assert findings(capsys, "b/deep/own/x.txt", "b/x.txt", "a/*.txt") == OVER[::-1]


@pytest.mark.usefixtures("tree")
def test_from_below_too(capsys: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("b/deep")
    assert findings(capsys, "x.txt", "own/x.txt", "../../a/x.txt") == ["own/x.txt TB103", "../../a/x.txt TB103"]


@pytest.mark.usefixtures("tree")
def test_settings_that_the_command_line_names_hold_for_all(capsys: Said) -> None:
    assert findings(capsys, ".", "--config", "b/promptlens.toml") == []
    assert findings(capsys, ".", "--isolated") == []
    assert findings(capsys, ".", "--max-tokens", "2", "--select", "TB103") == [
        "a/x.txt TB103",
        "b/deep/own/x.txt TB103",
        "b/deep/x.txt TB103",
        "b/x.txt TB103",
    ]


@pytest.mark.usefixtures("tree")
def test_where_no_file_lies_above_those_of_the_working_directory_hold(isolated: Path, capsys: Said) -> None:
    outside = write(isolated / "x.txt", FIVE)
    assert findings(capsys, str(outside)) == [f"{outside} TB103"]


@pytest.mark.usefixtures("tree")
def test_standard_input_by_its_name(capsys: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    import io
    import sys

    for name, over in (("b/new.txt", []), ("new.txt", ["new.txt TB103"])):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(FIVE.encode())))
        assert findings(capsys, "--stdin-filename", name, "-") == over


def test_patterns_are_below_the_folder_of_their_file(capsys: Said) -> None:
    for name in ("x.txt", "left/x.txt", "sub/x.txt", "sub/left/x.txt", "sub/only/x.txt"):
        write(name, "red, red")
    write("promptlens.toml", 'extend-exclude = ["/left/"]')
    assert findings(capsys, ".") == ["sub/left/x.txt TB401", "sub/only/x.txt TB401", "sub/x.txt TB401", "x.txt TB401"]
    write("sub/promptlens.toml", 'extend-exclude = ["/left/"]\n[per-path."only/*"]\nignore = ["TB401"]')
    assert findings(capsys, ".") == ["sub/x.txt TB401", "x.txt TB401"]
    assert findings(capsys, "sub/left/x.txt", "--force-exclude") == []


def test_folders_of_loras_are_beside_the_nearest_file(capsys: Said) -> None:
    write("sub/loras/film.safetensors", "")
    write("sub/promptlens.toml", 'loras = "loras"')
    for name in ("x.txt", "sub/x.txt"):
        write(name, "a cat <lora:flim:1>")
    assert findings(capsys, ".") == ["sub/x.txt TB305"]


def test_another_host_and_the_users_own_settings(capsys: Said) -> None:
    write(user_folder() / "config.toml", 'model = "sd15"')
    write("comfy/promptlens.toml", 'host = "comfyui"\n')
    write("comfy/x.txt", "a [red] cat")  # square brackets mean nothing to ComfyUI
    assert findings(capsys, ".", "--steps", "30") == ["comfy/x.txt TB301"]
    assert findings(capsys, ".", "--host", "a1111") == []
    settings = Nearest(load_settings()).of("comfy")
    assert (settings.host, settings.model) == ("comfyui", "sd15")


@pytest.mark.parametrize("wrong", ["hots = 'a1111'", "= 5", "loras = 'none'", "[options]\nsteps = 'many'"])
def test_wrong_settings_are_said_and_other_files_are_checked(wrong: str, capsys: Said) -> None:
    for name in ("bad/deep/x.txt", "good/x.txt"):
        write(name, "red, red")
    write("bad/promptlens.toml", wrong)
    assert main(["check", "--format", "concise", "."]) == 2
    out, err = capsys.readouterr()
    assert out.startswith("good/x.txt:1:6: warning TB401")
    assert err.count("error: bad") == 1
    assert "its settings are wrong" in " ".join(err.split())
    assert main(["check", "--fix", "bad/deep/x.txt", "good/x.txt"]) == 2
    assert Path("good/x.txt").read_text() == "red"
    assert Path("bad/deep/x.txt").read_text() == "red, red"


@pytest.mark.usefixtures("tree")
def test_the_file_is_shown(capsys: Said) -> None:
    for name, file in (("b/deep/x.txt", "b/promptlens.toml"), ("a", "promptlens.toml"), ("b/deep/own", "b/deep/own/pyproject.toml")):
        assert main(["check", "--show-settings", name]) == 0
        assert capsys.readouterr().out.startswith(f"# {name}: {Path.cwd() / file}\n")
    assert main(["check", "--isolated", "--show-settings", "a"]) == 0
    assert capsys.readouterr().out.startswith("# a: no settings file\n")


@pytest.mark.usefixtures("tree")
def test_what_is_said_once_for_a_run_is_that_of_the_working_directory() -> None:
    write("b/promptlens.toml", "max-warnings = 0")
    write("b/x.txt", "red, red")
    assert main(["check", "b/x.txt"]) == 0
    write("promptlens.toml", "max-warnings = 0")
    write("b/promptlens.toml", "max-warnings = 9")
    assert main(["check", "b/x.txt"]) == 1


@pytest.mark.parametrize("command", [["tokens", "--format", "json"], ["expand", "--format", "json"]])
def test_commands_for_one_prompt_take_the_settings_of_its_file(command: list[str], capsys: Said) -> None:
    pytest.importorskip("dynamicprompts")
    write("promptlens.toml", 'model = "sdxl"\n')
    write("flux/promptlens.toml", 'model = "sd15"\n[per-path."x.txt"]\nhost = "diffusers"\n')
    write("flux/x.txt", "a (red:1.2) cat")

    def read(*arguments: str) -> tuple[int, bool]:
        assert main([*command, *arguments]) == 0
        out = capsys.readouterr().out
        return out.count('"clip-g"'), "1.2" in out.replace("(red:1.2)", "")

    assert read("flux/x.txt") == (0, False)  # one encoder, and a host that has no weights
    assert read("--model", "sd15", "--host", "a1111", "flux/x.txt")[0] == 0
    assert read("a (red:1.2) cat")[0] > 0
    assert read("--model", "sdxl", "flux/x.txt")[0] > 0
