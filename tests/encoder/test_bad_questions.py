"""Influence and similarity on prompts without words, on weights that are none, and on questions that make no sense."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch
from tiny_weights import tensors, write

from promptlens.__main__ import main
from promptlens.encoder.cache import DiskCache, pack, unpack

pytestmark = pytest.mark.encoder


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write(tmp_path_factory.mktemp("weights") / "clip_l.safetensors", tensors()))


def asked(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main([arguments[0], "--model", "sd15", *arguments[1:]])
    told = capsys.readouterr()
    return code, told.out, " ".join(told.err.split())


@pytest.mark.parametrize("prompt", ["", " ", ",,, ,", "(:1.2)", "((()))", "BREAK", "AND"], ids=repr)
@pytest.mark.parametrize(("command", "what"), [("influence", "take out"), ("similarity", "compare")])
def test_a_prompt_without_words_says_so(weights: str, command: str, what: str, prompt: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = asked(capsys, command, "--encoder-path", weights, "--text", prompt)
    assert (code, err) == (0, "")
    assert f"There is no word in this prompt to {what}." in out


@pytest.mark.parametrize("command", ["influence", "similarity"])
def test_more_words_than_anybody_waits_for_are_refused(weights: str, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = asked(capsys, command, "--encoder-path", weights, "--text", "word " * 10_000)
    assert (code, out) == (2, "")
    assert "This prompt has 10,000 words" in err


def test_an_empty_target_is_a_mistake(weights: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = asked(capsys, "influence", "--encoder-path", weights, "--toward", " ", "--text", "a cat")
    assert (code, out) == (2, "")
    assert "toward is empty: give the text" in err


def test_the_same_prompt_again_is_no_other_one(weights: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = asked(capsys, "influence", "--encoder-path", weights, "--against", "a cat", "--text", "a cat")
    assert "the other prompt is the same as this one" in out
    _, out, _ = asked(capsys, "influence", "--encoder-path", weights, "--against", "a dog", "--text", "a cat")
    assert "the same as this one" not in out


@pytest.mark.parametrize("path", ["", "clip-l="])
def test_an_empty_path_is_a_mistake(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = asked(capsys, "influence", "--encoder-path", path, "--text", "a cat")
    assert code == 2
    assert "--encoder-path is empty" in err


def test_weights_of_another_encoder_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = write(tmp_path / "clip_g.safetensors", tensors("gelu"))
    code, _, err = asked(capsys, "influence", "--encoder-path", str(other), "--text", "a cat")
    assert code == 2
    assert err.endswith(f"{other} holds clip-g.")


@pytest.mark.parametrize("command", ["influence", "similarity"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(command: str, value: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoilt = {name: torch.full_like(t, value) if "layer_norm1.weight" in name else t for name, t in tensors().items()}
    path = write(tmp_path / "clip_l.safetensors", spoilt)
    code, out, err = asked(capsys, command, "--encoder-path", str(path), "--text", "a cat")
    assert (code, out) == (2, "")
    assert "hold numbers that are none (NaN) or infinite" in err


def test_an_entry_of_another_version_counts_as_absent(tmp_path: Path) -> None:
    content = pack(())
    assert unpack(content) == ()
    assert unpack(content.replace(b"window-1", b"window-0", 1)) is None


def test_a_cache_whose_folder_is_a_file_keeps_nothing_and_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("in the way")
    cache = DiskCache(tmp_path / "cache")
    cache.put("ab12", ())
    assert cache.get("ab12") is None
