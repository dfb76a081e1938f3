"""Settings files: where they are found, what wins, and what is wrong with them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from promptlens.__main__ import main
from promptlens.config import KEYS, Settings, load_settings, user_folder
from promptlens.errors import ConfigError, PromptLensError, UnknownNameError
from promptlens.job import make_job


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
    assert load_settings(isolated=True) == Settings()


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
            "Unknown setting 'hots'. Known: host, model, color, t5_tokenizer, installs, options. Did you mean 'host'?",
        ),
        ("host = 'comfi'", ConfigError, "host: Unknown host 'comfi'."),
        ("host = 5", ConfigError, "host: must be a string, not 5."),
        ("model = 'sdx'", ConfigError, "model: Unknown model 'sdx'."),
        ("color = 'sometimes'", ConfigError, "color: Unknown value 'sometimes'. Known: auto, always, never."),
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
    assert capsys.readouterr().out == (
        'host = "a1111"  # default\n'
        f'model = "sd15"  # {file}\n'
        'color = "never"  # command line\n'
        't5_tokenizer = ""  # default\n'
        "installs = []  # default\n"
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


def test_every_row_of_settings_is_a_key() -> None:
    assert KEYS == ("host", "model", "color", "t5_tokenizer", "installs", "options")
