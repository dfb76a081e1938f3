"""What ComfyUI's web page makes of a text before it is sent: known texts, with each letter where it is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from source_samples import DATA, QUICK, prompts_of

from promptlens.sources import FORMATS, Prompt, load_document, rewrite
from promptlens.sources._comfy_page import MAX_DEPTH, Drawn, sent

FILE = DATA / "comfy_page.json"


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("a (cat:1.2), [red], \\(round\\)", "a (cat:1.2), [red], \\(round\\)"),
        ("a cat // a draft\nred", "a cat \nred"),
        ("a /* old\n and older */cat", "a cat"),
        ("a cat /* never closed", "a cat /* never closed"),
        ("http://example", "http:"),
        ("{a cat} runs", "a cat runs"),
        ("{a {red} cat", "a red cat"),
        ('{"k": {"a": 1}}', '"k": "a": 1'),
        ("stray } and | stay", "stray } and | stay"),
        ("\\{a\\|b\\}", "{a|b}"),
        ("{a \\| b}", "a | b"),
        ("ends with \\", "ends with \\undefined"),
        ("{", ""),
        ("", ""),
    ],
)
def test_the_page_sends(written: str, text: str) -> None:
    assert "".join(stretch for stretch, _ in sent(written)) == text


@pytest.mark.parametrize("written", ["{a|b}", "{|}", "a {b {c|d}}", "{a // x|y\n|b}", "{" * (MAX_DEPTH + 2)])
def test_a_drawn_text_is_not_guessed(written: str) -> None:
    with pytest.raises(Drawn):
        sent(written)


@QUICK
@given(st.text(alphabet="ab {}|\\/*\n", max_size=30))
def test_each_stretch_stands_where_it_says(written: str) -> None:
    try:
        stretches = sent(written)
    except Drawn:
        return
    end = 0
    for text, at in stretches:
        if at is not None:
            assert end <= at
            assert written[at : at + len(text)] == text
            end = at + len(text)


@pytest.fixture
def found() -> dict[str, Prompt]:
    """The prompts of the file by key."""
    return {p.key: p for p in prompts_of(FILE)}


@pytest.mark.parametrize(
    ("key", "role", "text", "encoder"),
    [
        ("1.CLIPTextEncode.text", "positive", "a cat, \nred coat, (hat:1.2)", None),
        ("2.CLIPTextEncode.text", "negative", "blurry {braces}, a|b, \\(round\\)", None),
        ("7.CLIPTextEncode.text", "negative", '{"subject": "a // cat"}', None),  # over a wire: as it is
        ("9.CLIPTextEncode.text", "negative", "bad hands", None),  # from a primitive, which fills the encoder's own widget
        ("22:5.CLIPTextEncode.text", "negative", "{shown} by a subgraph", None),
        ("21.BNK_CLIPTextEncodeAdvanced.text", "positive", "{kept} as it is // too", None),
        ("10.CLIPTextEncodeSDXL.text_g", "positive", "a wide view", "clip-g"),
        ("10.CLIPTextEncodeSDXL.text_l", "positive", "a castle", "clip-l"),
        ("12.CLIPTextEncodeSDXLRefiner.text", "positive", "refined", None),
        ("18.CLIPTextEncodeSD3.clip_l", "positive", "short", "clip-l"),
        ("18.CLIPTextEncodeSD3.clip_g", "positive", "middle", "clip-g"),
        ("18.CLIPTextEncodeSD3.t5xxl", "positive", "a fox, in the rain", "t5-xxl"),
        ("19.CLIPTextEncodeHiDream.llama", "negative", "llama words", "llama"),
    ],
)
def test_texts_of_a_workflow(key: str, role: str, text: str, encoder: str | None, found: dict[str, Prompt]) -> None:
    prompt = found[key]
    assert (prompt.role, prompt.text, prompt.encoder, prompt.computed) == (role, text, encoder, None)


def test_a_choice_is_said_to_be_drawn(found: dict[str, Prompt]) -> None:
    prompt = found["3.CLIPTextEncode.text"]
    assert (prompt.text, prompt.writable) == ("", False)
    assert prompt.computed
    assert "drawn by the web page" in prompt.computed


def test_edits_around_a_comment_leave_it_where_it_is(found: dict[str, Prompt]) -> None:
    row = FORMATS["comfyui"]
    prompt = found["1.CLIPTextEncode.text"]
    edits = [(2, 5, "dog"), (prompt.text.index("hat"), prompt.text.index("hat") + 3, "cap")]
    after = rewrite(load_document(FILE, row), [(prompt, edits)], row)
    assert "a dog, // a draft\\nred /* or blue? */coat, (cap:1.2)" in after.text


def test_letters_after_a_comment_are_located(found: dict[str, Prompt]) -> None:
    prompt = found["1.CLIPTextEncode.text"]
    line, column = prompt.locate(prompt.text.index("hat"))
    assert FILE.read_text(encoding="utf-8").splitlines()[line - 1][column - 1 :].startswith("hat:1.2")


def test_a_change_that_the_page_would_undo_is_refused(found: dict[str, Prompt], tmp_path: Path) -> None:
    from promptlens.sources import NotWritable

    row = FORMATS["comfyui"]
    prompt = found["1.CLIPTextEncode.text"]
    with pytest.raises(NotWritable):
        rewrite(load_document(FILE, row), [(prompt, [(0, 1, "{a}")])], row)
