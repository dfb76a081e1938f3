"""compel: what its syntax comes to, where long prompts are cut, and where it fails."""

from __future__ import annotations

import pytest
from bounds import calls_of, processor_limit
from windows import said, sizes, use, weighed, words

from promptlens import analyze

END = 49407

WEIGHTS: dict[str, tuple[str, str]] = {
    "a plus weighs 1.1": ("a cat+ b", "a · cat 1.1 · b"),
    "each one more": ("cat+++", "cat 1.331"),
    "a minus weighs 0.9": ("cat-- a", "cat 0.81 · a"),
    "a bracket with a number": ("(red cat)1.3 a", "red cat 1.3 · a"),
    "a bracket with signs": ("(red cat)-- a", "red cat 0.81 · a"),
    "quotes with a number": ('"red cat"0.5', "red cat 0.5"),
    "a bracket alone is nothing": ("(red) cat", "red cat"),
    "nested ones multiply": ("(a (b)1.5)0.5", "a 0.5 · b 0.75"),
    "attend": ("word.attend(1.5) a", "word 1.5 · a"),
    "attend with signs and blanks": ("word .attend ( -- )", "word 0.81"),
    "a number must follow at once": ("(a) 1.3", "a 1 . 3"),
    "a minus before a number is a sign": ("(a)-1.2 b", "a 0.9 · 1 . 2 b"),
    "a plus within a word is a letter": ("c+x d-e", "c + x d - e"),
    "a plus after a word of points is text": ("a.b++ c", "a . b ++ c"),
    "AUTOMATIC1111's weights are text": ("(word:1.2)", "word : 1 . 2"),
    "square brackets and BREAK are text": ("[x] BREAK", "[ x ] break"),
    "a blank is put after each comma": ("a,b", "a , b"),
    "so no comma is glued to what follows": ('a,"b', 'a , " b'),
    "unbalanced brackets are text": ("(a (b", "( a ( b"),
    "unbalanced quotes are text": ('"a b', '" a b'),
    "quotes do not reach over lines": ('"a\nb"', '" a b "'),
    "an escaped bracket": (r"\(a\)", "( a )"),
    "an escaped plus keeps its backslash": (r"a\+ b", "a \\ + b"),
    "a comma in brackets is on its own": ("(a, b)1.5", "a , b 1.5"),
}


@pytest.mark.parametrize(("prompt", "text"), WEIGHTS.values(), ids=WEIGHTS)
def test_weights(prompt: str, text: str) -> None:
    assert weighed(use(prompt, "compel")) == text


@pytest.mark.parametrize(
    ("prompt", "fragments"),
    [
        pytest.param("a cat+ on a mat", ["a", "cat", "on a mat"], id="a fragment for each weight"),
        pytest.param("(a)+ (b)+", ["a b"], id="neighbours of one weight are one"),
        pytest.param("(a, b)++", ["a , b"], id="joined by blanks"),
        pytest.param(r"\\\(a b c", ["(a b c"], id="escapes are undone once more with each word that is joined"),
        pytest.param('"a\\nb"', ["a b"], id="a newline written out in quotes"),
    ],
)
def test_fragments(prompt: str, fragments: list[str]) -> None:
    assert [f.text for f in analyze(prompt, host="compel").usage.fragments] == fragments


# --- several texts ---


def test_a_conjunction_sends_its_parts_in_turn() -> None:
    prompt = '("a cat", "a dog++", house).and(1, 0.5, 2)'
    usage = analyze(prompt, host="compel", model="sd15").usage
    assert weighed(usage.encoders[0]) == "a cat | a · dog 1.21 | house"
    assert usage.encoders[0].shown_count == 5
    assert [(line.text, line.parsed.part, line.parsed.weight, line.parsed.label) for line in usage.lines] == [
        ("a cat", 0, 1.0, "part 1"),
        ("a dog", 1, 0.5, "part 2"),
        ("house", 2, 2.0, "part 3"),
    ]
    assert [token.span.of(prompt) for token in usage.encoders[0].tokens] == ["a", "cat", "a", "dog", "house"]


def test_text_after_a_conjunction_is_never_read() -> None:
    prompt = '("a", "b").and() a lost tail'
    usage = analyze(prompt, host="compel").usage
    assert said(usage.encoders[0]) == "a | b"
    assert [(f.kind, f.span.of(prompt)) for f in usage.removed] == [("ignored", " a lost tail")]


def test_text_before_a_conjunction_makes_it_text() -> None:
    assert said(use('x ("a", "b").and()', "compel")) == "x a , b . and ()"


def test_a_blend_counts_its_first_member_and_shows_all() -> None:
    usage = analyze('("a cat", "dog").blend(0.7, 0.3)', host="compel", model="sd15").usage
    assert said(usage.encoders[0]) == "a cat"
    assert usage.encoders[0].shown_count == 2
    assert [(line.text, line.parsed.label, line.parsed.counted) for line in usage.lines] == [
        ("a cat", "blend 1 of 2", True),
        ("dog", "blend 2 of 2", False),
    ]
    assert [(m.kind, m.weight, m.normalize) for line in usage.lines if (m := line.parsed.mix)] == [
        ("blend", 0.7, True),
        ("blend", 0.3, True),
    ]


def test_a_blend_may_keep_its_weights_as_they_are() -> None:
    lines = analyze('("a", b).blend(1, -0.5, no_normalize)', host="compel").usage.lines
    assert [(m.weight, m.normalize) for line in lines if (m := line.parsed.mix)] == [(1.0, False), (-0.5, False)]


def test_a_swap_counts_the_original_and_shows_both() -> None:
    usage = analyze("a (big cat).swap(small dog, s_start=0.1) on a mat", host="compel", model="sd15").usage
    assert said(usage.encoders[0]) == "a big cat on a mat"
    assert [(line.text, line.parsed.label, line.parsed.counted) for line in usage.lines] == [
        ("a big cat on a mat", "original", True),
        ("a small dog on a mat", "replacement", False),
    ]
    assert [len(line.fragments) for line in usage.lines] == [3, 3]  # a swapped piece is tokenised on its own


def test_loras_are_taken_out() -> None:
    prompt = "withLora(one) a useLora(two, 0.5) cat"
    usage = analyze(prompt, host="compel").usage
    assert said(usage.encoders[0]) == "a cat"
    assert [(f.kind, f.span.of(prompt)) for f in usage.removed] == [("network", "withLora(one)"), ("network", "useLora(two, 0.5)")]


# --- where windows end: prompt, mode, sizes ---

SPLITS: dict[str, tuple[str, str, str]] = {
    "after the last sentence": (f"{words(30)}. {words(30)}, {words(30)}", "SENTENCES", "31|61"),
    "however short": (f"cat. {words(80)}", "SENTENCES", "2|75|5"),
    "or else the last phrase": (f"{words(30)}; {words(60)}", "SENTENCES", "31|60"),
    "a colon ends one too": (f"{words(30)}: {words(60)}", "PHRASES", "31|60"),
    "phrases before sentences": (f"{words(30)}. {words(30)}, {words(30)}", "PHRASES", "62|30"),
    "or else the last word": (f"{words(74)} photogrammetrically", "SENTENCES", "74|4"),
    "words only": (f"{words(30)}. {words(60)}", "WORDS", "75|16"),
    "anywhere": (f"{words(74)} photogrammetrically", "BRUTAL", "75|3"),
    "a rest that fits is never split": (f"{words(30)}. {words(44)}", "SENTENCES", "75"),
    "a point with no blank after it ends one too": (f"{words(30)}.a {words(60)}", "SENTENCES", "31|61"),
    "a word of more than 75 tokens is cut": ("xq" * 60, "SENTENCES", "75|44"),
}


@pytest.mark.parametrize(("prompt", "mode", "chunks"), SPLITS.values(), ids=SPLITS)
def test_splits(prompt: str, mode: str, chunks: str) -> None:
    got = use(prompt, "compel", split_long_text_mode=mode)
    assert sizes(got) == chunks
    assert got.lost == ()


def test_long_prompts_may_be_truncated() -> None:
    got = use(f"{words(30)}. {words(60)}", "compel", truncate_long_prompts=True)
    assert sizes(got) == "75"
    assert (got.shown_count, len(got.lost)) == (91, 16)


def test_why_a_window_ends() -> None:
    got = use(f"{words(30)}. {words(50)}, {words(40)}", "compel")
    assert [chunk.cut for chunk in got.chunks] == ["sentence", "comma", "end"]


@pytest.mark.parametrize(("model", "encoder", "pad"), [("sd15", 0, END), ("sdxl", 1, 0)])
def test_an_empty_prompt_is_padding(model: str, encoder: int, pad: int) -> None:
    assert use(" \t", "compel", model, encoder).chunks[0].ids == (49406, END, *[pad] * 75)


# --- where it fails ---

ERRORS: dict[str, tuple[str, str]] = {
    "nothing left to encode": ("()", "IndexError"),
    "only a lora": ("withLora(x)", "IndexError"),
    "a vertical tab": ("a\x0bb", "ParseException"),
    "a form feed at the end": ("a \f", "ParseException"),
    "text after a blend": ('("a", "b").blend(1, 1) c', "ParseException"),
    "weights that do not match the members": ('("a", "b").blend(1)', "ParsingException"),
    "the same for a conjunction": ('("a", "b").and(1)', "ParsingException"),
    "a weight that is no number": ('("a", "b").blend(foo)', "ValueError"),
    "no_normalize in a conjunction": ('("a", "b").and(no_normalize)', "ValueError"),
    "a swap in a blend": ('("a.swap(b)", "c").blend()', "ParsingException"),
    "a swap deeper in a blend": ('("(a.swap(b))++", "c").blend()', "ParsingException"),
    "an empty member of a blend": ('("a", ()).blend(1, 1)', "ParsingException"),
    "a swap in a swap": ("(a.swap(b)).swap(c)", "AttributeError"),
    "a shape freedom that is a word": ("a.swap(b, shape_freedom=high)", "TypeError"),
    "too many signs": ("a" + "+" * 8000, "OverflowError"),
    "a weight below 1 on no words": ('a ""-', "TypeError"),
    "brackets deeper than its parser goes": ("(" * 60 + "a" + ")" * 60, "RecursionError"),
}


@pytest.mark.parametrize(("prompt", "error"), ERRORS.values(), ids=ERRORS)
def test_errors(prompt: str, error: str) -> None:
    usage = analyze(prompt, host="compel").usage
    assert usage.host_error == error
    assert all(not use.chunks for use in usage.encoders)


def test_a_form_feed_before_a_blank_is_white_space() -> None:
    assert said(use("a\f b", "compel")) == "a b"


def test_a_weight_below_1_on_no_words_is_no_error_where_they_are_removed() -> None:
    assert said(use('a ""-', "compel", downweight_mode="REMOVE")) == "a"


def test_weights_of_a_conjunction_fail_with_a_pooled_encoder() -> None:
    assert analyze('("a", "b").and(1, 0.5)', host="compel", model="sdxl").usage.host_error == "AttributeError"
    assert analyze('("a", "b").and()', host="compel", model="sdxl").usage.host_error is None


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        pytest.param("(" * 40 + "a" + ")" * 40, "a", id="closed"),
        pytest.param("(" * 40 + "a", "((((((((((((((((((((((((((((((((((((((((a", id="unclosed"),
        pytest.param("((((((((((a b) c) d) e) f) g) h) i) j)+ k", "((((((((((a b) c) d) e) f) g) h) i) j)+ k", id="one short"),
    ],
)
def test_nested_brackets_take_no_time(prompt: str, text: str) -> None:
    """compel itself does not finish these in any useful time: it tries every bracket several times, and so on inward."""
    analyze(prompt, host="compel")  # what is loaded on first use
    with processor_limit(60):
        assert calls_of(lambda: analyze(prompt, host="compel").usage.fragments) < 20_000
    usage = analyze(prompt, host="compel").usage
    assert usage.host_error is None
    assert "".join(f.text for f in usage.fragments).replace(" ", "") == text.replace(" ", "").replace(")+", ")+")
