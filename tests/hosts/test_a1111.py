"""AUTOMATIC1111: what is removed, what is split, where chunks end, and the number the counter shows."""

from __future__ import annotations

from typing import Any

import pytest
from windows import said, sizes, use, weighed, words

from promptlens import analyze
from promptlens.hosts import Fix
from promptlens.report import Usage

END = 49407


def usage(prompt: str, model: str = "sd15", **options: Any) -> Usage:
    return analyze(prompt, host="a1111", model=model, **options).usage


# --- chunks and the counter: prompt, sizes of the chunks, number shown, largest number shown ---

CHUNKS: dict[str, tuple[str, str, int, int]] = {
    "nothing is one empty chunk": ("", "0", 0, 75),
    "75 words are one chunk": (words(75), "75", 75, 75),
    "76 words are two": (words(76), "75|1", 76, 150),
    "a comma 15 tokens back takes the words after it along": (f"{words(60)}, {words(20)}", "61|20", 95, 150),
    "a comma at 54 is too far back": (f"{words(54)}, {words(22)}", "75|2", 77, 150),
    "a comma at 55 is near enough": (f"{words(55)}, {words(22)}", "56|22", 97, 150),
    "a comma as the last token of a full chunk moves nothing": (f"{words(74)}, {words(3)}", "75|3", 78, 150),
    "a comma as the 76th token opens the next chunk": (f"{words(75)}, {words(3)}", "75|4", 79, 150),
    "the last of several commas counts": (f"{words(57)}, cat, {words(20)}", "60|20", 95, 150),
    "a comma glued to a quote is no comma": (f'{words(60)}", {words(20)}', "75|6", 81, 150),
    "a comma counts across weights": (f"({words(60)},:1.2) {words(20)}", "61|20", 95, 150),
    "a second chunk backtracks too": (f"{words(75)} {words(60)}, {words(20)}", "75|61|20", 170, 225),
    "a long word is cut anywhere": (f"{words(74)} photogrammetrically", "75|3", 78, 150),
    "BREAK parts": ("a BREAK b", "1|1", 76, 150),
    "BREAK first leaves an empty chunk": ("BREAK a", "0|1", 76, 150),
    "BREAK last adds no chunk": ("a BREAK", "1", 75, 75),
    "BREAK alone is one empty chunk": ("BREAK", "0", 75, 75),
    "two BREAKs leave an empty chunk between": ("a BREAK BREAK b", "1|0|1", 151, 225),
    "BREAK after a full chunk leaves none": (f"{words(75)} BREAK x", "75|1", 76, 150),
    "BREAK after a chunk and a word": (f"{words(76)} BREAK x", "75|1|1", 151, 225),
    "BREAK between commas": ("a,BREAK,b", "2|2", 77, 150),
    "break in lower case is a word": ("a break b", "3", 3, 75),
    "BREAK within brackets is a word": ("(a BREAK b:1.2)", "3", 3, 75),
    "a comma before a BREAK is forgotten after it": (f"{words(60)}, BREAK {words(76)}", "61|75|1", 151, 225),
}


@pytest.mark.parametrize(("prompt", "chunks", "shown", "most"), CHUNKS.values(), ids=CHUNKS)
def test_chunks_and_counter(prompt: str, chunks: str, shown: int, most: int) -> None:
    got = use(prompt, "a1111")
    assert sizes(got) == chunks
    assert (got.shown_count, got.capacity) == (shown, most)
    assert got.lost == ()


@pytest.mark.parametrize(
    ("backtrack", "chunks"),
    [
        pytest.param(0, "75|6", id="0 never moves anything"),
        pytest.param(14, "75|6", id="one fewer than needed does not"),
        pytest.param(15, "61|20", id="as many as needed do"),
        pytest.param(74, "61|20", id="nor does it move more"),
    ],
)
def test_comma_backtrack_is_a_setting(backtrack: int, chunks: str) -> None:
    assert sizes(use(f"{words(60)}, {words(20)}", "a1111", comma_padding_backtrack=backtrack)) == chunks


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        pytest.param("a (red:1.2) cat", "a · red 1.2 · cat", id="a weight belongs to its words"),
        pytest.param("((a:1.5) b:0.5)", "a 0.75 · b 0.5", id="nested weights multiply"),
        pytest.param("(a:1.2)(b:1.2)", "ab 1.2", id="neighbours of one weight become one word"),
        pytest.param("(a BREAK b:1.2)", "a 1.2 · break -1.2 · b 1.2", id="BREAK within brackets is a word of negative weight"),
        pytest.param("(BREAK:-1)", "break", id="and weighed by -1 a word of weight 1"),
        pytest.param("(a) BREAK [b]", "a 1.1 | b 0.9091", id="weights go on after a BREAK"),
    ],
)
def test_weights(prompt: str, text: str) -> None:
    assert weighed(use(prompt, "a1111")) == text


def test_without_emphasis_brackets_and_breaks_are_words() -> None:
    got = use("(a BREAK b:1.2)", "a1111", emphasis="None")
    assert said(got) == "( a break b : 1 . 2 )"
    assert weighed(got) == said(got)


def test_without_emphasis_the_rest_of_the_syntax_stays() -> None:
    lines = usage("(a) [b:c:0.5]<lora:x:1> AND d", emphasis="None").lines
    assert [line.text for line in lines] == ["(a) b", "(a) c", " d"]


# --- what is removed ---

REMOVED: dict[str, tuple[str, str, list[tuple[str, str]]]] = {
    "a comment to the end of the line": ("color #ff00aa, x", "color", [("comment", "#ff00aa, x")]),
    "a line of comment leaves one newline": ("a\n# note\nb", "a\nb", [("comment", "\n# note\n")]),
    "an extra network": ("a <lora:x:1> b", "a  b", [("network", "<lora:x:1>")]),
    "whatever its word": ("<foo:bar>a", "a", [("network", "<foo:bar>")]),
    "not with a blank before the word": ("< lora:x> a", "< lora:x> a", []),
    "not without a colon": ("<lora x> <x> a", "<lora x> <x> a", []),
    "a network that says BREAK": ("a <x:BREAK> b", "a  b", [("network", "<x:BREAK>")]),
    "a network that says AND": ("a <x: AND > b", "a  b", [("network", "<x: AND >")]),
    "a network in brackets": ("(a<lora:x:1>:1.2)", "(a:1.2)", [("network", "<lora:x:1>")]),
}


@pytest.mark.parametrize(("prompt", "left", "removed"), REMOVED.values(), ids=REMOVED)
def test_what_is_removed(prompt: str, left: str, removed: list[tuple[str, str]]) -> None:
    got = usage(prompt)
    assert [line.text for line in got.lines] == [left]
    assert [(f.kind, f.span.of(prompt)) for f in got.removed] == removed


def test_tokens_keep_their_places_around_what_was_removed() -> None:
    prompt = "red #1\n<lora:x:1>(blue:1.2)<lora:y:1> cat AND dog"
    got = usage(prompt)
    assert [[t.span.of(prompt) for t in line.encoders[0].tokens] for line in got.lines] == [["red", "blue", "cat"], ["dog"]]


# --- AND and prompt editing ---

PARTS: dict[str, tuple[str, list[tuple[str, float]]]] = {
    "AND splits": ("a cat AND a dog", [("a cat", 1), (" a dog", 1)]),
    "a part may end in its weight": ("a cat:2 AND a dog :0.5 ", [("a cat", 2), (" a dog", 0.5)]),
    "a weight may be negative": ("a AND b :-1", [("a", 1), (" b", -1)]),
    "a number at the end is a weight without AND too": ("a cat:4", [("a cat", 4)]),
    "white space at the end goes": ("a cat \n", [("a cat", 1)]),
    "also beside syntax": ("a (cat) ", [("a (cat)", 1)]),
    "an empty part is a part": ("a AND ", [("a", 1), ("", 1)]),
    "in lower case it is a word": ("a and b", [("a and b", 1)]),
    "within a word it is a word": ("SAND AND_ b", [("SAND AND_ b", 1)]),
    "beside a comma it splits": ("a,AND,b", [("a,", 1), (",b", 1)]),
}


@pytest.mark.parametrize(("prompt", "parts"), PARTS.values(), ids=PARTS)
def test_and(prompt: str, parts: list[tuple[str, float]]) -> None:
    got = usage(prompt).lines
    assert [(line.text, line.parsed.weight) for line in got] == parts
    assert [line.parsed.part for line in got] == list(range(len(parts)))


def test_the_negative_prompt_is_not_split() -> None:
    got = usage("a cat AND a dog:2 ", negative=True)
    assert [line.text for line in got.lines] == ["a cat AND a dog:2 "]
    assert said(got.encoders[0]) == "a cat and a dog : 2"


@pytest.mark.parametrize(
    ("prompt", "counted", "shown"),
    [
        pytest.param("a AND b c d AND e f", 1, 3, id="the heaviest part"),
        pytest.param("a b AND c d", 0, 2, id="the first of two alike"),
        pytest.param("[a:b c:0.5]", 1, 2, id="the heaviest text of a schedule"),
        pytest.param("a BREAK AND b c d", 0, 75, id="a closed chunk counts 75"),
        pytest.param("AND", 0, 0, id="nothing twice"),
    ],
)
def test_the_counter_counts_one_line(prompt: str, counted: int, shown: int) -> None:
    got = usage(prompt)
    assert (got.counted, got.encoders[0].shown_count) == (counted, shown)


def test_each_text_says_its_steps() -> None:
    got = usage("[cat:dog:0.5] [a|b] AND x", steps=4).lines
    assert [(line.text, line.parsed.part, line.parsed.steps) for line in got] == [
        ("cat a", 0, ((1, 1),)),
        ("cat b", 0, ((2, 2),)),
        ("dog a", 0, ((3, 3),)),
        ("dog b", 0, ((4, 4),)),
        (" x", 1, ()),
    ]


def test_a_text_used_again_is_one_line() -> None:
    assert [(line.text, line.parsed.steps) for line in usage("[a|b]", steps=5).lines] == [
        ("a", ((1, 1), (3, 3), (5, 5))),
        ("b", ((2, 2), (4, 4))),
    ]


# --- failures ---


@pytest.mark.parametrize("weight", ["1.2.3", ".", ".."])
def test_a_weight_that_is_no_number_is_the_hosts_error(weight: str) -> None:
    report = analyze(f"a (x:{weight}) b", host="a1111")
    assert report.usage.host_error == "ValueError"
    assert not report.ok
    assert report.usage.failure is not None
    assert report.usage.failure.span.of(report.usage.prompt) == weight
    assert [e.chunks for e in report.usage.encoders] == [(), ()]


# --- embeddings ---

INSTALLED = {"easynegative": 8, "pair": 2, "pair-long": 3, "ng_75": 75, "huge": 80}

EMBEDDED: dict[str, tuple[str, str, str]] = {
    "a name becomes its vectors": ("a pair b", "4", "a ! ! b"),
    "in any case": ("PAIR", "2", "! !"),
    "the longest name wins": ("pair-long", "3", "! ! !"),
    "a name is found within a word": ("easynegative2", "9", "! ! ! ! ! ! ! ! 2"),
    "a prefix is text": ("embedding:pair", "5", "embed ding : ! !"),
    "a name across weights is text": ("pa(ir)", "2", "pa ir"),
}


@pytest.mark.parametrize(("prompt", "chunks", "text"), EMBEDDED.values(), ids=EMBEDDED)
def test_embeddings(prompt: str, chunks: str, text: str) -> None:
    got = use(prompt, "a1111", embeddings=INSTALLED)
    assert (sizes(got), said(got)) == (chunks, text)  # a vector's place holds id 0, which alone would be "!"


FULL: dict[str, tuple[str, str]] = {
    "vectors that do not fit open a chunk, comma or not": (f"{words(60)}, {words(10)} easynegative", "71|8"),
    "vectors that just fit stay": (f"{words(67)} easynegative", "75"),
    "75 vectors get a chunk of their own": ("x ng_75", "1|75"),
    "more than 75 get a chunk no encoder can take": ("x huge y", "1|81"),
    "and an empty one before when they come first": ("huge", "0|80"),
}


@pytest.mark.parametrize(("prompt", "chunks"), FULL.values(), ids=FULL)
def test_vectors_are_never_parted(prompt: str, chunks: str) -> None:
    got = use(prompt, "a1111", embeddings=INSTALLED)
    assert "|".join(str(len(c.ids) - 2 - c.padding) for c in got.chunks) == chunks
    assert all(len(c.ids) == max(77, c.used + 2) for c in got.chunks)


def test_vectors_stay_behind_when_the_comma_takes_their_places_along() -> None:
    """The host's mistake: the places move to the next chunk, the note of where to write the vectors does not."""
    first, second = use(f"{words(60)}, {words(10)} pair {words(10)}", "a1111", embeddings=INSTALLED).chunks
    assert (first.used, first.fixes) == (61, (Fix(71, "pair", 2),))
    assert (second.used, second.fixes, second.ids[11:13]) == (22, (), (0, 0))


# --- the encoders ---


@pytest.mark.parametrize(
    ("model", "encoder", "after"),
    [
        pytest.param("sd15", 0, {END}, id="SD1 pads with its end token"),
        pytest.param("sdxl", 0, {END}, id="so does SDXL's first encoder"),
        pytest.param("sdxl", 1, {0}, id="its second pads with 0"),
        pytest.param("sd21", 0, {0}, id="so does SD2"),
    ],
)
def test_padding(model: str, encoder: int, after: set[int]) -> None:
    chunk = use("cat", "a1111", model, encoder).chunks[0]
    assert chunk.ids[:3] == (49406, 2368, END)
    assert set(chunk.ids[3:]) == after


def test_a_literal_end_token_blanks_the_rest_for_an_encoder_that_pads_with_0() -> None:
    prompt = "a cat <end_of_text> b c"
    got = use(prompt, "a1111", "sd21")
    assert got.chunks[0].ids == (49406, 320, 2368, END, *[0] * 73)
    assert [t.span.of(prompt) for t in got.lost] == ["b", "c"]
    assert got.shown_count == 5


def test_a_literal_end_token_stays_for_one_that_pads_with_it() -> None:
    got = use("a <|endoftext|> b", "a1111")
    assert got.chunks[0].ids[:5] == (49406, 320, END, 321, END)
    assert got.lost == ()


def test_sdxl_reads_each_encoder_with_a_tokenizer_of_its_own() -> None:
    assert said(use("R&amp;D <b>", "a1111", "sdxl", 0)) == "r & amp ; d < b >"
    assert said(use("R&amp;D <b>", "a1111", "sdxl", 1)) == "r & d < b >"
    assert said(use("wow!!!", "a1111", "sdxl", 1)) == "wow !!!"
    assert usage("R&amp;D <b>", "sdxl").encoders[0].shown_count == 8
