"""Where a command takes its weights from, as a user runs it: flags, settings, what was fetched, the cache, installs, or the way out."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("torch")

from loopback_hub import COMMIT, FakeHub, serve
from tiny_weights import tensors, write

from promptlens.__main__ import main
from promptlens.encoder import load_encoder
from promptlens.encoder.catalog import BUILDS
from promptlens.influences import influence

pytestmark = pytest.mark.encoder

PROMPT = "a red cat, oil painting"
FETCHED = f"{BUILDS['clip-l'].fetch[0].repo}/{BUILDS['clip-l'].fetch[0].file}"


@pytest.fixture
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same weights times another number for each place, so that the result says which were taken."""
    folder = tmp_path_factory.mktemp("made")
    found = {}
    for n, name in enumerate(("flag", "settings", "pulled", "cache", "install")):
        changed = {key: value * (1 + n / 8) if "token_embedding" in key else value for key, value in tensors().items()}
        found[name] = write(folder / name / "clip_l.safetensors", changed)
    return found


def score_of(path: Path) -> float:
    return influence(PROMPT, "a1111", "sd15", encoders={"clip-l": load_encoder(path, "clip-l")}).scores[1]


def measured(capsys: pytest.CaptureFixture[str], *arguments: str) -> float:
    assert main(["influence", "--model", "sd15", "--format", "json", *arguments, PROMPT]) == 0, capsys.readouterr().err
    found = json.loads(capsys.readouterr().out)
    assert found["approximate"] is False
    score: float = found["units"][1]["score"]
    return score


def put(file: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, to)


def test_the_best_place_is_taken_and_then_the_next(
    made: dict[str, Path], isolated: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pulled, hub, install = isolated / "pulled", isolated / "hub", isolated / "ui"
    monkeypatch.setenv("PROMPTLENS_ENCODERS", str(pulled))
    monkeypatch.setenv("HF_HUB_CACHE", str(hub))
    settings = Path("promptlens.toml")
    settings.write_text('installs = ["../ui"]\n[encoder-paths]\nclip-l = "clip-l/mine.safetensors"\n')
    put(made["settings"], Path("clip-l/mine.safetensors"))
    put(made["pulled"], pulled / "clip-l.safetensors")
    snapshot = hub / "models--openai--clip-vit-large-patch14" / "snapshots" / COMMIT
    put(made["cache"], snapshot / "clip_l.safetensors")
    put(made["install"], install / "models" / "text_encoders" / "clip_l.safetensors")
    (install / "comfy").mkdir()
    (install / "folder_paths.py").touch()
    expected = {name: score_of(path) for name, path in made.items()}
    assert len(set(expected.values())) == len(expected)

    def taken(*arguments: str) -> list[str]:
        score = measured(capsys, *arguments)
        return [name for name, value in expected.items() if value == pytest.approx(score, abs=1e-6)]

    assert taken("--encoder-path", str(made["flag"])) == ["flag"]
    assert taken("--encoder-path", f"clip-l={made['flag']}") == ["flag"]
    assert taken() == ["settings"]
    assert taken("--isolated") == ["pulled"]
    settings.write_text('installs = ["../ui"]\n')
    assert taken() == ["pulled"]
    shutil.rmtree(pulled)
    assert taken() == ["cache"]
    shutil.rmtree(hub)
    assert taken() == ["install"]
    settings.unlink()
    assert taken("--root", str(install)) == ["install"]
    shutil.rmtree(install)
    assert main(["similarity", "--model", "sd15", PROMPT]) == 2
    assert "\n  pip install 'promptlens[encoder]'\n  promptlens encoders pull clip-l\n" in capsys.readouterr().err


def test_a_file_that_is_named_for_another_encoder_is_not_passed_over(
    made: dict[str, Path], isolated: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Weights that are found elsewhere would do, but they are not what was asked for."""
    monkeypatch.setenv("PROMPTLENS_ENCODERS", str(isolated / "pulled"))
    put(made["pulled"], isolated / "pulled" / "clip-l.safetensors")
    other = Path("clip_g.safetensors")
    put(made["flag"], other)
    measured(capsys, "--encoder-path", str(other))
    assert main(["influence", "--model", "sd15", "--encoder-path", f"clip-l={other}", PROMPT]) == 2
    assert "clip_g.safetensors is named for clip-l and holds clip-g. Name a file or folder that holds clip-l" in capsys.readouterr().err
    measured(capsys, "--encoder-path", f"clip-l={other}", "--encoder-path", str(made["flag"]))
    Path("promptlens.toml").write_text('[encoder-paths]\nclip-l = "clip_g.safetensors"\n')
    assert main(["influence", "--model", "sd15", PROMPT]) == 2
    assert "promptlens.toml: encoder-paths: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ('encoder-paths = "gone.safetensors"', "gone.safetensors does not exist"),
        ('encoder-paths = ["clip-l=gone.safetensors"]', "gone.safetensors does not exist"),
        ("encoder-paths = 3", "encoder-paths: must be a path, a list of paths or a table of them by encoder, not 3"),
        ("encoder-paths = [1]", "must be a path, a list of paths"),
        ('[encoder-paths]\nclip-x = "a"', "Unknown encoder 'clip-x'"),
        ('encoder-paths = [""]', "must be a path, a list of paths"),
    ],
)
def test_what_is_wrong_with_settings_names_their_file(settings: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("promptlens.toml").write_text(settings)
    assert main(["influence", "--model", "sd15", PROMPT]) == 2
    told = capsys.readouterr().err
    assert "promptlens.toml: encoder-paths" in told
    assert said in told


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--root", "nowhere"], "--root nowhere is not a folder"),
        (["--root", "."], "No weights of the text encoder clip-l"),
        (["--encoder-path", "nowhere"], "nowhere does not exist"),
        (["--encoder-path", "."], ". holds no text encoder of a known layout"),
        (["--encoder-path", "clip-g=nowhere"], "No weights of the text encoder clip-l"),
    ],
)
def test_a_place_the_user_names_must_have_some(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Then no preview stands in."""
    assert main(["influence", "--model", "sd15", *arguments, PROMPT]) == 2
    caught = capsys.readouterr()
    assert said in caught.err
    assert caught.out == ""


def test_encoders_lists_what_settings_name(made: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    Path("promptlens.toml").write_text(f"encoder-paths = [{json.dumps(str(made['settings']))}]\n")
    assert main(["encoders", "--format", "json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["encoder"], row["source"], row["path"]) == ("clip-l", "given path", str(made["settings"]))
    assert main(["encoders", "--isolated"]) == 0
    assert "No text-encoder weights were found" in capsys.readouterr().out
    assert main(["check", "--show-settings"]) == 0
    assert f'encoder-paths = ["{made["settings"]}"]' in capsys.readouterr().out


def test_compare_takes_them_from_settings_too(made: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    Path("promptlens.toml").write_text(f"encoder-paths = [{json.dumps('clip-l=' + str(made['settings']))}]\n")
    assert main(["encoders", "compare", "clip-l", "preview", PROMPT]) == 0
    assert main(["encoders", "compare", "--isolated", "clip-l", "preview", PROMPT]) == 2
    assert "promptlens encoders pull clip-l" in capsys.readouterr().err


@pytest.fixture
def hub(made: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    for name in ("HF_TOKEN", "HF_HUB_OFFLINE", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    with serve(FakeHub(files={FETCHED: made["pulled"].read_bytes()})) as running:
        monkeypatch.setenv("HF_ENDPOINT", running.endpoint)
        yield running


def test_pulled_weights_are_used_from_then_on(hub: FakeHub, made: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    hub.cut_after = [3_000_000]
    assert main(["influence", "--model", "sd15", "--format", "json", PROMPT]) == 0
    assert json.loads(capsys.readouterr().out)["approximate"] is True
    assert main(["encoders", "pull", "clip-l"]) == 0
    assert "clip-l (fp16, " in capsys.readouterr().out
    assert [r.range for r in hub.gets()][-1].startswith("bytes=3000000-")
    assert measured(capsys) == pytest.approx(score_of(made["pulled"]), abs=1e-6)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"stated_sha256": {FETCHED: "0" * 64}}, "checksum"),
        ({"refuse_all": 404}, "404"),
        ({"refuse_all": 401}, "401"),
        ({"refuse_all": 403}, "403"),
    ],
)
def test_a_pull_that_fails_is_one_message(hub: FakeHub, fault: dict[str, object], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    for name, value in fault.items():
        setattr(hub, name, value)
    assert main(["encoders", "pull", "clip-l"]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert "Traceback" not in told
    assert main(["encoders"]) == 0
    assert "No text-encoder weights were found" in capsys.readouterr().out


def test_models_with_t5_say_what_is_looked_at_before_they_ask_for_weights(
    made: dict[str, Path], tiny_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ["--model", "flux", "--tokenizer", str(tiny_file)]
    assert main(["influence", *common, "--encoder-path", str(made["flag"]), PROMPT]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "The model also reads the prompt with T5 v1.1 XXL, which is not run" in out
    assert main(["influence", *common, "--lens", "conditioning", PROMPT]) == 2
    assert "T5 v1.1 XXL is not run here" in capsys.readouterr().err
    for command in ("influence", "similarity"):
        assert main([command, "--model", "chroma", PROMPT]) == 2
        assert "Chroma reads prompts with t5-xxl alone" in capsys.readouterr().err


def test_a_pickle_is_refused_unless_it_is_allowed(made: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import torch

    pickled = tmp_path / "old.ckpt"
    torch.save({"state_dict": {f"cond_stage_model.transformer.{name}": value for name, value in tensors().items()}}, pickled)
    assert main(["influence", "--model", "sd15", "--encoder-path", str(pickled), PROMPT]) == 2
    told = capsys.readouterr().err
    assert "is a pickle file" in told
    assert "--allow-pickle" in told
    assert measured(capsys, "--allow-pickle", "--encoder-path", str(pickled)) == pytest.approx(score_of(made["flag"]), abs=1e-6)


def test_clip_skip_of_the_settings_holds_until_the_command_line_says_another(
    made: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    by_conditioning = ("--lens", "conditioning", "--encoder-path", str(made["flag"]), "--host", "compel")
    scores = {skip: measured(capsys, *by_conditioning, "--clip-skip", skip) for skip in ("1", "2")}
    assert scores["1"] != scores["2"]
    for skip, score in scores.items():
        Path("promptlens.toml").write_text(f"clip-skip = {skip}\n")
        assert measured(capsys, *by_conditioning) == score
        assert measured(capsys, *by_conditioning, "--clip-skip", "1") == scores["1"]
    Path("promptlens.toml").write_text("clip-skip = 3\n")
    assert main(["influence", "--model", "sd15", *by_conditioning, PROMPT]) == 2
    assert "clip_skip is 1 or 2 for sd15" in capsys.readouterr().err
    assert measured(capsys, "--encoder-path", str(made["flag"])) == score_of(made["flag"])  # the pooled vector is of the last layer
