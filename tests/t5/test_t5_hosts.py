"""SD3, Flux and others in each host: windows of T5, what CLIP loses and T5 still reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from promptlens import HOSTS, MODELS, analyze
from promptlens.errors import VocabularyError
from promptlens.hosts import EncoderUse
from promptlens.report import Report

CAT, A, DOG = "▁cat", "▁a", "▁dog"


def t5(report: Report) -> EncoderUse:
    return next(use for use in report.usage.encoders if use.encoder.name == "t5-xxl")


def shape(use: EncoderUse) -> list[tuple[int, int, str]]:
    """Slots, tokens and why it ended, of each chunk."""
    return [(len(chunk.ids), chunk.used, chunk.cut) for chunk in use.chunks]


WINDOWS: dict[str, tuple[str, str, int, dict[str, Any], list[tuple[int, int, str]], int]] = {
    # host, model, words, options, chunks of T5, lost
    "ComfyUI fills Flux up to 256": ("comfyui", "flux", 10, {}, [(256, 10, "end")], 0),
    "ComfyUI fills SD3 up to 77": ("comfyui", "sd3", 10, {}, [(77, 10, "end")], 0),
    "ComfyUI never cuts": ("comfyui", "flux-schnell", 600, {}, [(601, 600, "end")], 0),
    "ComfyUI fills nothing up for Chroma": ("comfyui", "chroma", 10, {}, [(11, 10, "end")], 0),
    "ComfyUI uses the first 128 slots for HiDream": ("comfyui", "hidream", 200, {}, [(128, 127, "full")], 73),
    "diffusers keeps 511 of Flux dev": ("diffusers", "flux", 600, {}, [(512, 511, "full")], 89),
    "diffusers keeps 255 of schnell": ("diffusers", "flux-schnell", 600, {}, [(256, 255, "full")], 345),
    "diffusers keeps 255 of SD3": ("diffusers", "sd35", 256, {}, [(256, 255, "full")], 1),
    "what just fits diffusers": ("diffusers", "sd3", 255, {}, [(256, 255, "end")], 0),
    "diffusers keeps what it is told": ("diffusers", "sd3", 100, {"max_sequence_length": 77}, [(77, 76, "full")], 24),
    "kohya as diffusers": ("kohya", "flux", 600, {}, [(512, 511, "full")], 89),
    "kohya's own limit": ("kohya", "flux", 600, {"t5xxl_max_token_length": 100}, [(100, 99, "full")], 501),
    "Forge fills up to 256": ("forge", "flux", 10, {}, [(256, 10, "end")], 0),
    "Forge never cuts": ("forge", "sd3", 300, {}, [(301, 300, "end")], 0),
    "A1111 gives T5 as many slots as CLIP": ("a1111", "sd3", 10, {}, [(77, 10, "end")], 0),
    "A1111 cuts T5 where CLIP's chunks end": ("a1111", "sd3", 75, {}, [(77, 75, "end")], 0),
}


@pytest.mark.parametrize(("host", "model", "words", "options", "chunks", "lost"), WINDOWS.values(), ids=WINDOWS)
def test_windows(
    tiny_file: Path, host: str, model: str, words: int, options: dict[str, Any], chunks: list[tuple[int, int, str]], lost: int
) -> None:
    use = t5(analyze("cat " * words, host, model, t5_tokenizer=tiny_file, **options))
    assert (shape(use), use.lost_count) == (chunks, lost)
    cat = use.chunks[0].ids[0]
    for chunk in use.chunks:
        assert chunk.ids == (*(cat,) * chunk.used, 1, *(0,) * chunk.padding)
        assert len(chunk.weights) == len(chunk.ids)
    assert use.used + use.lost_count == words
    assert use.capacity - use.used == use.free


def test_a1111_cuts_the_end_token_too(tiny_file: Path) -> None:
    use = t5(analyze("xa " * 26, "a1111", "sd3", t5_tokenizer=tiny_file))  # three tokens a word for T5, fewer for CLIP
    assert (shape(use), use.lost_count) == ([(77, 77, "full")], 1)
    assert 1 not in use.chunks[0].ids


def test_weights_and_groups_of_comfyui(tiny_file: Path) -> None:
    report = analyze("(cat:1.5) dog embedding:pair", "comfyui", "flux", embeddings={"pair": 2}, t5_tokenizer=tiny_file)
    chunk = t5(report).chunks[0]
    assert chunk.weights[:5] == (1.5, 1.0, 1.0, 1.0, 1.0)
    assert chunk.ids[2:5] == (-1, -1, 1)
    assert [token.span.of(report.usage.prompt) for token in chunk.tokens[:2]] == ["cat", "dog"]


def test_break_parts_forge_and_its_counter_counts_the_text_as_typed(tiny_file: Path) -> None:
    report = analyze("(cat:1.2) BREAK a dog", "forge", "flux", t5_tokenizer=tiny_file)
    clip, use = report.usage.encoders
    assert shape(use) == [(256, 1, "break"), (256, 2, "end")]
    assert use.chunks[0].weights[:2] == (1.2, 1.0)
    assert clip.shown_count is None
    assert use.shown_count is not None
    assert use.shown_count > 3


def test_weights_never_reach_t5_in_a1111(tiny_file: Path) -> None:
    report = analyze("(cat:1.5) BREAK dog", "a1111", "sd3", t5_tokenizer=tiny_file)
    assert shape(t5(report)) == [(154, 2, "end")]
    assert set(t5(report).chunks[0].weights) == {1.0}
    assert report.usage.encoders[0].chunks[0].weights[1] == 1.5


def test_diffusers_quotes_from_clips_77th_slot_on_whatever_t5_keeps(tiny_file: Path) -> None:
    use = t5(analyze("cat " * 300, "diffusers", "sd3", t5_tokenizer=tiny_file))
    assert use.removed_text == " ".join(["cat"] * (300 - 76))
    assert t5(analyze("cat " * 255, "diffusers", "sd3", t5_tokenizer=tiny_file)).removed_text is None


def test_kohya_has_no_weighted_captions_for_flux(tiny_file: Path) -> None:
    assert analyze("(cat:1.2)", "kohya", "flux", weighted_captions=True, t5_tokenizer=tiny_file).usage.host_error == "NotImplementedError"


# --- what one loses and the other reads ---


def found(report: Report) -> list[tuple[str, str]]:
    return [(f.severity, f.message) for f in report.findings if f.code == "TB101"]


def test_what_clip_loses_and_t5_reads_is_not_lost(tiny_file: Path) -> None:
    report = analyze("cat " * 80, "diffusers", "flux", t5_tokenizer=tiny_file)
    ((severity, message),) = found(report)
    assert (severity, message[:72]) == ("info", "5 tokens never reach CLIP ViT-L/14; T5 v1.1 XXL still reads them: 'cat c")
    assert report.ok
    both = analyze("cat " * 80, "diffusers", "sd3", t5_tokenizer=tiny_file)
    assert [severity for severity, _ in found(both)] == ["warning"]
    assert both.ok


def test_what_no_encoder_reads_is_lost(tiny_file: Path) -> None:
    report = analyze("cat " * 600, "diffusers", "flux", t5_tokenizer=tiny_file)
    assert not report.ok
    assert {severity for severity, _ in found(report)} == {"error"}


def test_sdxl_is_as_strict_as_it_was() -> None:
    report = analyze("cat " * 80, "diffusers", "sdxl")
    assert not report.ok
    assert {severity for severity, _ in found(report)} == {"error"}


def test_the_model_names_its_host() -> None:
    assert analyze("a cat", model="flux").usage.host.name == "comfyui"
    assert analyze("a cat", model="pony").usage.host.name == "a1111"


# --- without the vocabulary ---


@pytest.mark.parametrize("model", ["flux", "sd3", "chroma", "hidream"])
@pytest.mark.parametrize("host", HOSTS)
def test_without_the_vocabulary_everything_else_works(host: str, model: str) -> None:
    if MODELS[model].family not in HOSTS[host].families:
        return
    for text in ("", "a cat", "cat " * 80, "(a:1.2) <break> BREAK b\nc"):
        report = analyze(text, host, model)
        use = t5(report)
        assert "promptlens encoders pull t5-xxl" in use.unknown
        assert (use.chunks, use.used, use.lost_count, use.capacity, use.free) == ((), 0, 0, 0, 0)
        assert report.ok, "what is not known changes no exit code"
        line = report.to_dict()["lines"][0]
        assert [bool(encoder["unknown"]) for encoder in line["encoders"]] == [e.vocabulary != "clip" for e in MODELS[model].encoders]


def test_a_file_that_is_named_and_not_there_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(VocabularyError, match="does not exist"):
        analyze("a cat", "comfyui", "flux", t5_tokenizer=tmp_path / "no.json")
