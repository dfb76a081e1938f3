"""`~` in paths: the home folder, or one clear line where there is none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from promptlens.__main__ import main
from promptlens.errors import InputError
from promptlens.home import with_home

NOBODY = "~nobody-of-this-name/x"


@pytest.mark.parametrize(
    ("typed", "below"),
    [("~", ""), ("~/a/b", "a/b"), (Path("~/a"), "a")],
)
def test_a_tilde_is_the_home_folder(typed: str | Path, below: str, isolated: Path) -> None:
    assert with_home(typed) == isolated / below


@pytest.mark.parametrize("typed", ["", "a/~/b", "/~x", "a~", "./a"])
def test_a_tilde_elsewhere_is_a_letter(typed: str) -> None:
    assert with_home(typed) == Path(typed)


def test_a_name_that_begins_with_a_tilde_can_be_written() -> None:
    assert os.fspath(with_home("./~mine")) == "~mine"


def test_a_home_that_is_not_there_is_said_with_the_way_out() -> None:
    with pytest.raises(InputError) as caught:
        with_home(NOBODY, "--root")
    assert str(caught.value) == (
        "--root: ~nobody-of-this-name/x: there is no user 'nobody-of-this-name' on this machine, so '~nobody-of-this-name' is no home "
        "folder. Write the whole path, or './~nobody-of-this-name/x' for a file or folder of that name."
    )


def test_without_any_home_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # as where neither HOME nor the user's entry is there
    with pytest.raises(InputError, match="nobody knows where your home folder is"):
        with_home("~/.cache")


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["encoders", "--encoder-path", NOBODY], id="weights"),
        pytest.param(["encoders", "--encoder-path", f"clip-l={NOBODY}"], id="weights of an encoder"),
        pytest.param(["encoders", "--root", NOBODY], id="an install"),
        pytest.param(["check", "--model", "flux", "--tokenizer", NOBODY, "a cat"], id="a tokenizer"),
        pytest.param(["expand", "--wildcards", NOBODY, "a __b__"], id="wildcards"),
        pytest.param(["expand", "--style", "x", "--styles", NOBODY, "a cat"], id="styles"),
    ],
)
def test_options_say_it_in_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert f"{NOBODY}: there is no user 'nobody-of-this-name'" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    "setting",
    [
        'installs = "{}"',
        'encoder-paths = "{}"',
        'wildcards = "{}"',
        'loras = "{}"',
        't5_tokenizer = "{}"',
        'baseline = "{}"',
        '[options]\nembeddings = "{}"',
    ],
)
def test_settings_name_their_file_and_key(setting: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("promptlens.toml").write_text(setting.format(NOBODY))
    assert main(["check", "a cat"]) == 2
    said = capsys.readouterr().err
    key = "options" if "options" in setting else setting.partition(" ")[0]
    assert f"promptlens.toml: {key}: {NOBODY}: there is no user" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("variable", ["HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME", "PROMPTLENS_ENCODERS"])
def test_variables_are_named(variable: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv(variable, NOBODY)
    assert main(["encoders"]) == 2
    said = capsys.readouterr().err
    assert f"{variable}: {NOBODY}: there is no user" in said
    assert said.count("\n") == 1
