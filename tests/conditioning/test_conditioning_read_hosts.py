"""Hosts whose arithmetic was read and not observed: kohya, Fooocus, InvokeAI, SwarmUI and SD.Next against plain restatements of it.

Windows are written out here; what encodes them is numpy's few lines, and transformers' own CLIP.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import pi, tan
from typing import Any

import numpy as np
import pytest
from fake_encoder import END, START, Array
from kits import Kit, numpy_kit, transformers_kit

from promptlens import analyze, conditioning
from promptlens.errors import ConditioningError, OptionError

A, CAT, DOG, COMMA = 320, 2368, 1929, 267
PADS = {"clip-l": END, "clip-g": 0}
# layer from the end, final norm: SD1 and SDXL
LAST: dict[str, Any] = {"layer": 1, "final_norm": True}
PENULTIMATE: dict[str, Any] = {"layer": 2, "final_norm": False}
Weights = Mapping[int, float]


@pytest.fixture(scope="module", params=["numpy", pytest.param("transformers", marks=pytest.mark.encoder)])
def kit(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Kit:
    if request.param == "numpy":
        return numpy_kit()
    pytest.importorskip("transformers")
    return transformers_kit(tmp_path_factory.mktemp("weights"))


def close(a: Any, b: Any) -> None:
    np.testing.assert_allclose(a, b, rtol=5e-5, atol=5e-5)


def window(name: str, *tokens: int) -> tuple[int, ...]:
    return (START, *tokens, END, *[PADS[name]] * (75 - len(tokens)))


def lerped(encoder: Any, name: str, ids: Sequence[int], weights: Weights, hide: Iterable[int] = (), **layer: Any) -> Array:
    """One window with the weights of some places, from the empty prompt."""
    z, empty = np.array(encoder.state(ids, hide=hide, **layer)), encoder.state(window(name), **layer)
    for place, weight in weights.items():
        z[place] = empty[place] + (z[place] - empty[place]) * weight
    return z


def pooled(kit: Kit, *tokens: int) -> Array:
    g = kit.plain["clip-g"]
    return np.asarray(g.project(g.pool(window("clip-g", *tokens))))


def sdxl(kit: Kit, make: Any) -> Array:
    """Both encoders side by side."""
    return np.concatenate([make(encoder, name) for name, encoder in kit.plain.items()], axis=1)


# Fooocus: each chunk is brought back to its own mean; lines are joined, their pooled vectors added up


def fooocus_chunk(encoder: Any, name: str, tokens: Sequence[int], weights: Weights, **layer: Any) -> Array:
    z = np.asarray(encoder.state(window(name, *tokens), **layer), dtype=np.float64)
    weighted = lerped(encoder, name, window(name, *tokens), weights, **layer).astype(np.float64)
    return np.asarray(weighted * (z.mean() / weighted.mean()), dtype=np.float32)


def test_fooocus_brings_a_chunk_back_to_its_mean(kit: Kit) -> None:
    got = conditioning("a (cat:1.5) (dog:0.6)", "fooocus", encoders=kit.run)
    close(got.hidden, sdxl(kit, lambda e, name: fooocus_chunk(e, name, (A, CAT, DOG), {2: 1.5, 3: 0.6}, **PENULTIMATE)))
    close(got.pooled, pooled(kit, A, CAT, DOG))


def test_fooocus_joins_lines_and_adds_up_their_pooled_vectors(kit: Kit) -> None:
    got = conditioning("a (cat:1.5)\na dog", "fooocus", encoders=kit.run)

    def rows(encoder: Any, name: str) -> Array:
        second = encoder.state(window(name, A, DOG), **PENULTIMATE)
        return np.concatenate([fooocus_chunk(encoder, name, (A, CAT), {2: 1.5}, **PENULTIMATE), second])

    close(got.hidden, sdxl(kit, rows))
    close(got.pooled, pooled(kit, A, CAT) + pooled(kit, A, DOG))


def test_fooocus_clip_skip_counts_for_both_encoders(kit: Kit) -> None:
    for skip in (1, 2, 3):
        got = conditioning("a cat", "fooocus", encoders=kit.run, clip_skip=skip)
        close(got.hidden, sdxl(kit, lambda e, name, n=skip: e.state(window(name, A, CAT), layer=n, final_norm=False)))


def test_fooocus_runs_sdxl_alone(kit: Kit) -> None:
    with pytest.raises(ConditioningError, match=r"no tensor for Stable Diffusion 1\.x"):
        conditioning("a cat", "fooocus", "sd15", encoders=kit.run)


# kohya: windows of a caption become one of 75 n + 2 rows


def one_long(windows: Sequence[Array]) -> Array:
    return np.concatenate([windows[0][:1], *[w[1:76] for w in windows], windows[-1][76:]])


KOHYA_EMPTY = {"clip-l": (START, *[END] * 76), "clip-g": (START, END, *[0] * 75)}


def test_kohya_joins_the_windows_of_a_caption(kit: Kit) -> None:
    got = conditioning("a cat", "kohya", "sd15", encoders=kit.run)
    l = kit.plain["clip-l"]  # noqa: E741
    close(got.hidden, one_long([l.state(ids, **LAST) for ids in (window("clip-l", A, CAT), *[KOHYA_EMPTY["clip-l"]] * 2)]))
    assert got.hidden.shape[0] == 227
    assert got.pooled is None


def test_kohya_sdxl_takes_the_penultimate_layers_and_pools_the_first_window(kit: Kit) -> None:
    got = conditioning("a cat", "kohya", encoders=kit.run, max_token_length=150)
    close(
        got.hidden, sdxl(kit, lambda e, name: one_long([e.state(ids, **PENULTIMATE) for ids in (window(name, A, CAT), KOHYA_EMPTY[name])]))
    )
    close(got.pooled, pooled(kit, A, CAT))


def test_kohya_cuts_a_long_caption_in_the_middle(kit: Kit) -> None:
    """76 words at 150 tokens. A full window ends in the last id of the whole, for clip-l; for clip-g in an end token."""
    got = conditioning(" ".join(["cat"] * 75 + ["dog"]), "kohya", encoders=kit.run, max_token_length=150)

    def rows(encoder: Any, name: str) -> Array:
        first = (START, *[CAT] * 75, END)
        return one_long([encoder.state(ids, **PENULTIMATE) for ids in (first, window(name, DOG))])

    close(got.hidden, sdxl(kit, rows))
    close(got.pooled, pooled(kit, *[CAT] * 75))


@pytest.mark.parametrize("length", [None, 75, 225])
def test_kohya_weights_multiply_and_nothing_is_restored(kit: Kit, length: int | None) -> None:
    got = conditioning("a (cat:1.5)", "kohya", "sd15", encoders=kit.run, weighted_captions=True, max_token_length=length)
    windows = [kit.plain["clip-l"].state(ids, **LAST) for ids in (window("clip-l", A, CAT), *[KOHYA_EMPTY["clip-l"]] * 2)]
    expected = np.array(one_long(windows) if length == 225 else windows[0])
    expected[2] *= 1.5
    close(got.hidden, expected)


def test_kohya_clip_skip(kit: Kit) -> None:
    got = conditioning("a cat", "kohya", "sd15", encoders=kit.run, clip_skip=2, max_token_length=75)
    close(got.hidden, kit.plain["clip-l"].state(window("clip-l", A, CAT), layer=2, final_norm=True))
    with pytest.raises(OptionError, match="no clip skip for sdxl"):
        conditioning("a cat", "kohya", encoders=kit.run, clip_skip=2)


# InvokeAI: compel for each encoder of its own


def test_invokeai_weighs_as_compel_does(kit: Kit) -> None:
    got = conditioning("a (cat)1.5 dog", "invokeai", "sd15", encoders=kit.run)
    close(got.hidden, lerped(kit.plain["clip-l"], "clip-l", window("clip-l", A, CAT, DOG), {2: 1.5}, **LAST))
    assert got.pooled is None


def test_invokeai_hides_words_of_small_weight(kit: Kit) -> None:
    got = conditioning("a (cat)0.5 dog", "invokeai", encoders=kit.run)
    share = tan(0.5 * pi / 2)

    def rows(encoder: Any, name: str) -> Array:
        ids = window(name, A, CAT, DOG)
        seen, hidden = (lerped(encoder, name, ids, {2: 0.5}, hide, **PENULTIMATE) for hide in ((), (2,)))
        return np.asarray((seen + share * hidden) / (1 + share), dtype=np.float32)

    close(got.hidden, sdxl(kit, rows))


def test_invokeai_pools_the_prompt_as_typed(kit: Kit) -> None:
    got = conditioning("a cat++", "invokeai", encoders=kit.run)
    close(got.pooled, pooled(kit, A, CAT, 19056))  # "++"


def test_invokeai_fills_the_encoder_of_fewer_windows_with_zeros(kit: Kit) -> None:
    """80 "!" are five tokens of clip-l and 80 of clip-g."""
    got = conditioning("!" * 80, "invokeai", encoders=kit.run)
    width = kit.plain["clip-l"].width
    assert got.hidden.shape[0] == 154
    assert not got.hidden[77:, :width].any()
    assert got.hidden[77:, width:].all()


def test_invokeai_makes_zeros_of_an_empty_prompt_of_sdxl(kit: Kit) -> None:
    got = conditioning("", "invokeai", encoders=kit.run)
    assert got.hidden.shape == (77, sum(e.width for e in kit.plain.values()))
    assert got.pooled is not None
    assert got.pooled.shape == (kit.plain["clip-g"].width,)
    assert not got.hidden.any()
    assert not got.pooled.any()
    close(conditioning("", "invokeai", "sd15", encoders=kit.run).hidden, kit.plain["clip-l"].state(window("clip-l"), **LAST))


def test_invokeai_members_of_and(kit: Kit) -> None:
    l = kit.plain["clip-l"]  # noqa: E741
    cat, dog, empty = (l.state(window("clip-l", *tokens), **LAST) for tokens in ((A, CAT), (A, DOG), ()))
    text = '("a cat", "a dog").and(1, 0.5)'
    close(conditioning(text, "invokeai", "sd15", encoders=kit.run).hidden, np.concatenate([cat, empty + (dog - empty) * 0.5]))
    with pytest.raises(ConditioningError, match=r"InvokeAI fails on this prompt \(AttributeError\)"):
        conditioning(text, "invokeai", encoders=kit.run)


def test_invokeai_skipped_layers(kit: Kit) -> None:
    got = conditioning("a cat", "invokeai", "sd15", encoders=kit.run, clip_skip=3)
    close(got.hidden, kit.plain["clip-l"].state(window("clip-l", A, CAT), layer=3, final_norm=True))
    with pytest.raises(OptionError, match="clip_skip is 2 there"):
        conditioning("a cat", "invokeai", encoders=kit.run, clip_skip=3)


# SwarmUI: ComfyUI's for each section


def test_swarmui_joins_sections_and_pools_the_first(kit: Kit) -> None:
    got = conditioning("a (cat:1.5)<break>dog", "swarmui", encoders=kit.run)

    def rows(encoder: Any, name: str) -> Array:
        second = encoder.state(window(name, DOG), **PENULTIMATE)
        return np.concatenate([lerped(encoder, name, window(name, A, CAT), {2: 1.5}, **PENULTIMATE), second])

    close(got.hidden, sdxl(kit, rows))
    close(got.pooled, pooled(kit, A, CAT))


def test_swarmui_picks_the_text_of_a_step_and_the_prompt_of_a_section_tag(kit: Kit) -> None:
    l, text = kit.plain["clip-l"], "a <fromto[0.5]:cat,dog><segment:face> dog"  # noqa: E741
    for step, word in ((1, CAT), (20, DOG)):
        got = conditioning(text, "swarmui", "sd15", encoders=kit.run, until_step=step, steps=20)
        close(got.hidden, l.state(window("clip-l", A, word), **LAST))
    close(conditioning(text, "swarmui", "sd15", encoders=kit.run, part=1).hidden, l.state(window("clip-l", DOG), **LAST))
    with pytest.raises(OptionError, match="part must be a whole number from 0 to 1"):
        conditioning(text, "swarmui", "sd15", encoders=kit.run, part=2)


# SD.Next: compel's for each section, A1111's brackets


def test_sdnext_joins_sections_and_pools_the_text_as_typed(kit: Kit) -> None:
    got = conditioning("a (cat) BREAK dog", "sdnext", encoders=kit.run)

    def rows(encoder: Any, name: str) -> Array:
        second = encoder.state(window(name, DOG), **PENULTIMATE)
        return np.concatenate([lerped(encoder, name, window(name, A, CAT), {2: 1.1}, **PENULTIMATE), second])

    close(got.hidden, sdxl(kit, rows))
    ids = analyze("a (cat) BREAK dog", host="diffusers").usage.encoders[1].chunks[0].ids  # brackets and all
    close(got.pooled, kit.plain["clip-g"].project(kit.plain["clip-g"].pool(ids)))


def test_sdnext_hides_words_of_small_weight_within_their_section(kit: Kit) -> None:
    got = conditioning("dog BREAK a (cat:0.5)", "sdnext", "sd15", encoders=kit.run)
    l, share = kit.plain["clip-l"], tan(0.5 * pi / 2)  # noqa: E741
    ids = window("clip-l", A, CAT)
    seen, hidden = (lerped(l, "clip-l", ids, {2: 0.5}, hide, **LAST) for hide in ((), (2,)))
    close(got.hidden, np.concatenate([l.state(window("clip-l", DOG), **LAST), (seen + share * hidden) / (1 + share)]))


def test_sdnext_clip_skip_and_steps(kit: Kit) -> None:
    l = kit.plain["clip-l"]  # noqa: E741
    got = conditioning("a cat", "sdnext", "sd15", encoders=kit.run, clip_skip=2)
    close(got.hidden, l.state(window("clip-l", A, CAT), layer=2, final_norm=True))
    got = conditioning("a cat", "sdnext", encoders=kit.run, clip_skip=3)
    close(got.hidden, sdxl(kit, lambda e, name: e.state(window(name, A, CAT), layer=3, final_norm=False)))
    for step, word in ((1, CAT), (20, DOG)):
        got = conditioning("a [cat:dog:0.5]", "sdnext", "sd15", encoders=kit.run, until_step=step)
        close(got.hidden, l.state(window("clip-l", A, word), **LAST))


def test_sdnext_cannot_join_encoders_of_different_lengths(kit: Kit) -> None:
    with pytest.raises(ConditioningError, match=r"SD\.Next makes 77 for clip-l and 231 for clip-g positions"):
        conditioning("a" + "!" * 80, "sdnext", encoders=kit.run)
