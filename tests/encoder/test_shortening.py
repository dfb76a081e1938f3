"""`fix --shorten --by influence`: what changes the text embedding least goes first, and the measure is named."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

np = pytest.importorskip("numpy")
pytest.importorskip("torch")
pytest.importorskip("safetensors")

from tiny_weights import tensors, write  # noqa: E402

from promptlens.__main__ import main  # noqa: E402
from promptlens.encoder import load_encoder  # noqa: E402
from promptlens.influences import influence  # noqa: E402

pytestmark = pytest.mark.encoder

TAGS = ["a lynx in snow", "best quality", "masterpiece", "red scarf", "8k"]
TEXT = ", ".join(TAGS)
FIX = ("fix", "--shorten", "--max-tokens", "9", "--model", "sd15")
Said = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def no_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("promptlens.encoder.cached.cache_folder", lambda: tmp_path / "cache")


def dropped(said: str) -> list[str]:
    return re.findall(r"'([^']+)'", said)


def least(encoder: Any, text: str = TEXT, **options: Any) -> list[str]:
    """The tags, that of the least influence first."""
    found = influence(text, "a1111", "sd15", encoders={"clip-l": encoder}, unit="tag", **options)
    return [found.labels[n] for n in reversed(found.ranking)]


def test_the_preview_is_named_and_its_least_go(capsys: Said) -> None:
    assert main([*FIX, "--by", "influence", TEXT]) == 0
    out, err = capsys.readouterr()
    said = " ".join(err.split())
    assert "those of least influence first, by the approximate preview encoder, which is not CLIP: " in said
    gone = dropped(said)
    assert set(gone) == set(least(load_encoder("preview", threads=1))[: len(gone)])
    assert out.strip() == ", ".join(tag for tag in TAGS if tag not in gone)


def test_real_weights_are_named_too(tmp_path: Path, capsys: Said) -> None:
    weights = write(tmp_path / "clip_l.safetensors", tensors())
    assert main([*FIX, "--by", "influence", "--encoder-path", str(weights), TEXT]) == 0
    said = " ".join(capsys.readouterr().err.split())
    assert "those of least influence first, by CLIP-L: " in said
    gone = dropped(said)
    assert set(gone) == set(least(load_encoder(weights, "clip-l", threads=1))[: len(gone)])


def test_by_order_needs_no_encoder(capsys: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    for by in ([], ["--by", "order"]):
        assert main([*FIX, *by, TEXT]) == 0
        out, err = capsys.readouterr()
        assert out == "a lynx in snow, best quality, masterpiece\n"
        assert "dropped to make it fit, the last ones first: 'red scarf', '8k'" in " ".join(err.split())


def test_without_the_extra_the_way_out_is_said(capsys: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    assert main([*FIX, "--by", "influence", TEXT]) == 2
    assert "pip install 'promptlens[encoder]'" in " ".join(capsys.readouterr().err.split())
    assert main([*FIX, "--by", "influence", "a lynx"]) == 0  # fits: nothing is measured


def test_files(capsys: Said) -> None:
    Path("a.txt").write_text(f"{TEXT}\na cat 👩‍🚀 日本\n", encoding="utf-8")
    assert main([*FIX, "--by", "influence", "a.txt"]) == 0
    assert "a.txt:1:1: fixed TB103 dropped to make it fit, those of least influence first" in " ".join(capsys.readouterr().err.split())
    first, second = Path("a.txt").read_text(encoding="utf-8").splitlines()
    assert len(first) < len(TEXT)
    assert second == "a cat 👩‍🚀 日本"


def test_each_part_is_measured_by_itself(capsys: Said) -> None:
    text = "a lynx in snow, best quality AND masterpiece, red scarf, 8k"
    assert main(["fix", "--shorten", "--max-tokens", "6", "--model", "sd15", "--by", "influence", text]) == 0
    encoder = load_encoder("preview", threads=1)
    gone = dropped(" ".join(capsys.readouterr().err.split()).partition("CLIP: ")[2])
    assert least(encoder, text)[0] in gone
    assert least(encoder, text, part=1)[0] in gone


def test_check_fixes_by_it_too_and_what_it_needs_is_said(capsys: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("a.txt").write_text(TEXT)
    assert main(["check", "--diff", *FIX[1:], "--by", "influence", "a.txt"]) == 1
    changed = capsys.readouterr().out
    assert Path("a.txt").read_text() == TEXT
    assert main(["check", "--fix", *FIX[1:], "--by", "influence", "--encoder", "preview", "a.txt"]) == 0
    assert f"\n+{Path('a.txt').read_text()}\n" in changed
    said = " ".join(capsys.readouterr().err.split())
    assert "fixed TB103 dropped to make it fit, those of least influence first, by the approximate preview encoder" in said
    Path("a.txt").write_text(TEXT)
    monkeypatch.setitem(sys.modules, "torch", None)
    assert main(["check", "--fix", *FIX[1:], "--by", "influence", "a.txt"]) == 2
    assert "pip install 'promptlens[encoder]'" in " ".join(capsys.readouterr().err.split())
    assert Path("a.txt").read_text() == TEXT


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--by", "order", "a"], "--by goes with --shorten or --unsafe-fixes."),
        (["--shorten", "--encoder", "preview", "a"], "go with --by influence."),
        (["--shorten", "--by", "order", "--encoder-path", "x", "a"], "go with --by influence."),
        (["--shorten", "--by", "length", "a"], "'length' is not one of 'order', 'influence'."),
    ],
)
def test_wrong_use(arguments: list[str], said: str, capsys: Said) -> None:
    assert main(["fix", *arguments]) == 2
    assert said in " ".join(capsys.readouterr().err.split())
