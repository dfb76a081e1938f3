"""The command `expand`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from promptlens.__main__ import main

Said = pytest.CaptureFixture[str]


@pytest.fixture
def files(isolated: Path) -> None:
    """A folder of wildcards and a file of styles in the working directory."""
    Path("wildcards").mkdir()
    Path("wildcards/place.txt").write_text(f"a forest\n{'deep ' * 80}sea\n")
    Path("styles.csv").write_text('name,prompt,negative_prompt\nfilm,"photo of {prompt}, grain",\n')


def test_the_worst_case(files: None, capsys: Said) -> None:
    assert main(["expand", "--host", "diffusers", "--wildcards", "wildcards", "__place__ at {noon|night}"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("4 variants · all of them read\n")
    assert "__place__  81 tokens" in out
    assert "8 tokens never reach the model" in out


def test_every_variant_fits(files: None, capsys: Said) -> None:
    assert main(["expand", "a {red|dark blue} cat"]) == 0
    assert "a dark blue cat" in capsys.readouterr().out


def test_styles(files: None, capsys: Said) -> None:
    assert main(["expand", "--style", "film", "--format", "json", "a {cat|small dog}"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["template"] == "photo of a {cat|small dog}, grain"
    assert found["largest"]["prompt"] == "photo of a small dog, grain"
    assert found["smallest"]["prompt"] == "photo of a cat, grain"
    assert found["variants"] == 2


def test_unknown_names_are_said(files: None, capsys: Said) -> None:
    assert main(["expand", "a __plaice__"]) == 0
    assert "No values for __plaice__" in capsys.readouterr().out
    assert main(["expand", "--style", "flim", "a"]) == 2
    assert "Did you mean 'film'?" in capsys.readouterr().err
    assert main(["expand", "--style", "film", "--styles", "none.csv", "a"]) == 2
    assert "none.csv: no such file or directory" in capsys.readouterr().err
    assert main(["expand", "--wildcards", "none", "a"]) == 2
    assert "none: is not a folder" in capsys.readouterr().err


def test_a_broken_template(capsys: Said) -> None:
    assert main(["expand", "{{a|b}"]) == 1
    assert "Dynamic Prompts cannot read this template" in capsys.readouterr().out


def test_numbers_beyond_words(capsys: Said) -> None:
    assert main(["expand", "{a|b|c|d|e|f|g|h|i|j}" * 20]) == 0
    assert "some 10^20 variants" in capsys.readouterr().out
