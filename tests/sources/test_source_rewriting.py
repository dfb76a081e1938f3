"""What is written back is read again as it was meant, and every byte outside the edit stays."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from source_samples import DATA, KEYS, QUICK, SAMPLES, Sample, prompts_in

from promptlens.sources import FORMATS, Document, Format, NotWritable, Prompt, ReadSettings, replace_text, rewrite, splice
from promptlens.sources._document import decode
from promptlens.sources._prompt import difference

ANY = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12) | st.text(
    alphabet="ab ,:#-'\"\\[]{}\n\t\r&*!|>%@`?1.~=\u2028\x85\u00e9😀", max_size=8
)
WRITABLE = [s for s in SAMPLES if s.format != "images"]


def opened(sample: Sample) -> tuple[Document, Format, list[Prompt]]:
    """A sample's document, format and prompts."""
    return _opened((*SAMPLES, *HOLD_ANYTHING).index(sample))


@cache
def _opened(number: int) -> tuple[Document, Format, list[Prompt]]:
    sample = (*SAMPLES, *HOLD_ANYTHING)[number]
    row = FORMATS[sample.format]
    document = decode(sample.name, sample.content, bom=row.bom, undecodable=row.undecodable)
    return document, row, prompts_in(sample.content, row, sample.name, sample.settings)


def places(prompt: Prompt) -> list[tuple[int, int]]:
    """The ranges of the file that hold a prompt."""
    own = [piece.place for piece in prompt.pieces if piece.place] + list(prompt.mirrors)
    return sorted((p.start, p.start + len(p.raw)) for p in own)


def outside(text: str, ranges: list[tuple[int, int]]) -> list[str]:
    """What of a text stands outside the ranges."""
    ends = [0, *(end for _, end in ranges)]
    starts = [*(start for start, _ in ranges), len(text)]
    return [text[a:b] for a, b in zip(ends, starts, strict=True)]


def stays(before: Document, after: Document, prompt: Prompt) -> bool:
    """Whether all that stands outside the prompt's places is the same before and after, in the same order."""
    first, *between, last = outside(before.text, places(prompt))
    at = len(first)
    for part in between:
        at = after.text.find(part, at) + len(part)
        if at < len(part):
            return False
    return after.text.startswith(first) and after.text.endswith(last) and len(after.text) - len(last) >= at


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda s: s.name)
def test_a_file_that_is_not_changed_is_the_same_to_the_byte(sample: Sample) -> None:
    document, row, prompts = opened(sample)
    assert document.to_bytes() == sample.content
    for prompt in prompts:
        assert replace_text(document.text, prompt, prompt.text) == document.text
    assert rewrite(document, [(p, []) for p in prompts], row, sample.settings).to_bytes() == sample.content


@pytest.mark.parametrize("sample", WRITABLE, ids=lambda s: s.name)
@QUICK
@given(new=ANY, pick=st.integers(0, 20))
@example(new="", pick=0)
@example(new="x, y: # 'z\"", pick=1)
def test_a_new_text_is_read_again_or_refused(sample: Sample, new: str, pick: int) -> None:
    document, row, prompts = opened(sample)
    ready = [p for p in prompts if p.writable]
    prompt = ready[pick % len(ready)]
    try:
        after = rewrite(document, [(prompt, difference(prompt.text, new))], row, sample.settings)
    except NotWritable:
        return
    again = prompts_in(after.to_bytes(), row, sample.name, sample.settings)
    assert again[[p.key + p.role for p in prompts].index(prompt.key + prompt.role)].text == new
    assert stays(document, after, prompt)
    shared = set(places(prompt))
    for old, now in zip(prompts, again, strict=True):
        assert old.text == now.text or shared & set(places(old))


def template(content: bytes, row: str, name: str, settings: ReadSettings = KEYS) -> Sample:
    """A file with one prompt between two others."""
    return Sample(row, name, content, [], settings)


HOLD_ANYTHING = [
    template(b'{"items": [{"text": "1"}, {"text": "a \\u00e9 b"}, {"text": "3"}]}', "keyed", "x.json"),
    template(b'{"items": [{"text": "1"}, {"text": "plain"}, {"text": "3"}]}', "keyed", "x.json"),
    template(b'items:\n- text: "1"\n- text: plain words\n- text: "3"\n', "keyed", "x.yaml"),
    template(b"items:\n- text: a\n- text: 'it''s'\n- text: c\n", "keyed", "x.yaml"),
    template(b'items:\n- text: a\n- text: "x\\n y"\n- text: c\n', "keyed", "x.yaml"),
    template(b"items:\n- text: a\n- text: |\n    two\n      lines\n- text: c\n", "keyed", "x.yaml"),
    template(b"items:\n- text: a\n- text: >-\n    two\n    lines\n\n    more\n- text: c\n", "keyed", "x.yaml"),
    template(b"items: [{text: a}, {text: flow words}, {text: c}]\n", "keyed", "x.yaml"),
    template(b'[[items]]\ntext = "a"\n[[items]]\ntext = "b \\u00e9"\n[[items]]\ntext = "c"\n', "keyed", "x.toml"),
    template(b"[[items]]\ntext = 'a'\n[[items]]\ntext = 'b'\n[[items]]\ntext = 'c'\n", "keyed", "x.toml"),
    template(b'[[items]]\ntext = "a"\n[[items]]\ntext = """\nb\n  d"""\n[[items]]\ntext = "c"\n', "keyed", "x.toml"),
    template(b"[[items]]\ntext = 'a'\n[[items]]\ntext = '''\nb\n'''\n[[items]]\ntext = 'c'\n", "keyed", "x.toml"),
    template(b"items,z\n1,a\nplain,b\n3,c\n", "keyed", "x.csv", ReadSettings(keys=(("items", "positive"),))),
    template(b'items,z\r\n1,a\r\n"quo""ted",b\r\n3,c\r\n', "keyed", "x.csv", ReadSettings(keys=(("items", "positive"),))),
    template(b'{"text": "1"}\n{"text": "b"}\n{"text": "3"}\n', "jsonl", "x.jsonl", ReadSettings(keys=(("text", "positive"),))),
]


@pytest.mark.parametrize("sample", HOLD_ANYTHING, ids=lambda s: f"{s.name}-{HOLD_ANYTHING.index(s)}")
@QUICK
@given(new=ANY.filter(bool))
def test_structured_files_hold_any_text(sample: Sample, new: str) -> None:
    document, row, prompts = opened(sample)
    assert len(prompts) == 3
    after = rewrite(document, [(prompts[1], difference(prompts[1].text, new))], row, sample.settings)
    again = [p.text for p in prompts_in(after.to_bytes(), row, sample.name, sample.settings)]
    assert again == [prompts[0].text, new, prompts[2].text]
    assert stays(document, after, prompts[1])


@pytest.mark.parametrize(
    ("name", "before", "old", "new", "after"),
    [
        ("x.json", '{"items":[{"text":"caf\\u00e9, x"}]}', "x", "é", '{"items":[{"text":"caf\\u00e9, \\u00e9"}]}'),
        ("x.json", '{"items":[{"text":"a\\/b \\u0041"}]}', "b", "é", '{"items":[{"text":"a\\/é \\u0041"}]}'),
        ("x.yaml", "items:\n- text: red cat # why\n", "red", "blue", "items:\n- text: blue cat # why\n"),
        ("x.yaml", "items:\n- text: red cat # why\n", "red", "r: d", 'items:\n- text: "r: d cat" # why\n'),
        ("x.yaml", "items:\n- text: 'red cat'\n", "red", "it's", "items:\n- text: 'it''s cat'\n"),
        ("x.yaml", 'items:\n- text: "\\x72ed cat"\n', "cat", "é", 'items:\n- text: "\\x72ed é"\n'),
        ("x.yaml", "items:\r\n- text: |\r\n    a\r\n    cat\r\n", "cat", "dog\nb", "items:\r\n- text: |\r\n    a\r\n    dog\r\n    b\r\n"),
        ("x.toml", "items = [{text = 'a cat'}] # why", "cat", "dog", "items = [{text = 'a dog'}] # why"),
        ("x.toml", "items = [{text = 'a cat'}] # why", "cat", "it's", 'items = [{text = "a it\'s"}] # why'),
    ],
)
def test_an_edit_keeps_the_way_a_file_is_written(name: str, before: str, old: str, new: str, after: str) -> None:
    row = FORMATS["keyed"]
    (prompt,) = prompts_in(before.encode(), row, name, KEYS)
    at = prompt.text.index(old)
    assert splice(before, prompt, [(at, at + len(old), new)]) == after


def test_edits_far_apart_leave_what_is_between_them_alone() -> None:
    text = '{"default_prompt": "a\\u0020b \\/ c\\u0020d"}'
    (prompt,) = prompts_in(text.encode(), FORMATS["fooocus"])
    assert prompt.text == "a b / c d"
    assert splice(text, prompt, [(0, 1, "A"), (8, 9, "D")]) == '{"default_prompt": "A\\u0020b \\/ c\\u0020D"}'


def test_edits_of_several_prompts_are_made_at_once() -> None:
    content = "name,prompt,negative_prompt\nA,a cat,bad\nB,b,worse\n"
    document, row = Document("styles.csv", content), FORMATS["styles"]
    prompts = prompts_in(content.encode(), row, "styles.csv")
    after = rewrite(document, [(prompts[0], [(2, 5, "dog, red")]), (prompts[3], [(0, 5, "x")])], row)
    assert after.text == 'name,prompt,negative_prompt\nA,"a dog, red",bad\nB,b,x\n'


def test_a_file_that_changed_since_it_was_read_is_not_written() -> None:
    (prompt,) = prompts_in(b"a cat", FORMATS["lines"])
    with pytest.raises(NotWritable, match="has changed"):
        splice("a dog", prompt, [(0, 1, "b")])
    with pytest.raises(NotWritable, match="has changed"):
        rewrite(Document("file", "a dog"), [(prompt, [(0, 1, "b")])], FORMATS["lines"])


@pytest.mark.parametrize(
    ("row", "content", "new"),
    [
        ("lines", b"a\nb\n", "two\nlines"),
        ("lines", b"a\nb\n", " a"),
        ("lines", b"a\nb\n", ""),
        ("kohya-samples", b"a --w 1\n", "b --w 2"),
        ("wildcards", b"a\nb\n", "# no"),
        ("infotext", b"a\nSteps: 1, Seed: 2, Size: 3", "a\nNegative prompt: b"),
        ("prompts-from-file", b"--prompt a --negative_prompt b", "a\nb"),
    ],
)
def test_a_text_that_a_format_cannot_hold_is_refused(row: str, content: bytes, new: str) -> None:
    document = decode("x.txt", content)
    prompt = prompts_in(content, FORMATS[row], "x.txt")[0]
    with pytest.raises(NotWritable, match=r"x\.txt"):
        rewrite(document, [(prompt, difference(prompt.text, new))], FORMATS[row])


def test_a_text_kept_twice_is_changed_twice() -> None:
    content = (DATA / "comfy_subgraphs.json").read_bytes()
    row = FORMATS["comfyui"]
    prompt = next(p for p in prompts_in(content, row) if p.text == "set on the node")
    after = splice(content.decode(), prompt, [(0, 3, "put")])
    assert after.count("put on the node") == 2
    assert after.count("set on the node") == 0


def test_a_joined_text_can_be_changed_within_its_parts_only() -> None:
    content = (DATA / "comfy_api.json").read_bytes()
    prompt = next(p for p in prompts_in(content, FORMATS["comfyui"]) if p.encoder == "clip-g")
    assert prompt.text.startswith("a castle, blurry")
    assert '"a big castle"' in splice(content.decode(), prompt, [(2, 2, "big ")])
    with pytest.raises(NotWritable, match="different places"):
        splice(content.decode(), prompt, [(2, 12, "x")])


def test_a_text_made_at_run_time_cannot_be_changed() -> None:
    content = (DATA / "comfy_api.json").read_bytes()
    prompt = next(p for p in prompts_in(content, FORMATS["comfyui"]) if p.computed)
    with pytest.raises(NotWritable, match="made at run time by node 13"):
        splice(content.decode(), prompt, [(0, 0, "x")])


def test_bytes_that_are_no_text_stay_where_they_are() -> None:
    content = b"blue \xe9 sky\nred\n"
    row = FORMATS["wildcards"]
    document = decode("x.txt", content, undecodable="ignore")
    first, second = prompts_in(content, row, "x.txt")
    after = rewrite(document, [(first, [(0, 4, "grey")]), (second, [(0, 3, "x")])], row)
    assert after.to_bytes() == b"grey \xe9 sky\nx\n"
