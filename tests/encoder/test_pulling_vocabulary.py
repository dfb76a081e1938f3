"""Fetching T5's vocabulary."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from loopback_hub import FakeHub, serve
from tiny_t5 import write_tiny

from promptlens.__main__ import main
from promptlens.encoder.catalog import T5_VOCABULARY
from promptlens.encoder.vocabularies import pull_vocabulary
from promptlens.errors import WeightsError
from promptlens.t5_files import find_file


@pytest.fixture
def plain(isolated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "HF_ENDPOINT", "HF_TOKEN", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setenv("PROMPTLENS_ENCODERS", str(isolated / "encoders"))


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    return write_tiny(tmp_path).read_bytes()


PLACES = [f"{r.repo}/{r.file}" for r in T5_VOCABULARY]


@pytest.fixture
def hub(content: bytes, plain: None) -> Iterator[FakeHub]:
    with serve(FakeHub(files={PLACES[0]: content})) as running:
        yield running


def fetch(hub: FakeHub, **more: bool) -> Path:
    return pull_vocabulary(endpoint=hub.endpoint, token="", pause=lambda _seconds: None, **more)  # type: ignore[arg-type]


def test_pull(hub: FakeHub, content: bytes) -> None:
    steps: list[tuple[int, int]] = []
    notes: list[str] = []
    path = pull_vocabulary(endpoint=hub.endpoint, token="", progress=lambda here, of: steps.append((here, of)), note=notes.append)
    assert path.read_bytes() == content
    assert steps[-1] == (len(content), len(content))
    assert PLACES[0] in notes[0]
    assert find_file() == path
    hub.requests.clear()
    assert fetch(hub) == path
    assert hub.requests == []
    assert fetch(hub, again=True) == path
    assert hub.requests


def test_a_cut_pull_goes_on_where_it_stopped(hub: FakeHub, content: bytes) -> None:
    hub.cut_after = [1000]
    assert fetch(hub).read_bytes() == content
    assert [r.range for r in hub.gets()] == ["", f"bytes=1000-{len(content) - 1}"]


def test_the_next_place_is_asked(hub: FakeHub, content: bytes) -> None:
    hub.files = {PLACES[-1]: content}
    assert fetch(hub).read_bytes() == content
    shutil.rmtree(fetch(hub).parent)
    hub.files = {}
    with pytest.raises(WeightsError, match="No place that is known to hold T5's vocabulary"):
        fetch(hub)


def test_a_wrong_checksum_or_another_file_is_thrown_away(hub: FakeHub, isolated: Path) -> None:
    hub.stated_sha256[PLACES[0]] = "ab" * 32
    with pytest.raises(WeightsError, match="wrong checksum"):
        fetch(hub)
    hub.stated_sha256.clear()
    hub.files[PLACES[0]] = b"<html>sign in</html>"
    with pytest.raises(WeightsError, match="is not T5's vocabulary"):
        fetch(hub)
    assert find_file() is None
    assert list((isolated / "encoders").iterdir()) == []


def test_the_command(hub: FakeHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
    assert main(["encoders", "pull", "t5-xxl"]) == 0
    assert "The vocabulary of t5-xxl (" in capsys.readouterr().out
    assert main(["encoders", "--format", "csv"]) == 0
    assert "t5-xxl" in capsys.readouterr().out
    assert main(["check", "--model", "flux", "--format", "concise", "a cat"]) == 0
    assert "t5-xxl 2/255 tokens" in capsys.readouterr().out
