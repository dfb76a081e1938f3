"""Influence equals the naive loop: transformers' own CLIP called for every deletion, with every padding position computed."""

from __future__ import annotations

from random import Random
from typing import Any, get_args

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("safetensors")

from naive import Written, apart, cosine, filled, look, scores, write_encoders

from promptlens.influences import influence, similarity
from promptlens.influences._lenses import Lens
from promptlens.influences._measure import Method
from promptlens.influences._units import UnitKind

pytestmark = pytest.mark.encoder

ABS = 1e-5
# A1111 scales a weighted chunk by the quotient of two means that are near 0, so what float32 rounds off an encoder's output grows with it.
RESCALED = 1e-4
HOSTS = ("a1111", "comfyui", "diffusers")
WORDS = ("cat", "castle", "misty", "neon", "rain", "portrait", "ultradetailed", "oil", "grain", "forest", "a", "of", "café", "東", "🦊")
WEIGHTED = {
    "a1111": ("(glow:1.3)", "[dim]", "((deep))", "(fog:0.5)"),
    "comfyui": ("(glow:1.3)", "((deep))", "(fog:0.5)", "(gone:0)"),
    "diffusers": (),
}


def written(number: int) -> tuple[Written, str, str]:
    """A prompt, its host and its model; every tenth is longer than a window."""
    random = Random(number)
    host = HOSTS[number % 3]
    length = random.randint(62, 84) if number % 10 == 9 else random.randint(1, 14)
    words = [random.choice((*WORDS, *WEIGHTED[host]) if random.random() < 0.8 else WORDS) for _ in range(length)]
    tags = []
    while words:
        size = random.randint(1, 5)
        tag = words[:size]
        # A sign runs together with the comma behind it into one word.
        tags.append((*tag, "fox") if tag[-1] == "🦊" else tuple(tag))
        words = words[size:]
    return Written(tuple(tags)), host, "sdxl" if number % 5 == 3 else "sd15"


@pytest.fixture(scope="module")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return write_encoders(tmp_path_factory.mktemp("weights"), ("clip-l", "clip-g"))


@pytest.mark.parametrize("number", range(50))
def test_every_lens_and_method_equals_the_naive_loop(number: int, encoders: dict[str, Any]) -> None:
    prompt, host, model = written(number)
    own: dict[str, Any] = {"emphasis": "No norm"} if host == "a1111" and number % 2 else {}
    for unit in get_args(UnitKind):
        for lens in get_args(Lens):
            for method in get_args(Method):
                found = influence(prompt.text, host, model, encoders=encoders, unit=unit, lens=lens, method=method, **own)
                assert [(s.start, s.end) for s in found.spans] == _inner(prompt, unit), (unit, lens, method)
                want = scores(prompt, host, model, unit=unit, lens=lens, method=method, **own)
                rescaled = host == "a1111" and not own and lens == "conditioning" and not {*"(["}.isdisjoint(prompt.text)
                told = f"{prompt.text!r} {host} {unit} {lens} {method}"
                np.testing.assert_allclose(found.scores, want, rtol=0, atol=RESCALED if rescaled else ABS, err_msg=told)


def _inner(prompt: Written, unit: str) -> list[tuple[int, int]]:
    """Places of units as influence gives them: of a word in brackets the word, of a tag all of it."""
    if unit == "tag":
        return prompt.places("tag")
    found = []
    for start, end in prompt.places("word"):
        text = prompt.text[start:end]
        core = text.strip("()[]").partition(":")[0]
        found.append((start + text.index(core), start + text.index(core) + len(core)))
    return found


def test_some_of_those_prompts_have_two_chunks_and_weights() -> None:
    """Else the test above would not see what it is for."""
    prompts = [written(n) for n in range(50)]
    long = [(p.text, h, m) for p, h, m in prompts if len(look(p.text, h, m).vectors[0]) > 1]
    assert len(long) >= 3
    assert sum("(" in p.text for p, _, _ in prompts) >= 20
    assert {(h, m) for _, h, m in prompts} == {(h, m) for h in HOSTS for m in ("sd15", "sdxl")}


PROMPT = Written((("a", "(red:1.3)", "cat"), ("oil", "painting"), ("forest",), ("misty", "neon", "rain")))


@pytest.mark.parametrize("lens", get_args(Lens))
@pytest.mark.parametrize("method", get_args(Method))
def test_the_noise_floor_is_the_median_of_the_commas(lens: Lens, method: Method, encoders: dict[str, Any]) -> None:
    text = PROMPT.text
    whole = look(text, "comfyui", "sd15")
    commas = [n for n, c in enumerate(text) if c == ","]
    assert len(commas) == 3
    each = []
    for n in commas:
        changed = look(text[:n] + text[n + 1 :], "comfyui", "sd15") if method == "delete" else look(text, "comfyui", "sd15", ((n, n + 1),))
        each.append(apart(whole, changed, lens))
    found = influence(text, "comfyui", "sd15", encoders=encoders, lens=lens, method=method)
    assert found.noise_floor == pytest.approx(sorted(each)[1], abs=ABS)
    assert found.noise_commas == 3
    assert found.quiet == tuple(n for n, score in enumerate(found.scores) if score <= found.noise_floor)


def test_toward_is_what_the_cosine_with_the_target_loses(encoders: dict[str, Any]) -> None:
    """In the joint space: projected vectors, of SDXL those of clip-g."""
    target = "a photo of a fox"
    for model, number in (("sd15", 0), ("sdxl", 1)):
        name = ("clip-l", "clip-g")[number]
        aim = _joint(target, model, name)
        found = influence(PROMPT.text, "a1111", model, encoders=encoders, toward=target)
        whole = cosine(_joint(PROMPT.text, model, name), aim)
        want = [whole - cosine(_joint(PROMPT.without("word", n).text, model, name), aim) for n in range(len(found.spans))]
        assert found.toward_cosine == pytest.approx(whole, abs=ABS)
        np.testing.assert_allclose(found.toward or (), want, rtol=0, atol=ABS)
        assert max(want) - min(want) > 0.01


def _joint(text: str, model: str, name: str, host: str = "a1111") -> Any:
    from naive import run

    from promptlens import analyze

    use = next(u for u in analyze(text, host, model).usage.encoders if u.encoder.name == name)
    rows = [run(name, chunk.ids).projected for chunk in use.chunks]
    mean = np.mean([r / np.linalg.norm(r) for r in rows], axis=0)
    return mean / np.linalg.norm(mean)


@pytest.mark.parametrize("lens", get_args(Lens))
def test_against_is_what_a_word_adds_to_the_distance(lens: Lens, encoders: dict[str, Any]) -> None:
    other = "a (blue:0.8) cat, photo"
    there = look(other, "comfyui", "sdxl")
    found = influence(PROMPT.text, "comfyui", "sdxl", encoders=encoders, lens=lens, against=other)
    whole = apart(there, look(PROMPT.text, "comfyui", "sdxl"), lens)
    want = [whole - apart(there, look(PROMPT.without("word", n).text, "comfyui", "sdxl"), lens) for n in range(len(found.spans))]
    assert found.against_distance == pytest.approx(whole, abs=ABS)
    np.testing.assert_allclose(found.against or (), want, rtol=0, atol=ABS)


@pytest.mark.parametrize("model", ["sd15", "sdxl"])
def test_the_split_says_where_the_change_is(model: str, encoders: dict[str, Any]) -> None:
    """Counted position by position: the word's own, those after it up to the last word, and from EOS on."""
    found = influence(PROMPT.text, "comfyui", model, encoders=encoders, lens="conditioning")
    whole = look(PROMPT.text, "comfyui", model)
    words = len(PROMPT.text.replace(",", " ,").split())
    slots = {}
    for slot, token in enumerate(_tokens(model), 1):
        slots[token.span.start] = slot
    for n, span in enumerate(found.spans):
        changed = look(PROMPT.without("word", n).text, "comfyui", model)
        rows = sum(((b - a) ** 2).sum(axis=1) for a, b in zip(whole.tensor, changed.tensor, strict=True))
        own = slots[span.start]
        parts = [rows[own], rows[own + 1 : words + 1].sum(), rows[words + 1 :].sum(), rows[:own].sum()]
        share = found.split[n]
        assert share is not None
        np.testing.assert_allclose((share.own, share.later, share.end, share.elsewhere), np.asarray(parts) / sum(parts), atol=1e-4)


def _tokens(model: str) -> Any:
    from promptlens import analyze

    return analyze(PROMPT.text, "comfyui", model).usage.encoders[0].tokens


def test_similarity_is_the_cosine_of_words_encoded_alone(encoders: dict[str, Any]) -> None:
    for unit in get_args(UnitKind):
        found = similarity(PROMPT.text, "a1111", "sdxl", encoders=encoders, unit=unit)
        rows = np.stack([_joint(label, "sdxl", "clip-g") for label in found.labels])
        np.testing.assert_allclose(found.values, rows @ rows.T, atol=ABS)
        np.testing.assert_allclose(found.whole, rows @ _joint(PROMPT.text, "sdxl", "clip-g"), atol=ABS)
        assert found.projected
        assert found.encoder == "clip-g"


def test_filling_up_is_part_of_what_is_compared(encoders: dict[str, Any]) -> None:
    """76 words: without one of them there is one window less, and the distance counts the lost one against the empty prompt."""
    prompt = Written((("cat",) * 76,))
    found = influence(prompt.text, "comfyui", "sd15", encoders=encoders, lens="conditioning")
    whole, less = look(prompt.text, "comfyui", "sd15"), look(prompt.without("word", 0).text, "comfyui", "sd15")
    assert (len(whole.tensor[0]), len(less.tensor[0])) == (154, 77)
    assert found.scores[0] == pytest.approx(apart(*filled(whole, less, "comfyui", "sd15"), "conditioning"), abs=ABS)
    assert all(found.moved)
