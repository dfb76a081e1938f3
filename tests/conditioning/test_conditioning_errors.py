"""Wrong use, and prompts that hosts fail on: one message that says what, where and the way out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_encoder import FakeEncoder, sd1, sdxl

from promptlens import HOSTS, PromptLensError, conditioning
from promptlens.conditionings import CONDITIONERS
from promptlens.errors import ConditioningError, InputError, OptionError, UnknownNameError, WeightsError

ARRAY = np.zeros((2, 6), dtype=np.float32)
SD1: dict[str, Any] = {"host": "a1111", "model": "sd15"}


@pytest.mark.parametrize(
    ("error", "message", "options"),
    [
        pytest.param(UnknownNameError, "Unknown host 'comfi'.*Did you mean 'comfyui'", {"host": "comfi"}, id="an unknown host"),
        pytest.param(UnknownNameError, "Unknown model", {"model": "sd14"}, id="an unknown model"),
        pytest.param(UnknownNameError, "Unknown option 'emphases'", {"emphases": "None"}, id="an unknown option"),
        pytest.param(OptionError, "emphasis must be one of", {"emphasis": "none"}, id="an unknown emphasis"),
        pytest.param(OptionError, "clip_skip must be a whole number from 1", {"clip_skip": 0}, id="clip skip zero"),
        pytest.param(OptionError, "clip_skip must be a whole number from 1", {"clip_skip": True}, id="clip skip that is no number"),
        pytest.param(OptionError, "until_step must be a whole number from 1", {"until_step": 0}, id="step zero"),
        pytest.param(OptionError, "part must be a whole number from 0 to 0", {"part": 1}, id="a part that is not there"),
        pytest.param(OptionError, "part must be a whole number", {"part": True}, id="a part that is no number"),
        pytest.param(OptionError, "'two' is 5 wide; clip-l is 6 wide", {"embeddings": {"two": ARRAY[:, :5]}}, id="a wrong width"),
        pytest.param(OptionError, "Only the number of vectors of the embedding 'two'", {"embeddings": {"two": 2}}, id="only a count"),
        pytest.param(
            OptionError, "no vectors for clip-l; it has 'clip_g'", {"embeddings": {"two": {"clip_g": ARRAY}}}, id="of another encoder"
        ),
    ],
)
def test_wrong_use_of_sd1(error: type[PromptLensError], message: str, options: dict[str, Any]) -> None:
    with pytest.raises(error, match=message):
        conditioning("two cats", encoders=sd1(), **(SD1 | options))


def test_a_host_without_arithmetic_is_refused_with_those_that_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a host of another package is."""
    monkeypatch.setattr(CONDITIONERS, "_names", ["a1111", "comfyui"])
    with pytest.raises(ConditioningError, match=r"How kohya sd-scripts makes its .* is not known\. Known: a1111, comfyui\."):
        conditioning("a cat", "kohya", "sd15", encoders=sd1())


def test_every_host_of_the_package_has_arithmetic() -> None:
    assert set(CONDITIONERS) == set(HOSTS.built_in)


def test_a_missing_encoder_is_named() -> None:
    with pytest.raises(WeightsError, match="sdxl needs clip-l and clip-g; missing: clip-g"):
        conditioning("a cat", encoders=sd1())
    with pytest.raises(WeightsError, match="sdxl needs clip-l and clip-g; missing: clip-l, clip-g"):
        conditioning("a cat", encoders={})


@pytest.mark.parametrize("host", ["a1111", "comfyui", "diffusers", "sd_embed"])
def test_sdxl_needs_the_projection(host: str) -> None:
    with pytest.raises(WeightsError, match="clip-g weights hold no text projection"):
        conditioning("a cat", host, encoders={**sdxl(), "clip-g": FakeEncoder(8)})


@pytest.mark.parametrize(("host", "text"), [("comfyui", "a embedding:"), ("a1111", "(x:1.2.3)"), ("sd_embed", "(x:1.2.3)")])
def test_a_prompt_that_the_host_fails_on(host: str, text: str) -> None:
    with pytest.raises(ConditioningError, match=r"fails on this prompt \((IndexError|ValueError)\): "):
        conditioning(text, host, "sd15", encoders=sd1())


@pytest.mark.parametrize("host", ["comfyui", "diffusers", "sd_embed"])
def test_hosts_of_one_text_have_one_part(host: str) -> None:
    with pytest.raises(OptionError, match="part must be a whole number from 0 to 0"):
        conditioning("a AND b", host, "sd15", encoders=sd1(), part=1)


def test_encoders_of_an_embedding_must_agree_on_its_length() -> None:
    arrays = {"clip-l": ARRAY, "clip-g": np.zeros((3, 8), dtype=np.float32)}
    with pytest.raises(OptionError, match="'two' has 2 vectors for one encoder and 3 for clip-g"):
        conditioning("two", encoders=sdxl(), embeddings={"two": arrays})


def test_unused_embeddings_are_not_looked_at() -> None:
    assert conditioning("a cat", encoders=sd1(), embeddings={"two": 2}, **SD1).hidden.shape == (77, 6)


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    numpy_files = pytest.importorskip("safetensors.numpy")

    def write(**tensors: Any) -> Path:
        (tmp_path / "sub").mkdir(exist_ok=True)
        numpy_files.save_file(tensors, tmp_path / "sub" / "two.safetensors")
        return tmp_path

    return write


@pytest.mark.parametrize("host", ["a1111", "comfyui"])
@pytest.mark.parametrize("key", ["emb_params", "anything"])
def test_embeddings_are_read_from_a_folder(host: str, key: str, folder: Callable[..., Path]) -> None:
    vectors = np.arange(12, dtype=np.float16).reshape(2, 6)
    text = "two" if host == "a1111" else "embedding:two"
    got = conditioning(text, host, "sd15", encoders=sd1(), embeddings=str(folder(**{key: vectors})))
    want = conditioning(text, host, "sd15", encoders=sd1(), embeddings={"two": vectors})
    np.testing.assert_array_equal(got.hidden, want.hidden)


def test_files_of_sdxl_hold_vectors_by_encoder(folder: Callable[..., Path]) -> None:
    arrays = {"clip_l": ARRAY + 1, "clip_g": np.ones((2, 8), dtype=np.float32)}
    got = conditioning("two", encoders=sdxl(), embeddings=folder(**arrays))
    want = conditioning("two", encoders=sdxl(), embeddings={"two": arrays})
    np.testing.assert_array_equal(got.hidden, want.hidden)


def test_pickled_embeddings_are_refused(folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder(emb_params=ARRAY)
    monkeypatch.setattr("promptlens.embeddings.embedding_shape", lambda path: (2, 6))
    (path / "sub" / "two.safetensors").rename(path / "sub" / "two.pt")
    with pytest.raises(InputError, match=r"two.pt: pickled embeddings are not read; convert it to .safetensors"):
        conditioning("two", encoders=sd1(), embeddings=path, **SD1)


def test_a_file_that_numpy_cannot_read_is_named(folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder(emb_params=ARRAY)
    monkeypatch.setattr("promptlens.embeddings.embedding_shape", lambda path: (2, 6))
    (path / "sub" / "two.safetensors").write_bytes(b"no such thing")
    with pytest.raises(InputError, match=r"two.safetensors cannot be read as an embedding"):
        conditioning("two", encoders=sd1(), embeddings=path, **SD1)
