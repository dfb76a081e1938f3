"""Encoding equals what transformers computes: every layout, layer, mask and vector, and every way of sharing work."""

from __future__ import annotations

import runpy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("safetensors")

import numpy as np
import torch
from tiny_weights import END, LAYERS, START, WIDTH, reference, tensors, window, write

from promptlens.encoder import TextEncoder, Vector, Window, load_encoder
from promptlens.encoder.transformer import Transformer
from promptlens.errors import WeightsError

pytestmark = pytest.mark.encoder
SHARED = Path(__file__).resolve().parents[3] / "shared"

IDS = [window(320, 2368, 100), window(*range(1000, 1075)), window(5, 6, 7, 8, pad=0), window()]
HIDE = [[2], list(range(5, 9)), [3, 70], [76]]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> TextEncoder:
    return load_encoder(write(tmp_path_factory.mktemp("weights") / "clip_l.safetensors", tensors()), "clip-l", device="cpu", threads=1)


def transformers_says(ids: Sequence[tuple[int, ...]], hide: list[list[int]] | None = None) -> Any:
    """The reference's output, with its attention mask 0 at hidden positions."""
    mask = torch.ones(len(ids), len(ids[0]), dtype=torch.long)
    for row, positions in enumerate(hide or []):
        mask[row, positions] = 0
    with torch.no_grad():
        return reference()(torch.tensor(ids), attention_mask=mask if hide else None, output_hidden_states=True)


def furthest(got: Any, want: Any) -> float:
    """Largest difference; arrays of different shapes fail."""
    want = want.numpy() if hasattr(want, "numpy") else want
    assert got.shape == want.shape
    return float(np.abs(got - want).max())


# ---------------------------------------------------------------------------------------------- recorded by the reference implementations

LAYOUTS = {
    "clip-l": ["hf/clip-l", "hf/clip-l/model.safetensors", "clip_l.safetensors", "sd1.safetensors", "sdxl.safetensors"],
    "clip-g": ["hf/clip-g", "hf/clip-g/model.safetensors", "clip_g.safetensors", "sdxl.safetensors"],
    "clip-h": ["sd2.safetensors"],
}
RECORDED: dict[str, tuple[str | int, bool]] = {
    "last": ("last", True),
    "penultimate": ("penultimate", False),
    "skip2_normed": ("penultimate", True),
    "penultimate_normed": (2, True),
}


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (SHARED / "tools" / "make_checkpoints.py").is_file():
        pytest.skip("the recorded encoders are not beside the project")
    folder = tmp_path_factory.mktemp("checkpoints")
    runpy.run_path(str(SHARED / "tools" / "make_checkpoints.py"))["write"](folder)
    return folder


@pytest.mark.shared
@pytest.mark.parametrize(("name", "layout"), [(name, layout) for name, layouts in LAYOUTS.items() for layout in layouts])
def test_every_layout_gives_what_was_recorded(checkpoints: Path, name: str, layout: str) -> None:
    recorded = np.load(SHARED / "golden" / "encoders" / "expected.npz")
    stem = name.replace("-", "_")
    ids = recorded[f"{stem}_ids"]
    loaded = load_encoder(checkpoints / layout, name, device="cpu", threads=1)
    compared = 0
    for key, (layer, final_norm) in RECORDED.items():
        if f"{stem}_{key}" in recorded:
            assert furthest(loaded.encode(ids, layer=layer, final_norm=final_norm).hidden, recorded[f"{stem}_{key}"]) <= 2e-5
            compared += 1
    for encoded in (loaded.encode(ids), loaded.pool(ids)):
        if f"{stem}_pooled" in recorded:
            assert furthest(encoded.pooled, recorded[f"{stem}_pooled"]) <= 2e-5
            compared += 1
        if f"{stem}_projected" in recorded:
            assert furthest(encoded.projected, recorded[f"{stem}_projected"]) <= 2e-5
            compared += 1
    assert compared >= 4


# ---------------------------------------------------------------------------------------------- against transformers itself


def test_last_layer_and_pooled_vectors(encoder: TextEncoder) -> None:
    want = transformers_says(IDS)
    got = encoder.encode(np.array(IDS))
    assert furthest(got.hidden, want.last_hidden_state) <= 2e-5
    assert furthest(got.projected, want.text_embeds) <= 2e-5
    assert furthest(got.pooled, got.hidden[range(4), [4, 76, 5, 1]]) == 0
    assert got.hidden.dtype == got.pooled.dtype == np.float32


@pytest.mark.parametrize("from_end", [1, 2, 3, 4])
def test_every_layer_counted_from_the_end(encoder: TextEncoder, from_end: int) -> None:
    want = transformers_says(IDS).hidden_states[-from_end]
    assert furthest(encoder.encode(IDS, layer=from_end, final_norm=False).hidden, want) <= 2e-5


def test_all_layers_of_one_pass(encoder: TextEncoder) -> None:
    want = transformers_says(IDS)
    got = encoder.encode_layers([Window(ids) for ids in IDS])
    assert furthest(got.states, torch.stack(want.hidden_states)) <= 2e-5
    assert furthest(got.normed, want.last_hidden_state) <= 2e-5
    assert furthest(got.projected, want.text_embeds) <= 2e-5
    assert furthest(encoder.norm(got.states[2]), encoder.encode(IDS, layer="penultimate").hidden) <= 1e-6


def test_hidden_positions_are_an_attention_mask(encoder: TextEncoder) -> None:
    want = transformers_says(IDS, HIDE)
    got = encoder.encode(IDS, hide=HIDE)
    assert furthest(got.hidden, want.last_hidden_state) <= 2e-5
    assert furthest(got.projected, want.text_embeds) <= 2e-5
    assert furthest(encoder.pool(IDS, hide=HIDE).projected, want.text_embeds) <= 2e-5
    assert furthest(got.hidden, transformers_says(IDS).last_hidden_state) > 1e-2


def test_vectors_stand_in_place_of_token_embeddings(encoder: TextEncoder) -> None:
    # ids -1 are what ComfyUI has at such places; the vectors are the embeddings of the ids that the reference gets
    embedded = encoder.embed([IDS[1]])[0]
    ids = [list(IDS[1])]
    ids[0][7:9] = [-1, -1]
    got = encoder.encode(ids, vectors=[{7: embedded[7], 8: embedded[8]}])
    assert furthest(got.hidden, transformers_says(IDS[1:2]).last_hidden_state) <= 2e-5
    moved = encoder.encode(ids, vectors=[{7: embedded[8], 8: embedded[7]}])
    swapped = (*IDS[1][:7], IDS[1][8], IDS[1][7], *IDS[1][9:])
    assert furthest(moved.hidden, transformers_says([swapped]).last_hidden_state) <= 2e-5


def test_embeddings_of_ones_own(encoder: TextEncoder) -> None:
    got = encoder.encode_embedded(encoder.embed(IDS), IDS, layer=2, final_norm=False)
    assert furthest(got.hidden, transformers_says(IDS).hidden_states[-2]) <= 2e-5
    assert furthest(got.projected, transformers_says(IDS).text_embeds) <= 2e-5


def test_short_windows(encoder: TextEncoder) -> None:
    ids = [(START, 320, 2368, END)]
    assert furthest(encoder.encode(ids).hidden, transformers_says(ids).last_hidden_state) <= 2e-5


def test_pooling_takes_windows_of_any_length(encoder: TextEncoder) -> None:
    got = encoder.pool([(START, 320, 2368, END), (START, 5, END), window(320, 2368)])
    assert got.projected is not None
    assert furthest(got.projected[0], got.projected[2]) <= 2e-6
    assert furthest(got.projected[1:2], transformers_says([(START, 5, END)]).text_embeds) <= 2e-5


def test_gelu(tmp_path: Path) -> None:
    loaded = load_encoder(write(tmp_path / "clip_g.safetensors", tensors("gelu")), "clip-g", device="cpu", threads=1)
    with torch.no_grad():
        want = reference("gelu")(torch.tensor(IDS))
    assert furthest(loaded.encode(IDS).hidden, want.last_hidden_state) <= 2e-5


# ---------------------------------------------------------------------------------------------- sharing work with a base


def left_out(ids: tuple[int, ...]) -> list[Window]:
    """A window without each of its words."""
    words = ids[1 : ids.index(END)]
    return [Window(window(*words[:n], *words[n + 1 :], pad=ids[-1])) for n in range(len(words))]


@pytest.mark.parametrize("ids", IDS[:3], ids=["three words", "a full window", "padded with 0"])
@pytest.mark.parametrize("layer", ["last", "penultimate"])
def test_leaving_words_out_equals_encoding_each_window_alone(encoder: TextEncoder, ids: tuple[int, ...], layer: str) -> None:
    windows, base = left_out(ids), Window(ids)
    shared = encoder.encode_windows(windows, layer=layer, final_norm=False, base=base)
    pooled = encoder.pool_windows(windows, base=base)
    assert shared.projected is not None
    assert pooled.projected is not None
    alone = transformers_says([w.ids for w in windows])
    # Not normed, numbers are up to 20; transformers' own are 2.0e-5 from the same in double precision.
    assert furthest(shared.hidden, alone.hidden_states[-1 if layer == "last" else -2]) <= 4e-5
    assert furthest(shared.projected, alone.text_embeds) <= 2e-5
    assert furthest(pooled.projected, alone.text_embeds) <= 2e-5


def test_hiding_each_word_equals_encoding_each_window_alone(encoder: TextEncoder) -> None:
    base = Window(IDS[1])
    windows = [Window(IDS[1], frozenset({n})) for n in range(1, 76)]
    shared, pooled = encoder.encode_windows(windows, base=base), encoder.pool_windows(windows, base=base)
    want = transformers_says([IDS[1]] * 75, [[n] for n in range(1, 76)])
    assert furthest(shared.hidden, want.last_hidden_state) <= 2e-5
    assert furthest(pooled.projected, want.text_embeds) <= 2e-5


def test_what_comes_before_the_difference_is_the_base_itself(encoder: TextEncoder) -> None:
    base = Window(IDS[1])
    whole = encoder.encode_windows([base], base=base)
    variant = encoder.encode_windows([left_out(IDS[1])[40]], base=base)
    assert np.array_equal(variant.hidden[0, :41], whole.hidden[0, :41])
    assert not np.allclose(variant.hidden[0, 41], whole.hidden[0, 41])


variants = st.lists(
    st.tuples(
        st.lists(st.integers(0, 20), max_size=12),  # few ids, so that starts are shared
        st.sets(st.integers(1, 30), max_size=3),
        st.dictionaries(st.integers(0, 30), st.integers(0, 3), max_size=2),
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=60, deadline=None)
@given(variants)
def test_sharing_changes_nothing(encoder: TextEncoder, given_variants: list[tuple[list[int], set[int], dict[int, int]]]) -> None:
    windows = []
    for tokens, hide, vectors in given_variants:
        eos = len(tokens) + 1
        places = tuple(Vector.at(p, np.full(WIDTH, 0.1 * v, dtype=np.float32)) for p, v in sorted(vectors.items()))
        windows.append(Window(window(*tokens, length=40), frozenset(hide - {eos}), places))
    alone, shared = encoder.encode_windows(windows), encoder.encode_windows(windows, base=windows[0])
    for got in (shared, encoder.pool_windows(windows, base=windows[0])):
        assert furthest(got.pooled, alone.pooled) <= 2e-5
    assert furthest(shared.hidden, alone.hidden) <= 2e-5


def test_equal_calls_give_equal_numbers(encoder: TextEncoder) -> None:
    windows, base = left_out(IDS[1]), Window(IDS[1])
    first, second = (encoder.pool_windows(windows, base=base).pooled for _ in range(2))
    assert np.array_equal(first, second)


def test_a_base_takes_no_pass_of_its_own(encoder: TextEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    layer, rows = Transformer.layer, []

    def counted(self: Transformer, number: int, x: Any, *args: Any, **options: Any) -> Any:
        rows.append(len(x))
        return layer(self, number, x, *args, **options)

    monkeypatch.setattr(Transformer, "layer", counted)
    ids = window(4001, 4002, 4003)
    for _ in range(2):
        encoder.pool_windows(left_out(ids), base=Window(ids))
    # 5 of the base, then 3, 2 and 1: of "4002 4003 END", "4003 END" and "END"; the second time the base is known
    assert rows == [11] * LAYERS + [6] * LAYERS


def test_a_base_asked_for_less_before_gives_all_that_is_asked_now(encoder: TextEncoder) -> None:
    ids = IDS[1]  # EOS is its last position: as long for the pooled vector as for hidden states
    base, windows = Window(ids), left_out(ids)
    encoder.pool_windows(windows, base=base)
    for layer in ("penultimate", "last", 3):
        got = encoder.encode_windows(windows, layer=layer, final_norm=False, base=base)
        assert furthest(got.hidden, encoder.encode_windows(windows, layer=layer, final_norm=False).hidden) <= 2e-5


def test_a_window_without_eos_is_read_off_at_its_first_position(encoder: TextEncoder) -> None:
    base, open_end = Window((START, 7, 8, 9, END)), Window((START, 7, 8, 9))
    want = encoder.pool_windows([open_end]).pooled
    assert furthest(encoder.pool_windows([open_end], base=base).pooled, want) <= 2e-5
    assert furthest(encoder.encode_windows([open_end], base=base).pooled, want) <= 2e-5
    assert furthest(encoder.pool_windows([open_end], base=open_end).pooled, want) <= 2e-5


def test_progress_counts_up_and_can_stop_the_work(encoder: TextEncoder) -> None:
    seen: list[tuple[int, int]] = []
    encoder.pool_windows(left_out(IDS[1]), progress=lambda done, total: seen.append((done, total)))
    assert [done for done, _ in seen] == list(range(1, seen[0][1] + 1))
    assert seen[0][1] % LAYERS == 0

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encoder.encode_windows([Window(IDS[0])], progress=stop)


def test_bfloat16_is_close(encoder: TextEncoder, tmp_path: Path) -> None:
    rough = load_encoder(write(tmp_path / "clip_l.safetensors", tensors()), "clip-l", device="cpu", precision="bfloat16", threads=1)
    got, want = rough.encode(IDS).pooled, encoder.encode(IDS).pooled
    cosines = (got * want).sum(1) / np.linalg.norm(got, axis=1) / np.linalg.norm(want, axis=1)
    assert cosines.min() > 0.999
    assert furthest(got, want) > 1e-4


# ---------------------------------------------------------------------------------------------- wrong use


@pytest.mark.parametrize(
    ("ids", "options", "message"),
    [
        ([(START, 49408, END)], {}, "id 49408"),
        ([(START, -1, END)], {}, "give a vector for its place"),
        ([window(1, length=78)], {}, "78 ids; this encoder reads 1 to 77"),
        ([window(1), window(1, length=70)], {}, "do not fit one array"),
        ([], {}, "no window"),
        ([window(1, 2)], {"hide": [[3]]}, "nor EOS (position 3)"),
        ([window(1, 2)], {"hide": [[0]]}, "first position"),
        ([window(1, 2)], {"hide": [[77]]}, "no position 77"),
        ([window(1, 2)], {"hide": []}, "0 entries for 1 windows"),
        ([window(1, 2)], {"vectors": [{1: [0.0] * 5}]}, "5 numbers; this encoder is 128 wide"),
        ([window(1, 2)], {"layer": "middle"}, "Known: 'last', 'penultimate'"),
        ([window(1, 2)], {"layer": 5}, "3 layers"),
        ([window(1, 2)], {"layer": 0}, "3 layers"),
    ],
)
def test_wrong_use_is_told(encoder: TextEncoder, ids: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(WeightsError) as caught:
        encoder.encode(ids, **options)
    assert message in str(caught.value)
