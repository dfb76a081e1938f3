"""Two files by one recipe, the judged twin and the one that is shipped: what each learns, and whether more phrases help the teacher."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

np = pytest.importorskip("numpy")
pytest.importorskip("torch")
pytest.importorskip("safetensors")
sys.path.insert(0, str(Path(__file__).parents[2]))
if not (Path(__file__).parents[2] / "training").is_dir():
    pytest.skip("the training is not beside the tests", allow_module_level=True)

from training.preview import corpus, curve, names, report, teacher  # noqa: E402
from training.preview.lesson import training_deletions  # noqa: E402

pytestmark = pytest.mark.encoder


def test_a_twin_learns_what_the_other_is_judged_on() -> None:
    texts = ("a red cat", "a red boat", "a old cat", "a old boat", "a cat", "a boat")
    known = names.Names(texts, np.eye(6, 512, dtype=np.float32), tuple("test" if "red" in t else "train" for t in texts))
    judged, shipped = ({texts[d.whole] for d in training_deletions(known, twin)} for twin in (names.JUDGED, names.SHIPPED))
    judged_on = {texts[d.whole] for d in names.judged_deletions(known)["deletions"]}
    assert (judged, judged_on) == ({"a old cat", "a old boat"}, {"a red cat", "a red boat"})
    assert shipped == judged | judged_on


def test_deletions_of_which_the_rest_alone_was_kept_out_are_judged_too() -> None:
    known = names.Names(("a red cat", "a cat"), np.eye(2, 512, dtype=np.float32), ("train", "test"))
    assert {title: len(cases) for title, cases in names.judged_deletions(known).items()} == {"deletions": 0, "deletions of either": 1}
    assert training_deletions(known, names.JUDGED) == ()


@pytest.mark.parametrize(("kept_out", "named"), [(["a sail"], ()), ([], ("a sail",))], ids=["kept out", "learnt"])
def test_a_phrase_is_in_the_texts_of_the_twin_that_learns_it(kept_out: list[str], named: tuple[str, ...]) -> None:
    made = corpus.build([], ["sail"], ["sail"], [], ["a cat"], kept_out, corpus.Sizes(made_groups=0), 1)
    assert made.named == named


def test_more_names_bring_the_teacher_nearer() -> None:
    chance = np.random.default_rng(0)
    features = chance.normal(size=(80, 7, 384)).astype(np.float32)
    rows = teacher.unit(features[:, -1] @ chance.normal(size=(384, 512))).astype(np.float32)
    texts = (*(f"a word{n}" for n in range(77)), "a red cat", "a cat", "a red")
    known = names.Names(texts, rows, ("train",) * 60 + ("test",) * 20)
    found = {(who, title): figure for who, title, figure in curve.curve(known, features)}
    half, most, whole = (found[f"teacher on {share}", "centred cosine"] for share in ("50%", "75%", "100%"))
    assert (half.count, most.count, whole.count) == (10, 10, 1)
    assert half.value < most.value < whole.value
    assert half.low < half.value < half.high


def test_prompts_to_compare_twins_on_are_in_no_text_of_theirs() -> None:
    prompts = [f"a picture of thing {n}" for n in range(450)]
    found = report.prompts_aside([*prompts, *prompts, "too short", " ".join(["long"] * 61)], set(prompts[::9]))
    assert len(found) == len(set(found)) == 200
    assert set(found) <= set(prompts) - set(prompts[::9])
    assert report.prompts_aside(["one two three four"], ()) == ["one two three four"]
    assert report.prompts_aside([], ()) == []
