"""Damaged and hostile files: prompts, or one `UnreadableFile` of one line. Never another error, within bounded time and memory."""

from __future__ import annotations

import os
import random
import tracemalloc
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest
from bounds import processor_limit
from source_samples import KEYS, SAMPLES, Sample
from test_source_images import INFOTEXT, png, text

from promptlens.sources import Prompt, ReadSettings, UnreadableFile, read

SEED = 20260
COUNT = 200
PICTURE = Sample("images", "x.png", png(text(parameters=INFOTEXT)), [])
Damage = Callable[[random.Random, bytes], bytes]


def cut(rng: random.Random, content: bytes) -> bytes:
    return content[: rng.randrange(len(content) + 1)]


def flipped(rng: random.Random, content: bytes) -> bytes:
    found = bytearray(content)
    for _ in range(rng.randint(1, 8)):
        found[rng.randrange(len(found))] ^= 1 << rng.randrange(8)
    return bytes(found)


def shuffled(rng: random.Random, content: bytes) -> bytes:
    places = sorted(rng.sample(range(len(content) + 1), 3))
    return content[: places[0]] + content[places[1] : places[2]] + content[places[0] : places[1]] + content[places[2] :]


def recoded(rng: random.Random, content: bytes) -> bytes:
    whole = content.decode("utf-8", "replace") + "é"
    return whole.encode(rng.choice(["cp1252", "utf-16", "utf-16-le", "utf-32", "shift_jis", "utf-7"]), "replace")


def nested(rng: random.Random, content: bytes) -> bytes:
    at = rng.randrange(len(content) + 1)
    return content[:at] + rng.choice([b"[", b"{", b'{"a":', b"(", b"- ", b"a: [", b"'", b'"', b"\\"]) * 20_000 + content[at:]


def doubled(rng: random.Random, content: bytes) -> bytes:
    low, high = sorted(rng.sample(range(len(content) + 1), 2))
    return content[:high] + content[low:high] + content[high:]


def long_line(rng: random.Random, content: bytes) -> bytes:
    at = rng.randrange(len(content) + 1)
    return content[:at] + rng.choice([b"a", b"a ", b"\xc3\xa9", b"__a__", b'"', b",", b" "]) * 300_000 + content[at:]


def controls(rng: random.Random, content: bytes) -> bytes:
    at = rng.randrange(len(content) + 1)
    return (
        content[:at] + rng.choice([b"\x00", b"\x1b[31m", b"\r", b"\x7f", b"\xe2\x80\xa8", b"\xed\xa0\x80", b"\xef\xbb\xbf"]) + content[at:]
    )


DAMAGES: tuple[Damage, ...] = (cut, flipped, shuffled, recoded, nested, doubled, long_line, controls)


def read_all(path: Path, as_format: str | None = None, settings: ReadSettings | None = None) -> str:
    """What comes of a file: the number of its prompts, or the error's line."""
    try:
        items = list(read(path, as_format=as_format, settings=settings or ReadSettings()))
    except UnreadableFile as error:
        message = str(error)
        assert message.isprintable(), message
        assert message.startswith(str(path))
        assert message.endswith(".")
        assert len(message) < len(str(path)) + 600
        return message
    for item in items:
        assert item.line >= 1
        assert item.column >= 1
        if isinstance(item, Prompt):
            assert all(at >= 1 for offset in (0, len(item.text)) for at in item.locate(offset))
    return str(sum(isinstance(item, Prompt) for item in items))


@pytest.mark.parametrize("number", range(COUNT))
def test_a_damaged_file_gives_prompts_or_one_line(number: int, tmp_path: Path) -> None:
    rng = random.Random(SEED + number)
    sample = (*SAMPLES, PICTURE)[number % (len(SAMPLES) + 1)]
    if sample.format == "images":
        pytest.importorskip("sd_parsers")
    damage = DAMAGES[number // 3 % len(DAMAGES)] if sample.format != "images" else rng.choice([cut, flipped, shuffled, doubled, controls])
    path = sample._replace(content=damage(rng, sample.content)).write(tmp_path)
    with processor_limit(20):  # most take a few milliseconds
        read_all(path, sample.format, sample.settings)
        read_all(path, None, sample.settings)


def test_all_kinds_of_damage_are_done_to_all_formats() -> None:
    done = {(n % (len(SAMPLES) + 1), n // 3 % len(DAMAGES)) for n in range(COUNT)}
    assert len({sample for sample, _ in done}) == len(SAMPLES) + 1
    assert len(done) > 150


LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 10)}]\n" for i in range(9)
)
PAIRS = "a: &a {p: x, q: x}\n" + "".join(f"{chr(98 + i)}: &{chr(98 + i)} {{p: *{chr(97 + i)}, q: *{chr(97 + i)}}}\n" for i in range(24))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("wildcards/laughs.yaml", LAUGHS.encode()),
        ("wildcards/pairs.yaml", PAIRS.encode()),
        ("wildcards/deep.yaml", b"- " * 50_000 + b"x"),
        ("wildcards/deep.json", b"[" * 1_000_000),
        ("wildcards/wide.json", b"[" + b"[]," * 100_000 + b"[]]"),
        ("preset.json", b'{"default_prompt": ' + b'{"a":' * 300_000),
        ("run.toml", b"[prompt]\nprompt = " + b"[" * 50_000),
        ("run.toml", b"[prompt]\n" + b"a." * 50_000 + b"b = 1\n"),
        ("styles.csv", b'name,prompt\nA,"' + b"a" * 3_000_000),
        ("styles.csv", b"name,prompt\nA," + b"a" * 3_000_000),
        ("x.txt", b"a\nNegative prompt: b\nSteps: 1" + b" a" * 500_000),
        ("x.txt", b"--prompt a --steps 2\n" + b"'" * 900_001),
        ("x.jsonl", b'{"a": 1}\n[' * 200_000),
        ("x.caption", b"a" * 6_000_000),
        ("ui.json", b'{"nodes": [], "links": [' + b"[1,1,0,1,0,1]," * 100_000 + b'[]], "last_node_id": 1}'),
    ],
    ids=lambda v: v if isinstance(v, str) else len(v),
)
def test_hostile_files_cost_no_more_than_their_size(name: str, content: bytes, tmp_path: Path) -> None:
    path = Sample("", name, content, []).write(tmp_path)
    settings = ReadSettings(keys=(("**.a", "positive"),)) if name.endswith(".jsonl") else ReadSettings()
    tracemalloc.start()
    try:
        with processor_limit(60):
            read_all(path, "kohya-samples" if name == "run.toml" else None, settings)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 30 * len(content) + 120_000_000


def test_one_bad_file_does_not_stop_the_next(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{")
    (tmp_path / "b.txt").write_text("a cat")
    assert [read_all(p).isdigit() for p in sorted(tmp_path.iterdir())] == [False, True]


def test_a_bad_line_late_in_a_stream_comes_after_the_prompts_before_it(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_bytes(b"a cat\n" * 5 + b"b \xff\n")
    items = read(path)
    assert len(list(islice(items, 5))) == 5
    with pytest.raises(UnreadableFile, match=r"x\.txt:6:3: byte 0xFF is not UTF-8"):
        next(items)


def test_wrong_encoding_is_named_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "styles.csv"
    path.write_bytes("name,prompt\nA,caf\xe9\n".encode("cp1252"))
    assert read_all(path).endswith("styles.csv:2:6: byte 0xE9 is not UTF-8 text. Save the file as UTF-8.")


@pytest.mark.parametrize("name", ["x.yaml", "x.json"])
def test_bytes_that_are_no_text_in_a_structured_wildcard_are_named(name: str, tmp_path: Path) -> None:
    path = Sample("wildcards", f"wildcards/{name}", b'{"a": ["b",\n "\xf2"]}', []).write(tmp_path)
    assert f"{name}:2:3: bytes that are not UTF-8 stand here." in read_all(path)


@pytest.mark.parametrize("name", ["missing.txt", "folder", "loop.txt", "dangling.json", "a\x00b.txt", "x" * 300 + ".txt"])
def test_what_cannot_be_opened_is_one_line(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.symlink("loop.txt", tmp_path / "loop.txt")
    os.symlink("nowhere", tmp_path / "dangling.json")
    with pytest.raises(UnreadableFile) as caught:
        list(read(tmp_path / name))
    assert str(caught.value).isprintable()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("a cat")
    path.chmod(0)
    with pytest.raises(UnreadableFile, match="permission denied"):
        list(read(path))


def test_keys_lead_nowhere_in_a_file_of_another_shape(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text('[1, "a", null]')
    assert read_all(path, settings=KEYS) == "0"
