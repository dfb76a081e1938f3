"""The training of the preview encoder on a toy: its parts fit together, it learns, and a stop is no loss."""

from __future__ import annotations

import io
import pickle
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

np = pytest.importorskip("numpy")
torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")
sys.path.insert(0, str(Path(__file__).parents[2]))
if not (Path(__file__).parents[2] / "training").is_dir():
    pytest.skip("the training is not beside the tests", allow_module_level=True)

from promptlens.encoder import load_encoder, preview  # noqa: E402
from training.preview import card, corpus, export, facts, halves, judge, names, packages, readings, spelling, student, teacher, train  # noqa: E402

pytestmark = pytest.mark.encoder

SHAPE = student.Shape(table=16, width=64, layers=2, heads=1, hidden=64)
ADJECTIVES, THINGS = ("red", "old", "tiny"), ("cat", "boat", "castle", "tree")
TEXTS = (*(f"a {one} {two}" for one in ADJECTIVES for two in THINGS), "a cat", "a boat", "a tree")


def lesson() -> train.Lesson:
    chance = np.random.default_rng(0)
    rows = teacher.unit(chance.normal(0, 0.02, (len(TEXTS), 512)) + chance.normal(0, 0.05, 512)).astype(np.float32)
    known = names.Names(TEXTS, rows, tuple("train" for _ in TEXTS))
    lemmas, phrases, prompts = ["old_castle", "sail"], ["oil painting", "soft light"], ["a red cat on a boat"]
    made = corpus.build(["cat", "boat"], lemmas, phrases, prompts, TEXTS, ["a sail"], corpus.Sizes(made_groups=4), 1)
    vectors = {t: teacher.unit(chance.normal(0, 0.05, 512)).astype(np.float16) for t in made.all_texts()}
    vectors |= dict(zip(TEXTS, rows.astype(np.float16), strict=True))
    held = facts.Facts(
        (facts.WordPair("cat", "cats", 0.9), facts.WordPair("boat", "ship", 0.9)), (facts.Dominance("cat_tree", "cat", "tree"),), ()
    )
    return train.Lesson(known, np.arange(len(TEXTS)), tuple(names.deletions(known)), made, vectors, held, rows.mean(0))


def trainer(steps: int) -> train.Trainer:
    torch.manual_seed(0)
    learnt = lesson()
    basis = torch.tensor(np.linalg.svd(learnt.names.embeddings.T @ learnt.names.embeddings)[0][:, :64].copy())
    return train.Trainer(student.Student(SHAPE, basis, torch.tensor(learnt.mean)), learnt, train.Plan(steps=steps, warm_up=2))


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def test_a_few_steps_bring_it_nearer() -> None:
    made = trainer(12)
    made.run(until=1)
    first = made._loss
    made.run()
    assert made._loss < first


def test_a_stop_is_no_loss(tmp_path: Path) -> None:
    through, stopped, resumed = trainer(4), trainer(4), trainer(4)
    through.run()
    stopped.run(until=2, checkpoint=tmp_path / "x.pt")
    resumed.resume(tmp_path / "x.pt")
    resumed.run()
    for name, value in through.student.state_dict().items():
        assert torch.equal(value, resumed.student.state_dict()[name]), name


def test_texts_of_any_lengths_are_encoded_together_as_each_alone() -> None:
    made = trainer(0).student.eval()
    rows = [(49406, *range(5, 5 + n), 49407) for n in (3, 0, 75, 3, 1, 12)]
    with torch.no_grad():
        together, alone = made.encode(rows), torch.cat([_slowly(made, row) for row in rows])
    assert (together - alone).abs().max() < 1e-5
    assert (together[0] - together[2]).abs().max() > 1e-2


def _slowly(made: student.Student, row: tuple[int, ...]) -> Any:
    """One text through every layer whole, with a mask of attention written out: (1, width)."""
    x = made.widen(made.table(torch.tensor(row))) + made.places[: len(row)]
    heads, width = SHAPE.heads, SHAPE.width // SHAPE.heads
    later = torch.full((len(row), len(row)), float("-inf")).triu(1)
    for block in made.blocks:
        q, k, v = block.qkv(block.norm1(x)).view(len(row), 3, heads, width).permute(1, 2, 0, 3)
        seen = ((q @ k.transpose(1, 2)) / width**0.5 + later).softmax(-1) @ v
        x = x + block.out(seen.transpose(0, 1).flatten(1))
        h = block.fc1(block.norm2(x))
        x = x + block.fc2(h * torch.sigmoid(1.702 * h))
    return torch.nn.functional.normalize(made.norm(x[-1:]), dim=-1)


@pytest.mark.parametrize("shape", [(3, 5), (700, 64)])
def test_dropout_leaves_the_mean_as_it_is(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    ones = torch.ones(shape)
    assert student.dropped(ones, 0) is ones
    found = student.dropped(ones, 0.1)
    assert torch.allclose(found[found != 0], torch.tensor(256 / 230))
    assert found.mean().item() == pytest.approx(1, abs=0.5 if ones.numel() < 100 else 0.01)


def test_products_are_halved_only_where_the_processor_can(monkeypatch: pytest.MonkeyPatch) -> None:
    a, able = torch.ones(2, 2), [False]
    monkeypatch.setattr(halves, "has_halves", lambda: able[0])
    for is_able, dtype in ((False, torch.float32), (True, torch.bfloat16)):
        able[0] = is_able
        with halves.halved("cpu"):
            assert (a @ a).dtype == dtype


def test_the_file_is_one_for_a_student_and_computes_what_it_does(tmp_path: Path) -> None:
    made = trainer(2)
    made.run()
    made.student.eval()
    digest = export.write(made.student, tmp_path / "made.safetensors")
    assert {export.write(made.student, tmp_path / "again.safetensors") for _ in range(8)} == {digest}
    rows = [made.tokens(t) for t in TEXTS]
    loaded = load_encoder(tmp_path / "made.safetensors", "preview", threads=1)
    found: Any = loaded.encode([(*r, *[49407] * (77 - len(r))) for r in rows]).projected
    with torch.no_grad():
        mine = (made.student.encode(rows) @ made.student.basis.T).numpy()
    assert ((teacher.unit(found) * mine).sum(1) > 0.999).all()


def test_bytes_are_within_half_a_step_of_what_they_stand_for() -> None:
    torch.manual_seed(0)
    matrix = torch.randn(300, 40) * torch.logspace(-2, 1, 300)[:, None]
    found: dict[str, Any] = {}
    export._bytes(found, "m", matrix)
    step = found["m.scale"].float()[:, None]
    error = (preview._widened("m", found) - matrix).abs()
    assert (error <= 0.5 * step + 127 * step * 2**-11).all(), "half a step, and what rounding the scale to fp16 cuts off the longest"


def test_what_is_kept_out_is_in_no_text() -> None:
    made = corpus.build(
        ["sail"],
        ["sail", "alarm_clock"],
        ["alarm clock"],
        ["x y z w"],
        ["a cat"],
        ["a sail", "a Alarm_clock"],
        corpus.Sizes(made_groups=0),
        1,
    )
    assert {"a sail", "a alarm clock", "a alarm_clock", "alarm clock"}.isdisjoint(made.all_texts())


def test_the_part_of_a_phrase_is_that_of_its_words() -> None:
    assert names.part_of("a Golf_ball") == names.part_of("a golf ball")
    parts = [names.part_of(f"a word{n}") for n in range(2000)]
    assert 0.12 < parts.count("test") / 2000 < 0.18


def test_pickles_that_name_code_are_refused() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("bad.pt", pickle.dumps(replace))
        archive.writestr("good.pt", pickle.dumps(({1: [(2, 0.5)]}, ["x"])))
    with pytest.raises(pickle.UnpicklingError, match=r"dataclasses\.replace"):
        packages.unpickle(zipfile.ZipFile(file), "bad.pt")
    assert packages.unpickle(zipfile.ZipFile(file), "good.pt") == ({1: [(2, 0.5)]}, ["x"])


def test_measures_know_a_perfect_a_blind_and_no_guess() -> None:
    chance = np.random.default_rng(0)
    known = names.Names(TEXTS, teacher.unit(chance.normal(size=(len(TEXTS), 512))).astype(np.float32), tuple("test" for _ in TEXTS))
    rows, mean = np.arange(len(TEXTS)), np.zeros(512, dtype=np.float32)
    perfect = judge.closeness(known, rows, mean, known.embeddings)
    blind = judge.closeness(known, rows, mean, chance.normal(size=known.embeddings.shape))
    assert perfect["centred cosine"].value == pytest.approx(1)
    assert perfect["right name first"].value == 1
    assert abs(blind["centred cosine"].value) < 0.1
    assert judge.closeness(known, rows, mean, np.zeros_like(known.embeddings))["right name in five"].value == 0
    cases = names.deletions(known)
    real = judge.influence(known.embeddings[[d.whole for d in cases]], known.embeddings[[d.rest for d in cases]])
    assert judge.deletion_figure(known, cases, real).value == pytest.approx(1)
    assert judge.deletion_figure(known, cases, -real).value == pytest.approx(-1)


def test_the_card_states_the_figures_of_the_file_that_is_shipped() -> None:
    figures = card.FIGURES.read_text(encoding="utf-8")
    assert figures.startswith(f"shipped sha256 {preview.SHA256}\njudged sha256 ")
    assert figures.count(preview.SHA256) == 1, "the file that was judged is another"
    assert preview.card() == card.card(card.WORDS.read_text(encoding="utf-8"), figures)
    assert card.card("{{judged sha256}}", f"judged sha256 {'a1' * 32}") == "a1" * 32
    with pytest.raises(KeyError, match="no such"):
        card.card("{{no such: figure}}", figures)


def test_other_readings_are_measured_against_the_one_in_use() -> None:
    asked = readings.texts_of("a monitor_(computer_equipment) Screen", "a Screen", "monitor")
    assert asked["stand-in"] == "a thing_(computer_equipment) Screen"
    assert asked["whole spaced"] == "a monitor (computer equipment) screen"
    assert asked["rest joined"] == "a screen"
    learnt = lesson()
    known = dict(zip(TEXTS, learnt.names.embeddings, strict=True))
    chance = np.random.default_rng(0)
    lines = list(
        readings.measured(
            learnt.names, learnt.deletions, lambda ts: np.stack([known.get(t, chance.normal(size=512)) for t in ts]), learnt.mean
        )
    )
    assert lines[0] == "as it is: 1.00 [1.00, 1.00], gain 0.00 [0.00, 0.00]"
    assert len(lines) == len(readings.READINGS) == 10
    assert readings.fold("a Golf_ball") == readings.fold("a golf ball")


def test_texts_spelt_alike_are_alike() -> None:
    known = spelling.bags(["a golf_ball", "a red boat"], spelling.letters)
    same, near, other = known.likeness(["a Golf ball", "a golfer", "zzz"])
    assert same[0] == pytest.approx(1, abs=1e-5)
    assert 0 < near[0] < same[0]
    assert not other.any(), "parts that no learnt phrase holds"


def test_what_is_learnt_is_given_back_by_the_teacher() -> None:
    chance = np.random.default_rng(0)
    embeddings = teacher.unit(chance.normal(size=(len(TEXTS), 512))).astype(np.float32)
    features = chance.normal(size=(len(TEXTS), 7, 384)).astype(np.float32)
    mapped = teacher.fit(TEXTS, features, embeddings)
    nearest = (mapped(TEXTS, features) @ embeddings.T).argmax(1)
    assert (nearest == np.arange(len(TEXTS))).all()
