"""Each format reads what its host reads, and says where it stands."""

from __future__ import annotations

from pathlib import Path

import pytest
from source_samples import SAMPLES, Sample, notices_of, prompts_in, prompts_of, rows

import promptlens
from promptlens.errors import PromptLensError, UnknownNameError
from promptlens.sources import FORMATS, Prompt, ReadSettings, UnreadableFile, detect, load_document, read, read_prompts

WITH_PROMPTS = [sample for sample in SAMPLES if sample.prompts]


@pytest.mark.parametrize("sample", WITH_PROMPTS, ids=lambda s: s.name)
def test_prompts_are_those_the_host_reads(sample: Sample, tmp_path: Path) -> None:
    found = prompts_of(sample.write(tmp_path), sample.settings)
    assert [(p.role, p.text) for p in found] == sample.prompts
    assert {p.format for p in found} == {sample.format}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda s: s.name)
def test_every_character_of_a_prompt_is_located_where_the_file_says_it(sample: Sample, tmp_path: Path) -> None:
    row = FORMATS[sample.format]
    path = sample.write(tmp_path)
    lines = load_document(path, row).text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    checked = 0
    for prompt in prompts_of(path, sample.settings):
        if prompt.computed:
            continue
        assert not prompt.writable or prompt.locate(0) == (prompt.line, prompt.column)
        for offset, char in enumerate(prompt.text):
            line, column = prompt.locate(offset)
            there = lines[line - 1][column - 1 : column]
            if prompt.writable and char not in '"\\\n é':  # those may be written as escapes, or stand at the end of a line
                assert there == char, (prompt.key, offset)
                checked += 1
    assert checked > 3


@pytest.mark.parametrize("row", rows(), ids=lambda r: r.name)
def test_a_row_has_one_reader_and_is_named_like_its_file(row: object) -> None:
    assert isinstance(row, type(FORMATS["text"]))
    assert FORMATS[row.name] is row
    assert sum(r is not None for r in (row.read, row.read_lines, row.read_bytes)) == 1
    assert row.title
    assert row.summary.endswith(".")


def test_a_row_names_the_roles_that_its_prompts_have(tmp_path: Path) -> None:
    for sample in SAMPLES:
        assert {p.role for p in prompts_of(sample.write(tmp_path), sample.settings, sample.format)} <= set(FORMATS[sample.format].roles)


def test_reading_is_a_public_name(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("a cat\na dog", encoding="utf-8")
    assert [(p.text, p.line) for p in promptlens.read_prompts(path)] == [("a cat", 1), ("a dog", 2)]


@pytest.mark.parametrize(
    ("name", "content", "format_name"),
    [
        ("styles.csv", b"", "styles"),
        ("my_styles.csv", b"", "styles"),
        ("x.csv", b"name , prompt\n", "styles"),
        ("x.csv", b"a,b\n", None),
        ("x.txt", b"anything", "lines"),
        ("x.prompt", b"anything", "text"),
        ("X.PROMPT", b"", "text"),
        ("x.prompt", b"\n---\nmodel: a chat model\n---\n", None),
        ("x.txt", b"a cat\nNegative prompt: b\nSteps: 20, Sampler: Euler, Seed: 2", "infotext"),
        ("x.txt", b"a cat\nSteps: I like steps", "lines"),
        ("x.txt", b"a cat --d 3 --w 512\n", "kohya-samples"),
        ("x.txt", b"--prompt a --steps 2\n", "prompts-from-file"),
        ("x.txt", b"a cat -- a dog\n", "lines"),
        ("Wildcards/sub/x.txt", b"--prompt a", "wildcards"),
        ("Wildcards/x.md", b"# about", None),
        ("x.json", b'{"name": "a package", "version": "1"}', None),
        ("x.json", b'{"6": {"class_type": "CLIPTextEncode"}}', "comfyui"),
        ("x", b'{"6": {"class_type": "CLIPTextEncode"}}', "comfyui"),
        ("x.unknown", b"\x89PNG\r\n\x1a\n", "images"),
        ("x.jpg", b"", "images"),
        ("x.sh", b"draw --steps 20 --prompt x", None),
        ("x.yaml", b"a: b", None),
    ],
)
def test_formats_are_told_apart_by_name_then_by_content(name: str, content: bytes, format_name: str | None) -> None:
    found = detect(name, content)
    assert (found.name if found else None) == format_name


def test_a_txt_beside_an_image_is_a_caption(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(b"")
    (tmp_path / "1.txt").write_text("a cat\nmore")
    assert [(p.role, p.text) for p in read_prompts(tmp_path / "1.txt")] == [("caption", "a cat")]


def test_as_forces_a_format_and_an_unknown_one_gets_the_nearest_name(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("a cat\na dog")
    assert [p.text for p in prompts_of(path, as_format="text")] == ["a cat\na dog"]
    with pytest.raises(UnknownNameError, match="Did you mean 'comfyui'"):
        prompts_of(path, as_format="comfy")


def test_a_file_of_no_known_format_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "package.json"
    path.write_text("{}")
    with pytest.raises(UnreadableFile, match="--as"):
        prompts_of(path)


def test_the_unit_of_plain_text_can_be_set(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("a\nb")
    assert [p.text for p in prompts_of(path, ReadSettings(unit="file"))] == ["a\nb"]


def test_every_line_of_a_caption_counts_with_enable_wildcard(tmp_path: Path) -> None:
    path = tmp_path / "x.caption"
    path.write_text("a\n\nb\n")
    assert [p.text for p in prompts_of(path, ReadSettings(every_line=True))] == ["a", "b"]


def test_a_byte_order_mark_is_part_of_a_caption_as_the_trainer_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "x.caption"
    path.write_bytes(b"\xef\xbb\xbfa cat")
    assert [p.text for p in prompts_of(path)] == ["\ufeffa cat"]
    (tmp_path / "x.txt").write_bytes(b"\xef\xbb\xbfa cat")
    assert [p.text for p in prompts_of(tmp_path / "x.txt")] == ["a cat"]


def test_utf_16_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("é cat\nb", encoding="utf-16")
    assert [(p.text, p.line) for p in prompts_of(path)] == [("é cat", 1), ("b", 2)]


@pytest.mark.parametrize(
    ("name", "content", "kind", "line", "words"),
    [
        ("x.caption", b"a\nb\n", "ignored", 2, "only the first line"),
        ("x.caption", b"", "empty", 1, "empty"),
        ("x.caption", b" \n", "empty", 1, "empty"),
        ("jobs.txt", b"--prompt a\na --prompt x", "literal", 2, "the whole line is the prompt"),
        ("jobs.txt", b"--prompt a\n--prompt 'a", "literal", 2, "No closing quotation"),
        ("jobs.txt", b"--prompt a --sd_model x", "literal", 1, "--sd_model is not known"),
        ("jobs.txt", b"--prompt a --steps x", "literal", 1, "wants a whole number"),
        ("jobs.txt", b"--prompt a --steps", "literal", 1, "no value"),
        ("styles.csv", b"name,prompt\nA,x\nA,y\n", "duplicate", 3, "again"),
        ("styles.csv", b"name,prompt\nA\n", "missing", 2, "no field"),
        ("preset.json", b'{"default_prompt": "a",\n "default_prompt": "b"}', "duplicate", 2, "only this one"),
        ("wildcards/x.yaml", b"a: [x]\na: [y]\n", "duplicate", 2, "only this one"),
        ("wildcards/x.txt", b"a\n\xff\n", "bytes", 2, "dropped"),
    ],
)
def test_what_a_host_passes_over_is_noticed(name: str, content: bytes, kind: str, line: int, words: str, tmp_path: Path) -> None:
    found = notices_of(Sample("", name, content, []).write(tmp_path))
    assert [(n.kind, n.line) for n in found] == [(kind, line)]
    assert words in found[0].message


def test_a_key_said_twice_has_the_value_said_last(tmp_path: Path) -> None:
    path = tmp_path / "preset.json"
    path.write_text('{"default_prompt": "a", "default_prompt": "b"}')
    assert [p.text for p in prompts_of(path)] == ["b"]


def test_style_rows_without_a_name_column_are_refused() -> None:
    with pytest.raises(UnreadableFile, match="no column 'name'"):
        prompts_in(b"a,b\n1,2\n", FORMATS["styles"])


def test_invokeai_refuses_keys_it_does_not_know() -> None:
    with pytest.raises(UnreadableFile, match="'type'"):
        prompts_in(b'[{"name": "a", "prompt": "b", "type": "c"}]', FORMATS["invokeai"], "x.json")


def test_a_chat_template_is_no_prompt() -> None:
    with pytest.raises(UnreadableFile, match="chat template"):
        prompts_in(b"---\nmodel: x\n---\nhello", FORMATS["text"], "x.prompt")


def test_a_column_that_is_missing_is_named_with_those_there_are() -> None:
    with pytest.raises(UnreadableFile, match="its columns are: id, words"):
        prompts_in(b"id,words\n1,a\n", FORMATS["keyed"], "x.csv", ReadSettings(keys=(("text", "positive"),)))


def test_every_error_of_reading_is_one_of_ours() -> None:
    assert issubclass(UnreadableFile, PromptLensError)
    error = UnreadableFile("a\nb.txt", "it says \x1b[31m", line=3, column=4, hint="Do.")
    assert str(error) == "a\\nb.txt:3:4: it says \\x1b[31m. Do."


def test_a_prompt_is_a_value(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("a cat")
    first, second = next(iter(read(path))), next(iter(read(path)))
    assert isinstance(first, Prompt)
    assert first == second
    assert hash(first) == hash(second)
