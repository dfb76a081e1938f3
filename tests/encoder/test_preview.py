"""The preview encoder: its file, how it is loaded, what it says of itself, and how near real CLIP it is on phrases it never learnt."""

from __future__ import annotations

import io
import json
import shutil
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import pytest

np = pytest.importorskip("numpy")
pytest.importorskip("torch")
pytest.importorskip("safetensors")

from tiny_weights import tensors, write  # noqa: E402

from promptlens import __version__  # noqa: E402
from promptlens.__main__ import main  # noqa: E402
from promptlens.encoder import choose_encoder, load_encoder, preview  # noqa: E402
from promptlens.encoder.header import read_entries  # noqa: E402
from promptlens.errors import InputError, WeightsError  # noqa: E402
from promptlens.influences import influence  # noqa: E402
from promptlens.influences._agreement import agreement, kendall, shared_top, spearman  # noqa: E402
from promptlens.tokens import Reading, tokenizer  # noqa: E402

pytestmark = pytest.mark.encoder

# `cosines`, less the mean of all, between real CLIP ViT-B/32 vectors of "a NAME": from the metadata of facebookresearch/Detic (Apache-2.0).
# The preview has learnt them: what it makes of phrases it never saw is known of its twin alone, and stands in its card. `alike` are pairs
# of words that no training saw.
FACTS = json.loads((Path(__file__).parents[1] / "data" / "preview_facts.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def encoder() -> Any:
    return load_encoder("preview", threads=1)


@pytest.fixture(autouse=True)
def no_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("PROMPTLENS_ENCODERS", str(tmp_path / "encoders"))
    monkeypatch.setattr("promptlens.encoder.cached.cache_folder", lambda: tmp_path / "cache")


def ids(text: str) -> list[int]:
    found = tokenizer(Reading("fast")).encode(text)
    return [49406, *found, *[49407] * (76 - len(found))]


class Done(NamedTuple):
    exit_code: int
    output: str
    stderr: str


def run(*arguments: str) -> Done:
    out, talk = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(talk):
        code = main(list(arguments))
    return Done(code, out.getvalue(), talk.getvalue())


def test_is_small_and_is_the_file_the_version_was_made_with() -> None:
    assert preview.FILE.stat().st_size <= 8_000_000
    entries, held = preview.unpack(preview.FILE, read_entries(preview.FILE))
    assert entries.keys() == held.keys()


@pytest.mark.parametrize(
    "source", ["preview", preview.FILE, preview.preview_weights()], ids=["by its name", "by its file", "by its record"]
)
def test_loads_as_any_other(source: Any) -> None:
    found = load_encoder(source, None if not isinstance(source, Path) else "preview", threads=1)
    assert (found.name, found.width, found.layers, found.positions, found.missing_layers) == ("preview", 256, 3, 77, 0)
    assert np.shape(found.encode([ids("a cat")]).projected) == (1, 512)


def test_pooled_and_projected_vectors_have_the_same_cosines(encoder: Any) -> None:
    found = encoder.encode([ids(t) for t in ("a cat", "a red cat", "oil painting", "")])
    assert np.abs(_cosines(found.pooled) - _cosines(found.projected)).max() < 1e-3


def test_a_damaged_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "preview.safetensors"
    held = bytearray(preview.FILE.read_bytes())
    held[-1] ^= 1
    copy.write_bytes(held)
    monkeypatch.setattr(preview, "FILE", copy)
    monkeypatch.setattr("promptlens.encoder.loading.PREVIEW_FILE", copy)
    with pytest.raises(WeightsError, match="is damaged"):
        load_encoder("preview")


def test_a_file_that_is_gone_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone.safetensors"
    monkeypatch.setattr(preview, "FILE", gone)
    found = run("influence", "--model", "sd15", "a red cat")
    assert found.exit_code == 2
    assert found.stderr == f"error: The preview encoder cannot be read: {gone}: No such file or directory. Install promptlens again.\n"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        pytest.param(OSError(5, "Input/output error", "x.safetensors"), "x.safetensors cannot be read or written", id="of a file"),
        pytest.param(OSError(28, "No space left on device"), "The results cannot be written", id="of the output"),
    ],
)
def test_an_error_of_the_system_is_one_line_where_stdout_is_no_file(error: OSError, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr("promptlens.encoder.preview.preview_weights", fails)
    found = run("influence", "--model", "sd15", "a red cat")
    assert (found.exit_code, found.stderr) == (2, f"error: {told}: {error.strerror}.\n")


def test_a_copy_elsewhere_is_read(tmp_path: Path) -> None:
    assert load_encoder(shutil.copy(preview.FILE, tmp_path / "mine.safetensors"), "preview").layers == 3


def test_is_near_real_clip_on_phrases_it_learnt(encoder: Any) -> None:
    vectors = encoder.encode([ids(t) for t in FACTS["texts"]]).projected
    mine = _cosines(_unit(vectors) - _unit(vectors).mean(0))
    upper = np.triu_indices(len(vectors), 1)
    assert spearman(mine[upper], np.array(FACTS["cosines"])[upper]) > 0.85  # measured: .93; of a random encoder about 0


def test_tells_pairs_of_words_that_real_clip_finds_alike_from_others(encoder: Any) -> None:
    """Pairs that no training saw: each against all that can be put together of the first words and the others' second ones."""
    vectors = _unit(encoder.encode([ids(word) for pair in FACTS["alike"] for word in pair]).projected)
    centred = _unit(vectors - vectors.mean(0))
    cosines = centred[::2] @ centred[1::2].T
    alike, others = cosines.diagonal(), cosines[~np.eye(len(cosines), dtype=bool)]
    assert len(alike) == 67
    assert (alike[:, None] > others).mean() > 0.93  # measured: .97; by chance .50


def test_no_weights_at_all_take_the_preview_and_say_so() -> None:
    found = run("influence", "--model", "sd15", "a red cat")
    assert found.exit_code == 0
    assert found.output.replace("\n", " ").startswith(preview.LABEL)
    assert "high" in found.output
    assert "0." not in found.output


@pytest.mark.parametrize("model", ["sd15", "sdxl", "flux"])
def test_json_says_that_it_is_approximate_in_every_record(model: str) -> None:
    found = json.loads(run("influence", "--model", model, "--format", "json", "a red 猫 🐱 [x]").output)
    assert found["approximate"] is True
    assert all(u["approximate"] is True and u["band"] in ("high", "medium", "low") for u in found["units"])
    for line in run("influence", "--model", model, "--format", "jsonl", "a red cat").output.splitlines():
        assert json.loads(line)["approximate"] is True


def test_real_weights_are_taken_where_there_are_some(tmp_path: Path) -> None:
    file = write(tmp_path / "encoders" / "clip_l.safetensors", tensors())
    arguments = ("influence", "--model", "sd15", "--format", "json", "a red cat")
    assert json.loads(run(*arguments).output)["approximate"] is False
    assert json.loads(run(*arguments, "--encoder-path", str(file)).output)["approximate"] is False
    assert json.loads(run(*arguments, "--encoder", "preview").output)["approximate"] is True
    assert json.loads(run(*arguments, "--encoder-path", "preview").output)["approximate"] is True
    assert "clip-g" in run("influence", "--model", "sdxl", "a red cat").stderr, "half real is refused"


def test_what_it_cannot_tell_is_refused() -> None:
    assert "--lens pooled" in run("influence", "--lens", "conditioning", "a cat").stderr
    assert "not both" in run("influence", "--encoder", "preview", "--encoder-path", "x", "a cat").stderr


def test_bands_are_thirds_of_the_ranking(encoder: Any) -> None:
    found = influence("castle dragon sunset forest river knight", "diffusers", "sd15", encoders={"clip-l": encoder})
    assert [found.band(n) for n in found.ranking] == ["high", "high", "medium", "medium", "low", "low"]


def test_pages_for_pictures_hold_no_decimals(tmp_path: Path) -> None:
    run("influence", "--plot", str(tmp_path / "x.html"), "a red cat")
    page = (tmp_path / "x.html").read_text(encoding="utf-8")
    assert "not CLIP" in page
    assert "influence high" in page
    assert "influence 0" not in page


def test_the_card_is_printed() -> None:
    found = run("encoders", "--card", "preview").output
    assert found == preview.card()
    assert all(word in found for word in ("not CLIP", "Where it fails", "licence", "bag of tokens"))


def test_preview_is_the_choice_only_where_it_is_named() -> None:
    assert choose_encoder("preview").path == preview.FILE
    with pytest.raises(WeightsError, match="pull clip-l"):
        choose_encoder("clip-l")


def test_compare_says_how_far_two_encoders_agree(tmp_path: Path) -> None:
    write(tmp_path / "encoders" / "clip_l.safetensors", tensors())
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("a red cat on a mat\ncat\nan oil painting of an old castle, sunset\n", encoding="utf-8")
    found = json.loads(run("encoders", "compare", "preview", "clip-l", str(prompts), "--format", "json").output)
    assert (found["encoders"], found["approximate"], found["left_out"]) == (["preview", "clip-l"], True, 1)
    assert all(-1 <= found[m]["low"] <= found[m]["mean"] <= found[m]["high"] <= 1 for m in ("spearman", "kendall", "top_1", "top_3"))
    assert len(set(found["weights"])) == 2
    assert all(found["weights"])
    assert found["promptlens"] == __version__
    assert not any("castle" in str(value) for value in found.values()), "no word of the prompts is given away"
    page = run("encoders", "compare", "preview", "clip-l", str(prompts)).output
    assert page.startswith("approximate preview, not CLIP")
    assert "--format json" in page
    assert "1.00  [1.00, 1.00]" in run("encoders", "compare", "preview", "preview", str(prompts)).output
    assert "fewer than 3" in run("encoders", "compare", "preview", "preview", "--", "cat").stderr
    assert "Unknown encoder" in run("encoders", "compare", "preview", "clip-x", "a red cat").stderr


def test_compare_without_prompts_says_what_to_give(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").touch()
    assert "There is no prompt in" in run("encoders", "compare", "preview", "preview", str(tmp_path / "empty.txt")).stderr
    gone = run("encoders", "compare", "preview", "preview", str(tmp_path / "gone.txt"))
    assert (gone.exit_code, gone.output) == (2, "")
    assert "There is no file" in gone.stderr


def test_measures_of_agreement() -> None:
    a, b = np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 2.0, 4.0, 3.0])
    assert spearman(a, b) == pytest.approx(0.8)
    assert kendall(a, b) == pytest.approx(4 / 6)
    assert (shared_top(a, b, 1), shared_top(a, b, 2)) == (0.0, 1.0)


def test_agreement_of_an_encoder_with_itself(encoder: Any) -> None:
    found = agreement(["a red cat on a mat"], ("preview", encoder), ("preview", encoder))
    assert found.spearman.mean == pytest.approx(1)
    with pytest.raises(InputError, match="No prompt"):
        agreement([""], ("preview", encoder), ("preview", encoder))


def _unit(rows: Any) -> Any:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _cosines(rows: Any) -> Any:
    return _unit(rows) @ _unit(rows).T


def test_without_the_extra_the_way_out_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *_: None)
    found = run("influence", "a cat")
    assert found.exit_code == 2
    assert found.stderr == ("error: Influence needs numpy, torch and safetensors. Install them with: pip install 'promptlens[encoder]'\n")
