"""Files of one prompt a line are read in flat memory, with a word on how far it got."""

from __future__ import annotations

import io
import os
import tracemalloc
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptlens.sources import ReadSettings, UnreadableFile, _blocks, _document, read_prompts
from promptlens.sources._blocks import Block, Blocks, chars_of, plain_lines
from promptlens.sources._document import MAX_LINE_BYTES, Bom, Line, Undecodable, decode, document_lines, open_file, stream_lines

LINE = b"masterpiece, a cat in a red coat, rain, neon lights, 35mm\n"


@pytest.mark.parametrize(("name", "line"), [("big.txt", LINE), ("big.jsonl", b'{"prompt": "' + LINE.strip() + b'"}\n')])
def test_memory_stays_flat_however_many_prompts_there_are(name: str, line: bytes, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(line * 9_000)
    assert path.stat().st_size > 500_000
    prompts = read_prompts(path, settings=ReadSettings(max_bytes=1000))
    assert sum(1 for _ in islice(prompts, 1000)) == 1000
    tracemalloc.start()
    try:
        assert sum(1 for _ in prompts) == 8_000
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


def test_progress_says_how_many_bytes_of_how_many_are_read(tmp_path: Path) -> None:
    path = tmp_path / "big.txt"
    path.write_bytes(LINE * 60_000)
    said: list[tuple[int, int]] = []
    assert sum(1 for _ in read_prompts(path, settings=ReadSettings(progress=lambda done, size: said.append((done, size))))) == 60_000
    size = path.stat().st_size
    assert said[-1] == (size, size)
    assert [done for done, _ in said] == sorted({done for done, _ in said})
    assert 3 <= len(said) <= 5


@pytest.mark.parametrize("bom", ["strip", "keep"])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"a",
        b"a\n",
        b"\n\na\r\nb\rc\n\r\n",
        b"\r",
        b"a\r\r\nb",
        "\ufeffé\n🐻\r\nz".encode(),
        b"\xef\xbb\xbf",
        b"a\x0bb\x1cc\xc2\x85d\n",
    ],
)
def test_lines_of_a_stream_are_those_of_the_document(content: bytes, bom: Bom, tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_bytes(content)
    handle, size = open_file(str(path))
    with handle:
        streamed = list(stream_lines(handle, "x", size, bom=bom, undecodable="strict"))
    document = decode("x", content, bom=bom)
    assert streamed == list(document_lines(document))
    assert all(document.text[line.start : line.start + len(line.text)] == line.text for line in streamed)


def test_a_line_longer_than_any_prompt_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    with path.open("wb") as out:
        out.write(b"a cat\n")
        out.truncate(200_000_000)  # a hole: nothing is written
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableFile, match=r"x\.txt:2: this line is longer than"):
            list(read_prompts(path))
        assert tracemalloc.get_traced_memory()[1] < 4 * MAX_LINE_BYTES
    finally:
        tracemalloc.stop()


def test_a_file_that_must_be_read_whole_has_a_limit(tmp_path: Path) -> None:
    path = tmp_path / "x.prompt"
    path.write_bytes(b"a" * 2000)
    with pytest.raises(UnreadableFile, match="larger than 1,000 bytes"):
        list(read_prompts(path, settings=ReadSettings(max_bytes=1000)))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_named_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.txt")
    with pytest.raises(UnreadableFile, match="not a regular file"):
        list(read_prompts(tmp_path / "x.txt"))


BLOCK_LINES = st.sampled_from(
    [b"a cat", b"", b"caf\xc3\xa9", b"a\rb", b"\r", b"\xff", b"a\x00", b"\xef\xbb\xbf", b"x" * 30, b"\xe2\x80\xa8"]
)


@pytest.mark.parametrize("bom", ["strip", "keep"])
@pytest.mark.parametrize("undecodable", ["strict", "ignore"])
@given(lines=st.lists(BLOCK_LINES, max_size=9), end=st.booleans(), block_bytes=st.integers(1, 20))
def test_blocks_hold_the_lines_of_the_file(bom: Bom, undecodable: Undecodable, lines: list[bytes], end: bool, block_bytes: int) -> None:
    content = b"\n".join(lines) + (b"\n" if end else b"")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_blocks, "BLOCK_BYTES", block_bytes)
        patch.setattr(_blocks, "MAX_LINE_BYTES", 25)
        patch.setattr(_document, "MAX_LINE_BYTES", 25)
        slow = until_wrong(stream_lines(io.BytesIO(content), "a.txt", len(content), bom=bom, undecodable=undecodable))
        for read_ahead in (False, True):
            blocks = Blocks(io.BytesIO(content), "a.txt", len(content), bom=bom, undecodable=undecodable)
            assert until_wrong(lines_of(blocks, read_ahead=read_ahead)) == slow


def lines_of(blocks: Blocks, *, read_ahead: bool) -> Iterator[Line]:
    """The lines of blocks; with `read_ahead`, all are there before the first is read, and somebody else reads every other one."""
    for n, raw in enumerate([*blocks.raw()] if read_ahead else blocks.raw()):
        assert isinstance(raw, bytes)
        texts = plain_lines(raw)
        if read_ahead and n % 2 and texts is not None:
            yield from Block(texts, blocks.start, blocks.number).lines
            blocks.passed(raw, len(texts), chars_of(texts, raw))
        else:
            yield from blocks.lines(raw).lines


class Failing(io.BytesIO):
    """A file whose disk fails once a part was read."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell():
            raise OSError(5, "Input/output error")
        return super().read(size)


def test_what_went_wrong_comes_after_what_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_blocks, "BLOCK_BYTES", 6)
    first, wrong = Blocks(Failing(b"a cat\na dog\n"), "a.txt", 12, bom="strip", undecodable="strict").raw()
    assert first == b"a cat\n"
    assert str(wrong) == "a.txt: input/output error."


def until_wrong(lines: Iterable[Line]) -> tuple[list[Line], str]:
    """The lines up to what is wrong, and what that is."""
    found: list[Line] = []
    try:
        for line in lines:
            found.append(line)
    except UnreadableFile as error:
        return found, str(error)
    return found, ""
