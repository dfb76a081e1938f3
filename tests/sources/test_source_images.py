"""Prompts inside pictures, made here as the programs write them."""

from __future__ import annotations

import io
import json
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest
from source_samples import DATA, prompts_of

from promptlens.sources import FORMATS, ReadSettings, UnreadableFile

INFOTEXT = "a cat, 🐻\nin rain\nNegative prompt: bad\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 8x8"
NOVELAI = {"sampler": "k_euler", "steps": 28, "seed": 1, "strength": 0.5, "noise": 0.2, "scale": 11, "uc": "bad"}
FOOOCUS = {"prompt": "a cat", "negative_prompt": "bad", "styles": "[]", "steps": 30, "base_model": "m", "base_model_hash": "h", "seed": 1}
FOOOCUS |= {"sampler": "dpmpp_2m", "scheduler": "karras", "guidance_scale": 4, "sharpness": 2, "metadata_scheme": "fooocus"}
SWARM = {"sui_image_params": {"prompt": "a cat", "negativeprompt": "bad"}, "sui_extra_data": {"original_prompt": "a <wildcard:x>"}}
OLD_INVOKEAI = {"app_id": "invoke", "image": {"prompt": [{"prompt": "a cat [bad]", "weight": 1}], "type": "txt2img", "sampler": "k_euler"}}
INVOKEAI = {"positive_prompt": "a cat", "negative_prompt": "bad", "seed": 1, "steps": 3, "scheduler": "euler", "cfg_scale": 3}


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of a PNG file."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(*chunks: bytes, size: tuple[int, int] = (1, 1)) -> bytes:
    """A grey picture with chunks before its pixels."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


def text(**named: str) -> bytes:
    """Text chunks as UTF-8."""
    return b"".join(chunk(b"iTXt", name.encode() + b"\0\0\0\0\0" + value.encode()) for name, value in named.items())


def with_comment(kind: str, comment: str) -> bytes:
    """A JPEG or WebP with a comment in its EXIF data."""
    image = pytest.importorskip("PIL.Image")
    exif = image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + comment.encode("utf-16-be")
    out = io.BytesIO()
    image.new("L", (8, 8)).save(out, kind, exif=exif.tobytes())
    return out.getvalue()


def texts(path: Path) -> list[tuple[str, str]]:
    """Role and text of each prompt of a picture."""
    return [(p.role, p.text) for p in prompts_of(path)]


@pytest.fixture
def installed() -> Any:
    """The optional package."""
    return pytest.importorskip("sd_parsers")


WEBUI = [("positive", "a cat, 🐻\nin rain"), ("negative", "bad")]
BOTH = [("positive", "a cat"), ("negative", "bad")]


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("chunks", "wanted"),
    [
        ({"parameters": INFOTEXT}, WEBUI),
        ({"Description": "a cat", "Comment": json.dumps(NOVELAI), "Source": "Stable Diffusion 81274D13"}, BOTH),
        ({"invokeai_metadata": json.dumps(INVOKEAI)}, BOTH),
        ({"sd-metadata": json.dumps(OLD_INVOKEAI)}, BOTH),
        ({"Dream": '"a cat [bad]" -s 20 -S 1 -W 512 -H 512 -C 7.5 -A k_euler'}, BOTH),
        ({"parameters": json.dumps(FOOOCUS), "fooocus_scheme": "fooocus"}, BOTH),
        ({"parameters": INFOTEXT, "fooocus_scheme": "a1111"}, WEBUI),
        ({"parameters": json.dumps(SWARM)}, BOTH),
        ({}, []),
        ({"Title": "holiday"}, []),
    ],
    ids=["webui", "novelai", "invokeai", "older", "oldest", "fooocus", "fooocus like webui", "swarmui", "no text", "other text"],
)
def test_text_chunks_of_a_png(chunks: dict[str, str], wanted: list[tuple[str, str]], tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(png(text(**chunks)))
    assert texts(path) == wanted


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(("kind", "name"), [("JPEG", "x.jpg"), ("WEBP", "x.webp")])
def test_exif_comments_of_one_picture_after_the_other(kind: str, name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    for number in range(40):  # a stale comment of the picture before would show
        path.write_bytes(with_comment(kind, INFOTEXT.replace("a cat", f"cat {number}")))
        assert texts(path)[0] == ("positive", f"cat {number}, 🐻\nin rain")


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(("kind", "name"), [("JPEG", "x.jpg"), ("WEBP", "x.webp")])
def test_settings_of_swarmui_in_an_exif_comment(kind: str, name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(with_comment(kind, json.dumps(SWARM)))
    assert texts(path) == BOTH


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("chunk_name", ["prompt", "workflow"])
def test_a_comfyui_graph_in_a_png_is_read_like_a_file(chunk_name: str, tmp_path: Path) -> None:
    file = DATA / ("comfy_api.json" if chunk_name == "prompt" else "comfy_ui.json")
    path = tmp_path / "x.png"
    path.write_bytes(png(text(**{chunk_name: file.read_text(encoding="utf-8")})))
    found = prompts_of(path)
    assert [p.text for p in found] == [p.text for p in prompts_of(file)]
    assert {(p.line, p.column, p.writable) for p in found} == {(1, 1, False)}
    assert all(p.key.startswith(chunk_name) for p in found)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (png(chunk(b"zTXt", b"parameters\0\0" + zlib.compress(b"a" * 50_000_000, 9))), "too large"),
        (png(size=(60_000, 60_000)), "too many pixels"),
        (png(text(prompt='{"a":' * 100_000)), "nested deeper"),
        (png(text(prompt='{"a": 1')), "not valid JSON"),
        (png()[:20], "cannot be read"),
        (b"GIF89a", "does not begin like"),
        (b"", "does not begin like"),
    ],
    ids=["zip bomb", "pixel bomb", "deep", "cut json", "cut", "other", "empty"],
)
def test_hostile_pictures_are_refused(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(content)
    with pytest.raises(UnreadableFile, match=words):
        texts(path)


def test_without_the_optional_package_the_way_out_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sd_parsers", None)
    path = tmp_path / "x.png"
    path.write_bytes(png(text(parameters=INFOTEXT)))
    with pytest.raises(UnreadableFile, match=r"pip install 'promptlens\[images\]'"):
        texts(path)


def test_pictures_are_read_from_files_only() -> None:
    assert FORMATS["images"].read is None
    assert ReadSettings().max_bytes > 1_000_000
