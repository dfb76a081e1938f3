"""Where T5's vocabulary is looked for, and what is said where it is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_t5 import write_tiny

from promptlens.__main__ import main
from promptlens.errors import VocabularyError
from promptlens.t5_files import PULLED_FILE, find_file, iter_files, named_file


def cached(home: Path, repo: str, folder: str) -> Path:
    """A tokenizer in the Hugging Face cache."""
    return write_tiny(home / ".cache" / "huggingface" / "hub" / f"models--{repo.replace('/', '--')}" / "snapshots" / "abc" / folder)


def test_nothing_anywhere() -> None:
    assert find_file() is None


def test_the_cache_comes_first_and_known_repositories_before_others(isolated: Path) -> None:
    pulled = write_tiny(isolated / ".local" / "share" / "promptlens" / "encoders", PULLED_FILE)
    assert find_file() == pulled
    other = cached(isolated, "someone/flux-merge", "tokenizer_2")
    known = cached(isolated, "stabilityai/stable-diffusion-3.5-large", "tokenizer_3")
    assert [file for file, _ in iter_files()] == [known, other, pulled]


def test_clips_tokenizer_of_the_same_name_is_passed_over(isolated: Path) -> None:
    file = cached(isolated, "stabilityai/stable-diffusion-xl-base-1.0", "tokenizer_2")
    file.write_text('{"model": {"type": "BPE"}}')
    assert find_file() is None


INSTALLS = {
    "ComfyUI": (["folder_paths.py"], "comfy/text_encoders/t5_tokenizer"),
    "Forge": (["modules_forge/x.py", "webui.py"], "backend/huggingface/black-forest-labs/FLUX.1-dev/tokenizer_2"),
    "InvokeAI": (["invokeai.yaml"], "models/abc/tokenizer_2"),
    "a pipeline of diffusers": (["model_index.json"], "tokenizer_3"),
}


@pytest.mark.parametrize(("marks", "folder"), INSTALLS.values(), ids=INSTALLS)
def test_installs(tmp_path: Path, marks: list[str], folder: str) -> None:
    for mark in marks:
        (tmp_path / "app" / mark).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "app" / mark).touch()
    file = write_tiny(tmp_path / "app" / folder)
    assert find_file([tmp_path / "app"]) == file
    Path("promptlens.toml").write_text(f'model = "flux"\ninstalls = [{str(tmp_path / "app")!r}]', encoding="utf-8")
    assert main(["check", "--format", "concise", "a cat"]) == 0


def test_an_install_of_the_settings_is_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_tiny(tmp_path / "app" / "tokenizer_3")
    Path("promptlens.toml").write_text(f'model = "sd3"\ninstalls = {str(tmp_path / "app")!r}', encoding="utf-8")
    main(["check", "--format", "concise", "a cat"])
    assert "t5-xxl 2/76 tokens, 1 chunk (2), 0 lost" in capsys.readouterr().out


def test_named(tmp_path: Path, tiny_file: Path) -> None:
    assert named_file(tiny_file) == named_file(tiny_file.parent) == tiny_file
    (tmp_path / "spiece.model").touch()
    for path, why in (
        (tmp_path / "x", "does not exist"),
        (tmp_path, "has no tokenizer.json in it"),
        (tmp_path / "spiece.model", "own format"),
    ):
        with pytest.raises(VocabularyError, match=why):
            named_file(path)


def test_the_command_line_names_the_file(tiny_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--model", "flux", "--tokenizer", str(tiny_file), "--format", "concise", "a cat"]) == 0
    assert "t5-xxl 2/255 tokens, 1 chunk (2), 0 lost" in capsys.readouterr().out
    assert main(["check", "--model", "flux", "--format", "concise", "a cat"]) == 0
    assert "t5-xxl not counted: its vocabulary is not on this machine" in capsys.readouterr().out
    assert main(["check", "--model", "flux", "--tokenizer", "no.json", "a cat"]) == 2


@pytest.mark.parametrize("output_format", ["full", "json", "jsonl", "concise", "svg"])
def test_every_format_says_what_is_not_counted(capsys: pytest.CaptureFixture[str], output_format: str) -> None:
    assert main(["check", "--model", "flux", "--host", "diffusers", "--format", output_format, "(日本 👍:1.2) " * 30]) == 0
    assert "vocabulary" in capsys.readouterr().out


def test_the_table_of_tokens_says_it_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tokens", "--model", "flux", "a cat"]) == 0
    said = capsys.readouterr().out
    assert "T5-XXL · not counted" in said
    assert max(map(len, said.splitlines())) <= 80
