"""The page that `check` prints: exact for chosen prompts, and right in its invariants for all recorded stress prompts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from golden_data import FILES, analyzed, synthetic
from wcwidth import wcswidth

from promptlens import analyze
from promptlens.render import Entry
from promptlens.render._draw import LOST, Drawing, drawing
from promptlens.render._page import page
from promptlens.render._runs import plain, visible_text
from promptlens.render._words import counter
from promptlens.render.full import write
from promptlens.report import Report
from promptlens.terminal import Screen

FAMILY = "👨‍👩‍👧‍👦"


def shown(text: str, host: str = "a1111", model: str = "sd15", *, width: int = 80, ascii: bool = False, **options: Any) -> str:
    """The plain page, without what rules find."""
    report = Report(analyze(text, host=host, model=model, **options).usage, ())
    return "".join(write([Entry(report, "<text>")], Screen(width, ascii=ascii)))


def test_a_short_prompt() -> None:
    assert shown("a cat", model="sdxl") == (
        "AUTOMATIC1111 · Stable Diffusion XL\n"
        "\n"
        "CLIP-L and CLIP-G: same split · 2 tokens in 1 chunk · the host counts 2/75\n"
        "  1 ╸────────────────────────  2/75  the prompt ends here\n"
        "\n"
        "  a cat\n"
        "\n"
        "Nothing is lost: every token reaches the model.\n"
    )


def test_markup_escapes_and_wide_letters_are_shown_as_they_are() -> None:
    text = "a [red] cat 日本 👍🏽 [bold]x[/bold] \x1b[31mred\x1b[0m\ttab \u202eback"
    assert "\n  a [red] cat 日本 👍🏽 [bold]x[/bold] \\x1b[31mred\\x1b[0m\\ttab \\u202eback\n" in shown(text)


def test_breaks_and_what_they_waste() -> None:
    assert shown("a BREAK BREAK (b:1.2) BREAK") == (
        "AUTOMATIC1111 · Stable Diffusion 1.x\n"
        "\n"
        "CLIP-L · 2 tokens in 3 chunks · the host counts 225/225\n"
        "  1 ╸────────────────────────  1/75  ended by BREAK, 74 places wasted\n"
        "  2 ─────────────────────────  0/75  ended by BREAK, 75 places wasted\n"
        "  3 ╸────────────────────────  1/75  ended by BREAK\n"
        "\n"
        "  a BREAK ┃2┃ BREAK ┃3┃ (b:1.2) BREAK\n"
        "\n"
        "Nothing is lost: every token reaches the model.\n"
    )


def test_a_comma_cut_is_marked_in_place() -> None:
    assert shown("red, " * 30 + "a fluffy catamaran, " * 5) == (
        "AUTOMATIC1111 · Stable Diffusion 1.x\n"
        "\n"
        "CLIP-L · 90 tokens in 2 chunks · the host counts 93/150\n"
        "  1 ━━━━━━━━━━━━━━━━━━━━━━━━─ 72/75  ends at its last comma, 3 places empty\n"
        "  2 ━━━━━━─────────────────── 18/75  the prompt ends here\n"
        "\n"
        "  red, red, red, red, red, red, red, red, red, red, red, red, red, red, red,\n"
        "  red, red, red, red, red, red, red, red, red, red, red, red, red, red, red, a\n"
        "  fluffy catamaran, a fluffy catamaran, ┃2┃ a fluffy catamaran, a fluffy\n"
        "  catamaran, a fluffy catamaran,\n"
        "\n"
        "Nothing is lost: every token reaches the model.\n"
    )


@pytest.mark.parametrize(("host", "said"), [("a1111", True), ("forge", True), ("diffusers", False), ("kohya", False), ("compel", False)])
def test_only_hosts_with_a_counter_are_said_to_count(host: str, said: bool) -> None:
    assert ("the host counts" in shown("a cat", host)) is said


def test_encoders_that_cut_differently_are_shown_apart() -> None:
    assert shown("wow!!! " * 20, "diffusers", "sdxl", width=72) == (
        "diffusers · Stable Diffusion XL\n"
        "\n"
        "CLIP-L · 40 tokens in 1 chunk\n"
        "  1 ━━━━━━━━━━━━━──────────── 40/75  the prompt ends here\n"
        "\n"
        "  wow!!! wow!!! wow!!! wow!!! wow!!! wow!!! wow!!! wow!!! wow!!! wow!!!\n"
        "  wow!!! wow!!! wow!!! wow!!! wow!!! wow!!! wow!!! wow!!! wow!!! wow!!!\n"
        "\n"
        "CLIP-G · 80 tokens in 1 chunk\n"
        "  1 ━━━━━━━━━━━━━━━━━━━━━━━━━ 75/75  full, the rest is lost\n"
        "\n"
        "  wow!!! wow!!! wow!!! wow!!! wow!!! wow!!! wow!!! wow!!! wow!!! wow!!!\n"
        "  wow!!! wow!!! wow!!! wow!!! wow!!! wow!!! wow!!! wow!!! wow!!┃lost┃!\n"
        "  wow!!!\n"
        "\n"
        "5 tokens never reach CLIP-G:\n"
        '  "! wow!!!"\n'
    )


def test_a_cut_within_a_word_is_said() -> None:
    words = "one " * 74
    assert 'full, the rest is lost, cuts "catamarantula" in two' in " ".join(shown(words + "catamarantula", "diffusers").split())
    assert "full, the rest is lost\n" in shown(words + "one two", "diffusers")


def test_a_mark_never_stands_within_a_cluster() -> None:
    said = shown(FAMILY * 20, "diffusers")
    before, after = said.partition("┃lost┃")[::2]
    assert before.endswith(FAMILY)
    assert after.startswith(FAMILY)
    assert f'45 tokens never reach the model:\n  "{FAMILY * 8}"\n' in said


def test_texts_of_a_prompt_with_and_and_editing() -> None:
    said = shown("<lora:x:1> cat # note\n[dog:fox:0.5] AND (bird:1.1) :0.7")
    assert said.splitlines()[2:8] == [
        "This prompt is 3 texts (AND and prompt editing). The host counts the longest,",
        "text 1, which is shown below.",
        "  1  2/75, 1 chunk · part 1, steps 1-10 · shown below",
        "  2  2/75, 1 chunk · part 1, steps 11-20",
        "  3  1/75, 1 chunk · part 2, weight 0.7",
        "",
    ]
    assert '\nComments, never read: "# note"\nExtra networks, taken out of the text: "<lora:x:1>"\n' in said
    assert "\n  <lora:x:1> cat # note↵\n  [dog:fox:0.5] AND (bird:1.1) :0.7\n" in said


def test_many_texts_are_cut_short() -> None:
    said = shown("[" + "|".join("abcdefghijklmnopqrst") + "]", steps=20)
    assert "  … 11 more texts …\n" in said
    assert " 20  " in said


def test_a_host_that_fails() -> None:
    assert shown("a\n(b:1.2.3)") == (
        "AUTOMATIC1111 · Stable Diffusion 1.x\n"
        "\n"
        "AUTOMATIC1111 fails on this prompt (ValueError), so nothing reaches the model.\n"
        "  The weight '1.2.3' is not a number; the host stops with an error on this\n"
        "  prompt.\n"
        "  line 2, column 4: a\\n(b:>>1.2.3<<)\n"
    )


def test_an_empty_prompt() -> None:
    assert shown("") == (
        "AUTOMATIC1111 · Stable Diffusion 1.x\n"
        "\n"
        "CLIP-L · 0 tokens in 1 chunk · the host counts 0/75\n"
        "  1 ─────────────────────────  0/75  no words\n"
        "\n"
        "The prompt is empty: the model gets no words.\n"
    )


def test_options_that_are_not_the_usual_ones_are_named() -> None:
    said = shown("easynegative, " * 3, embeddings={"easynegative": 70}, steps=30, comma_padding_backtrack=0)
    assert said.startswith("AUTOMATIC1111 · Stable Diffusion 1.x · comma_padding_backtrack=0, steps=30,\n  embeddings: 1\n")
    assert "71/75  the next embedding does not fit, 4 places\n" in said
    assert "easynegative, ┃2┃ easynegative, ┃3┃ easynegative," in said


def test_ascii_alone_is_enough() -> None:
    said = shown("日本 a BREAK b", ascii=True)
    assert said.isascii()
    assert "  1 #......" in said
    assert "\\u65e5\\u672c a BREAK |2| b\n" in said


def test_pages_are_apart() -> None:
    reports = [Report(analyze(text, model="sd15").usage, ()) for text in ("a", "b")]
    said = "".join(write([Entry(reports[0], "x.txt"), Entry(reports[1], "<negative>", "negative")], Screen()))
    assert said.count("\n\nAUTOMATIC1111 · Stable Diffusion 1.x · negative prompt\n") == 1
    assert said.startswith("AUTOMATIC1111 · Stable Diffusion 1.x · x.txt\n")


def test_colours_are_the_same_page() -> None:
    for text in ("red, " * 60, "a [red] BREAK 日本 👍🏽 \x1b[31m", "(x:1.2.3)"):
        entry = Entry(Report(analyze(text, model="sdxl").usage, ()), "<text>")
        coloured = "".join(write([entry], Screen(80, color=True)))
        assert "\x1b[" in coloured
        assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == "".join(write([entry], Screen(80)))


# A prompt of 10 MB: what counts is shown, the rest is counted.


@pytest.mark.parametrize(
    "unit", ["masterpiece, a red cat, ", "日本の桜 ", f"{FAMILY} ", "line\n", "a"], ids=["words", "cjk", "emoji", "lines", "one word"]
)
def test_a_very_long_prompt_is_shown_in_parts(unit: str) -> None:
    text = unit * (150_000 // len(unit))
    said = shown(text, "diffusers")
    assert len(said) < 8_000
    assert "┃lost┃" in said
    assert "characters not shown …" in said
    assert all(wcswidth(line) <= 80 for line in said.splitlines())


def test_what_is_left_out_is_counted() -> None:
    text = "masterpiece, a red cat, " * 5_000
    said = shown(text)
    left_out = sum(int(n.replace(",", "")) for n in re.findall(r"… ([\d,]+) characters not shown …", said))
    body = said.partition("\n\n  masterpiece")[2].partition("\n\nNothing")[0]
    kept = len("masterpiece" + re.sub(r"\s*… [\d,]+ characters not shown …\s*|┃\d+┃ ?", " ", body).replace("\n  ", " "))
    assert abs(left_out + kept - len(text)) < 40  # blanks at the ends of lines
    assert re.search(r"  … [\d,]+ more chunks, [\d,]+ tokens …\n", said)
    assert len(re.findall(r"┃\d+┃", said)) == 8


# All recorded stress prompts.

RECORDINGS = ["a1111", "a1111_openclip", "comfyui", "diffusers"]
PART = 10  # every tenth line


def some_rows(name: str) -> Iterator[dict[str, Any]]:
    yield from list(synthetic(name))[::PART]


@pytest.mark.parametrize("name", RECORDINGS)
def test_no_line_is_wider_than_the_terminal(name: str) -> None:
    for row in some_rows(name):
        entry = Entry(Report(analyzed(row, FILES.get(name, name)).usage, ()), "<text>")
        for width in (24, 47, 80):
            wide = [line for line in map(plain, page(entry, Screen(width))) if not 0 <= wcswidth(line) <= width]
            assert wide == [], row["id"]


@pytest.mark.parametrize("name", RECORDINGS)
def test_the_marked_prompt_is_the_prompt(name: str) -> None:
    """Without its marks and blanks, what is shown is what was typed."""
    for row in some_rows(name):
        usage = analyzed(row, FILES.get(name, name)).usage
        if usage.failure or "┃" in usage.prompt or not usage.prompt:
            continue
        pages = [*map(plain, page(Entry(Report(usage, ()), "<text>"), Screen(80)))]
        body = _squeezed("\n".join(pages).replace("↵", ""))
        want = _squeezed("".join(visible_text(line) for line in re.split("\r\n|\n", usage.prompt)).replace("↵", ""))
        assert want in re.sub("┃(?:[0-9]+|lost)┃", "", body), row["id"]


def _squeezed(text: str) -> str:
    return re.sub(" |\n", "", text)


@pytest.mark.parametrize("name", RECORDINGS)
def test_marks_stand_where_the_next_chunk_begins(name: str) -> None:
    """Each mark lies after the last token of what is before it and at or before the first token of its chunk, brackets aside."""
    checked = 0
    for row in some_rows(name):
        usage = analyzed(row, FILES.get(name, name)).usage
        for use in usage.encoders:
            drawn = drawing(usage.prompt, usage.fragments, use)
            checked += _checked_marks(drawn)
    assert checked > 20


def _checked_marks(drawn: Drawing) -> int:
    marks = drawn.marks()
    labels = [label for _, _, label in drawn.ranges]
    assert [m.label for m in marks] == (labels[1:] if labels and labels[0] == 0 else labels)
    assert [m.at for m in marks] == sorted(m.at for m in marks)
    by_label = {label: (start, end) for start, end, label in drawn.ranges if label != LOST and start < end}
    for mark in marks:
        if mark.label in by_label:
            first = drawn.tokens[by_label[mark.label][0]].span.start
            assert mark.at <= first
            assert set(drawn.prompt[mark.at : first]) <= set("([{")
    return len(marks)


@pytest.mark.parametrize("name", ["a1111", "a1111_openclip"])
def test_the_counter_reads_as_the_host_writes_it(name: str) -> None:
    rows = [row for row in synthetic(name) if isinstance(row.get("counter"), list)]
    assert len(rows) > 500
    wrong = []
    for row in rows:
        use = analyzed(row, "a1111").usage.encoders[0]
        if counter(use).replace(",", "") != "{}/{}".format(*row["counter"]):
            wrong.append((row["id"], counter(use), row["counter"]))
    assert wrong == []
