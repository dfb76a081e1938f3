"""Results in bf16: only where they are asked for, and they say so first."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("torch")

from tiny_weights import tensors, write

from promptlens.__main__ import main
from promptlens.commands_weights import asked_weights
from promptlens.config import Settings
from promptlens.encoder import load_encoder
from promptlens.encoder.cached import cached_encoder
from promptlens.influences import influence, similarity
from promptlens.influences._card import card
from promptlens.influences._html import document
from promptlens.influences._precision import LABEL

pytestmark = pytest.mark.encoder

PROMPT = "a red cat, oil painting"


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write(tmp_path_factory.mktemp("weights") / "clip_l.safetensors", tensors()))


def said(capsys: pytest.CaptureFixture[str], command: str, weights: str, *arguments: str) -> str:
    assert main([command, "--model", "sd15", "--encoder-path", weights, *arguments, PROMPT]) == 0, capsys.readouterr().err
    return capsys.readouterr().out


@pytest.mark.parametrize("command", ["influence", "similarity"])
def test_the_first_line_says_so(weights: str, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert not said(capsys, command, weights).startswith(LABEL)
    text = " ".join(said(capsys, command, weights, "--precision", "bf16").split())
    assert text.startswith(f"{LABEL} (rank agreement with fp32 measured: Spearman at least ")


@pytest.mark.parametrize("command", ["influence", "similarity"])
def test_json_says_which_it_was(weights: str, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    fine = json.loads(said(capsys, command, weights, "--format", "json"))
    rough = json.loads(said(capsys, command, weights, "--format", "json", "--precision", "bf16"))
    assert (fine["precision"], rough["precision"]) == ("fp32", "bf16")
    assert fine != {**rough, "precision": "fp32"}


def test_a_setting_asks_for_it_too_and_the_flag_wins(weights: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("promptlens.toml").write_text('precision = "bf16"\n')
    assert json.loads(said(capsys, "influence", weights, "--format", "json"))["precision"] == "bf16"
    assert json.loads(said(capsys, "influence", weights, "--format", "json", "--precision", "fp32"))["precision"] == "fp32"
    Path("promptlens.toml").write_text('precision = "fp16"\n')
    assert main(["influence", "--model", "sd15", PROMPT]) == 2
    assert "precision: Unknown value 'fp16'. Known: fp32, bf16" in capsys.readouterr().err


def test_other_commands_leave_the_setting_alone() -> None:
    asked = {"paths": (), "roots": ()}
    rough = Settings(precision="bf16")
    assert asked_weights(asked, rough).loading()["precision"] == "float32"
    assert asked_weights({**asked, "precision": None}, rough).loading()["precision"] == "bfloat16"


def test_pictures_say_so(weights: str) -> None:
    found = influence(PROMPT, "a1111", "sd15", encoders={"clip-l": load_encoder(weights, "clip-l", precision="bfloat16", threads=1)})
    assert found.precision == "bf16"
    assert LABEL in card(found)
    assert LABEL in document(found)


def test_what_is_kept_is_kept_apart(weights: str, tmp_path: Path) -> None:
    encoders = [{"clip-l": cached_encoder(weights, "clip-l", cache=tmp_path, precision=p, threads=1)} for p in ("float32", "bfloat16")]
    fine, rough = (similarity(PROMPT, "a1111", "sd15", encoders=e) for e in encoders)
    assert (fine.precision, rough.precision) == ("fp32", "bf16")
    assert fine.values.tolist() != rough.values.tolist()


def test_the_preview_stays_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["influence", "--model", "sd15", "--encoder", "preview", "--format", "json", "--precision", "bf16", PROMPT]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["precision"] == "fp32"
    assert "--precision bf16 does nothing to the preview encoder" in captured.err
