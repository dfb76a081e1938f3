"""Settings files: where they are found, what wins, and what is wrong with them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from promptlens.__main__ import main
from promptlens.config import KEYS, Settings, load_settings, user_folder
from promptlens.errors import ConfigError, PromptLensError, UnknownNameError
from promptlens.job import make_job
from promptlens.setting_values import _CHECKS
from promptlens.sources import ReadSettings


def write(path: str, text: str) -> Path:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def test_without_a_file_the_defaults_hold() -> None:
    assert load_settings() == Settings()


def test_promptlens_toml() -> None:
    write("promptlens.toml", 'host = "comfyui"\nmodel = "sd15"\ncolor = "never"\n[options]\ngrouping = "word"\n')
    found = load_settings()
    assert (found.host, found.model, found.color, found.options) == ("comfyui", "sd15", "never", {"grouping": "word"})


def test_a_table_in_pyproject() -> None:
    write("pyproject.toml", '[project]\nname = "x"\n[tool.promptlens]\nhost = "diffusers"\n')
    assert load_settings().host == "diffusers"


def test_a_pyproject_without_the_table_is_passed_over(isolated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write("promptlens.toml", 'host = "comfyui"')
    write("inner/pyproject.toml", '[project]\ndependencies = ["promptlens"]\n')
    monkeypatch.chdir("inner")
    assert load_settings().host == "comfyui"


def test_the_nearest_file_upwards_is_the_one(monkeypatch: pytest.MonkeyPatch) -> None:
    write("promptlens.toml", 'host = "comfyui"\nmodel = "sd15"')
    write("inner/promptlens.toml", 'host = "diffusers"')
    Path("inner/deep/deeper").mkdir(parents=True)
    monkeypatch.chdir("inner/deep/deeper")
    assert (load_settings().host, load_settings().model) == ("diffusers", "sdxl")


def test_promptlens_toml_comes_before_pyproject() -> None:
    write("promptlens.toml", 'host = "comfyui"')
    write("pyproject.toml", '[tool.promptlens]\nhost = "diffusers"')
    assert load_settings().host == "comfyui"


def test_the_project_wins_over_the_user_key_by_key() -> None:
    write(str(user_folder() / "config.toml"), 'host = "diffusers"\nmodel = "sd15"\n[options]\nsteps = 30\nftfy = true')
    write("promptlens.toml", 'host = "a1111"\n[options]\nsteps = 40')
    found = load_settings()
    assert (found.host, found.model, found.options) == ("a1111", "sd15", {"steps": 40, "ftfy": True})
    assert found.origins["options.steps"] == str(Path.cwd() / "promptlens.toml")
    assert found.origins["model"].endswith("config.toml")


def test_the_users_folder_is_that_of_platformdirs(isolated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from platformdirs import user_config_path

    assert user_folder() == user_config_path("promptlens", appauthor=False)
    for value in ("", "  ", str(isolated / "elsewhere")):
        monkeypatch.setenv("XDG_CONFIG_HOME", value)
        assert user_folder() == user_config_path("promptlens", appauthor=False)
    monkeypatch.delenv("XDG_CONFIG_HOME")
    assert user_folder() == user_config_path("promptlens", appauthor=False)


def test_one_file_alone_or_none() -> None:
    write("promptlens.toml", 'host = "comfyui"\nmodel = "sd15"')
    other = write("other.toml", 'host = "diffusers"')
    assert (load_settings(file=other).host, load_settings(file=other).model) == ("diffusers", "sdxl")
    assert load_settings(isolated=True) == Settings(only=True)


def test_the_command_line_wins(capsys: pytest.CaptureFixture[str]) -> None:
    write("promptlens.toml", 'host = "comfyui"\nmodel = "sd15"\n[options]\nsteps = 30')
    assert main(["check", "--host", "a1111", "--steps", "40", "--format", "json", "a"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["host"], found["model"], found["options"]["steps"]) == ("a1111", "sd15", 40)
    main(["check", "--isolated", "--format", "json", "a"])
    assert json.loads(capsys.readouterr().out)["model"] == "sdxl"


def test_options_hold_for_the_hosts_that_have_them() -> None:
    write("promptlens.toml", "[options]\nsteps = 30\nftfy = true")
    settings = load_settings()
    assert make_job(settings).report("a").usage.options.steps == 30
    comfyui = make_job(settings.with_value("host", "comfyui", "a test"))
    assert comfyui.report("a").usage.options.ftfy is True


def test_an_embeddings_folder_is_beside_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    write("promptlens.toml", '[options]\nembeddings = "ti"')
    Path("ti").mkdir()
    header = json.dumps({"emb_params": {"dtype": "F32", "shape": [3, 768], "data_offsets": [0, 0]}}).encode()
    Path("ti/neg.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    Path("inner").mkdir()
    monkeypatch.chdir("inner")
    assert make_job(load_settings()).report("neg").usage.options.embeddings == {"neg": 3}


def test_embeddings_by_name() -> None:
    write("promptlens.toml", "[options.embeddings]\nneg = 8")
    assert make_job(load_settings()).report("neg").usage.encoders[0].used == 8


@pytest.mark.parametrize(
    ("text", "kind", "why"),
    [
        (
            "hots = 'a'",
            UnknownNameError,
            "Unknown setting 'hots'. Known: host, model, color, clip_skip, t5_tokenizer, encoder_paths, installs, precision, options,",
        ),
        ("host = 'comfi'", ConfigError, "host: Unknown host 'comfi'."),
        ("host = 5", ConfigError, "host: must be a string, not 5."),
        ("model = 'sdx'", ConfigError, "model: Unknown model 'sdx'."),
        ("color = 'sometimes'", ConfigError, "color: Unknown value 'sometimes'. Known: auto, always, never."),
        ("clip-skip = 0", ConfigError, "clip-skip: must be a whole number from 1, the last layer, not 0."),
        ("clip-skip = true", ConfigError, "clip-skip: must be a whole number from 1, the last layer, not True."),
        ("options = 5", ConfigError, "options: must be a table, not 5."),
        ("[options]\nstepss = 5", ConfigError, "options: Unknown option 'stepss'."),
        ("host = ", ConfigError, "is not TOML: "),
        ("host = '\udcff'", ConfigError, "is not TOML: "),
    ],
)
def test_what_is_wrong_names_the_file(text: str, kind: type[PromptLensError], why: str) -> None:
    Path("promptlens.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(kind) as caught:
        load_settings()
    said = str(caught.value)
    assert said.startswith(f"{Path.cwd() / 'promptlens.toml'}: {why}")


def test_a_wrong_value_of_an_option_is_told_when_the_host_takes_it(capsys: pytest.CaptureFixture[str]) -> None:
    write("promptlens.toml", "[options]\nsteps = 'many'")
    assert main(["check", "a"]) == 2
    assert capsys.readouterr().err == "error: steps must be a whole number from 1 to 1000, not 'many'.\n"


def test_a_file_asked_for_must_be_there_and_hold_settings() -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml: cannot be read: "):
        load_settings(file=Path("nowhere.toml"))
    with pytest.raises(ConfigError, match=r"has no \[tool\.promptlens\] table"):
        load_settings(file=write("pyproject.toml", "[tool]\nx = 1"))
    with pytest.raises(ConfigError, match=r"tool\.promptlens must be a table, not 5"):
        load_settings(file=write("pyproject.toml", "[tool]\npromptlens = 5"))


def test_settings_are_shown_with_their_origins(capsys: pytest.CaptureFixture[str]) -> None:
    file = Path.cwd() / write("promptlens.toml", 'model = "sd15"\n[options]\nemphasis = "None"')
    assert main(["check", "--color", "never", "--embedding", "neg=3", "--show-settings"]) == 0
    shown = capsys.readouterr().out
    assert "\nselect = []  # default\n" in shown
    assert "\nrespect-gitignore = true  # default\n" in shown
    head, _, rest = shown.partition("select = ")
    assert head + rest[rest.index("\n\n") + 1 :] == (
        'host = "a1111"  # default\n'
        f'model = "sd15"  # {file}\n'
        'color = "never"  # command line\n'
        't5_tokenizer = ""  # default\n'
        "encoder-paths = []  # default\n"
        "installs = []  # default\n"
        'precision = "fp32"  # default\n'
        "\n"
        "[options]\n"
        f'emphasis = "None"  # {file}\n'
        'embeddings = {"neg" = 3}  # command line\n'
    )


def test_what_is_shown_is_a_settings_file(capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", "--host", "comfyui", "--set", "ftfy=yes", "--embedding", 'a "b"=3', "--show-settings"])
    other = write("other.toml", capsys.readouterr().out)
    found = load_settings(file=other)
    assert (found.host, found.options) == ("comfyui", {"ftfy": True, "embeddings": {'a "b"': 3}})


def test_every_setting_has_a_check() -> None:
    assert tuple(_CHECKS) == KEYS


# which rules run, limits, and other values for some files


def findings(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    """Codes that `check` reports, with their files."""
    main(["check", "--format", "concise", *arguments])
    found = re.findall(r"^(\S+?):\d+:\d+: \w+ (TB\d+)", capsys.readouterr().out, re.MULTILINE)
    return [f"{name} {code}" for name, code in found]


TWICE = "1girl, solo, 1girl, (a"


def test_rules_are_selected_as_ruff_does(capsys: pytest.CaptureFixture[str]) -> None:
    assert sorted(findings(capsys, TWICE)) == ["<text> TB302", "<text> TB401"]
    assert findings(capsys, "--select", "TB4", TWICE) == ["<text> TB401"]
    assert findings(capsys, "--ignore", "TB4,TB302", TWICE) == []
    assert findings(capsys, "--ignore", "TB", "--extend-select", "TB401", TWICE) == ["<text> TB401"]
    write("promptlens.toml", 'ignore = ["TB3"]\n')
    assert findings(capsys, TWICE) == ["<text> TB401"]
    assert findings(capsys, "--ignore", "TB4", TWICE) == ["<text> TB302"]  # the command line replaces
    assert main(["check", "--select", "TB9", "a"]) == 2
    assert "Unknown rule 'TB9'" in capsys.readouterr().err


def test_limits_are_budgets(capsys: pytest.CaptureFixture[str]) -> None:
    write("promptlens.toml", "[limits]\nmax-tokens = 3\n")
    assert findings(capsys, "one two three four") == ["<text> TB103"]
    assert findings(capsys, "one two three") == []


def test_the_budget_of_the_command_line_wins(capsys: pytest.CaptureFixture[str]) -> None:
    write("promptlens.toml", '[limits]\nmax-tokens = 3\n[per-path."*.caption"]\nlimits = {max-tokens = 4, max-chunks = 1}\n')
    write("a.caption", "one two three four five")
    write("b.txt", "one BREAK two")
    assert findings(capsys, ".", "--select", "TB103", "--max-tokens", "5") == []
    assert findings(capsys, ".", "--select", "TB103") == ["a.caption TB103"]
    assert findings(capsys, ".", "--select", "TB103", "--max-chunks", "1") == ["a.caption TB103", "b.txt TB103"]
    assert main(["check", "--max-tokens", "0", "a"]) == 2


@pytest.mark.parametrize(
    ("value", "size"), [("1000", 1000), ('"1000"', 1000), ('"2 kB"', 2048), ('"1 MiB"', 1024**2), ('"3g"', 3 * 1024**3)]
)
def test_sizes_are_written_as_people_do(value: str, size: int) -> None:
    write("promptlens.toml", f"max-file-size = {value}")
    assert load_settings().max_file_size == size


def test_the_largest_file_that_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert Settings().max_file_size == ReadSettings().max_bytes
    write("styles.csv", "name,prompt\nA," + "a cat " * 400)
    write("promptlens.toml", 'max-file-size = "2 kB"')
    assert main(["check", "styles.csv"]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "larger than 2,048 bytes" in said
    assert "Raise max-file-size in the settings" in said
    write("promptlens.toml", 'max-file-size = "2 kB"\n[per-path."*.csv"]\nmax-file-size = "3 kB"')
    assert main(["check", "styles.csv"]) == 0


def test_the_most_warnings_of_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "red, red"]) == 0
    write("promptlens.toml", "max-warnings = 0")
    assert main(["check", "red, red"]) == 1
    assert main(["check", "--max-warnings", "1", "red, red"]) == 0
    main(["check", "--show-settings"])
    assert "\nmax-warnings = 0  # " in capsys.readouterr().out


def test_other_values_for_some_files(capsys: pytest.CaptureFixture[str]) -> None:
    write(
        "promptlens.toml",
        'extend-exclude = ["left/"]\n[per-path."captions/*"]\nhost = "kohya"\nlimits = {max-tokens = 3}\nignore = ["TB404"]\n'
        '[per-path."*.dat"]\nformat = "lines"\nrole = "negative"\n',
    )
    for folder in ("captions", "left", "inner"):
        Path(folder).mkdir()
        Path(folder, "a.caption").write_text("one two three four")
    Path("inner/b.dat").write_text("red, red\n")
    assert findings(capsys, ".") == ["captions/a.caption TB103", "inner/b.dat TB401"]
    assert findings(capsys, "left/a.caption", "captions") == ["captions/a.caption TB103"]
    assert main(["check", "--show-settings", "captions/a.caption"]) == 0
    shown = capsys.readouterr().out
    file = Path.cwd() / "promptlens.toml"
    assert shown.startswith(f'# captions/a.caption: {file}\nhost = "kohya"  # {file}\n')
    assert "max_tokens = 3  # " in shown
    assert main(["check", "--host", "comfyui", "--show-settings", "captions/a.caption"]) == 0
    assert '\nhost = "comfyui"  # command line\n' in capsys.readouterr().out


def test_options_of_the_command_line_hold_as_far_as_another_host_has_them(capsys: pytest.CaptureFixture[str]) -> None:
    write("promptlens.toml", '[per-path."*.caption"]\nhost = "kohya"\n')
    Path("a.caption").write_text("red, red")
    assert findings(capsys, "--steps", "30", ".") == ["a.caption TB401"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('select = ["TB9"]', "select: Unknown rule 'TB9'"),
        ("select = 5", "select: must be a list of strings, not 5."),
        ("force-exclude = 1", "force-exclude: must be true or false, not 1."),
        ("[limits]\nmax_token = 3", "limits: Unknown limit 'max_token'"),
        ("[limits]\nnear_limit = 3", "limits: near_limit must be a share from 0 to 1, not 3."),
        ('[per-path."a"]\nhots = "a1111"', "per-path.\"a\": Unknown setting 'hots'"),
        ('[per-path."a"]\nhost = "comfi"', "per-path.\"a\".host: Unknown host 'comfi'"),
        ('[per-path."a"]\nformat = "style"', "per-path.\"a\".format: Unknown format 'style'"),
        ("per-path = 5", "per-path: must be a table, not 5."),
        ('[keys]\n"a.b" = "positiv"', "keys: a.b: Unknown role 'positiv'"),
        ('role = "negative"', "Unknown setting 'role'"),
        ('max-file-size = "much"', "max-file-size: must be a number of bytes, or a size such as \"200 MB\", not 'much'."),
        ("max-file-size = true", "max-file-size: must be a number of bytes"),
        ("max-file-size = 0", "max-file-size: must be a number of bytes"),
        ("max-warnings = -1", "max-warnings: must be a whole number from 0, not -1."),
        ('[per-path."a"]\nmax-warnings = 3', "per-path.\"a\": Unknown setting 'max-warnings'"),
    ],
)
def test_wrong_values_are_named(text: str, why: str) -> None:
    file = write("promptlens.toml", text)
    with pytest.raises(PromptLensError) as caught:
        load_settings()
    assert str(caught.value).startswith(str(Path.cwd() / file))
    assert why in str(caught.value)


def test_what_is_installed(capsys: pytest.CaptureFixture[str]) -> None:
    Path("loras/style").mkdir(parents=True)
    Path("loras/style/film.safetensors").touch()
    Path("wild").mkdir()
    Path("wild/place.txt").write_text("a forest\n" + "deep " * 80)
    write("promptlens.toml", 'loras = "loras"\nwildcards = "wild"\n')
    assert findings(capsys, "a <lora:film:1> <lora:flim:1>") == ["<text> TB305"]
    assert findings(capsys, "--host", "diffusers", "--select", "TB305,TB106", "__place__ __plaice__") == ["<text> TB106", "<text> TB305"]
    write("promptlens.toml", 'loras = "none"\n')
    assert main(["check", "a"]) == 2
    assert "none: is not a folder" in capsys.readouterr().err


def test_what_an_install_has(capsys: pytest.CaptureFixture[str]) -> None:
    for folder in ("webui/embeddings", "webui/models/Lora", "webui/extensions/dyn/wildcards", "comfy/models/loras", "comfy/comfy"):
        Path(folder).mkdir(parents=True)
    Path("webui/webui.py").touch()
    header = json.dumps({"emb_params": {"dtype": "F32", "shape": [8, 768], "data_offsets": [0, 0]}}).encode()
    Path("webui/embeddings/neg.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    Path("webui/models/Lora/film.safetensors").touch()
    Path("webui/extensions/dyn/wildcards/place.txt").write_text("a forest")
    write("promptlens.toml", 'installs = ["webui", "comfy"]')
    assert make_job(load_settings()).report("neg").usage.encoders[0].used == 8
    assert findings(capsys, "neg <lora:film:1> __place__") == []
    assert findings(capsys, "<lora:flim:1> __plaice__") == ["<text> TB305", "<text> TB305"]
    write("promptlens.toml", 'installs = ["webui", "comfy"]\nhost = "comfyui"')
    assert make_job(load_settings()).report("neg").usage.encoders[0].used == 2  # n and eg: ComfyUI has no such file


def test_keys_of_prompts_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    write("promptlens.toml", '[keys]\n"items[*].say" = "positive"\n')
    Path("own.json").write_text('{"items": [{"say": "red, red"}, {"say": "blue"}]}')
    assert findings(capsys, "own.json") == ["own.json TB401"]
