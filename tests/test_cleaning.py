"""What each tokenizer build does to text, and where each cleaned character came from."""

from __future__ import annotations

import unicodedata
from itertools import pairwise

import ftfy
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from promptlens.cleaning import CLEANINGS, MAX_COMPARED, Cleaned, _one_for_one, clean, clean_text, fix_text

# A row says of a prompt, piece by piece, what the build makes of it: ("&", "&amp;") is an ampersand made of five characters,
# ("", "\0") a character that vanishes, (" 日 ", "日") an ideograph set apart.
ROWS: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "ftfy undoes an entity": ("slow-ftfy", [("r", "R"), ("&", "&amp;"), ("d", "D")]),
    "ftfy undoes an entity of an entity": ("slow-ftfy", [("<", "&amp;lt;"), ("b", "b"), (">", "&amp;gt;")]),
    "ftfy leaves entities alone beside a tag": ("slow-ftfy", [("r&amp;d <b>", "R&amp;D <b>")]),
    "ftfy undoes entities until the line of a tag": ("slow-ftfy", [("&", "&amp;"), ("\n<b> &amp;", "\n<b> &amp;")]),
    "ftfy repairs mojibake": ("slow-ftfy", [("caf", "caf"), ("é", "Ã©"), (" x", " x")]),
    "ftfy repairs a mojibake quote": ("slow-ftfy", [('"', "â€œ"), ("hi", "hi")]),
    "ftfy repairs a mojibake emoji": ("slow-ftfy", [("a ", "a "), ("😀", "ðŸ˜€"), (" b", " b")]),
    "ftfy makes quotes straight": ("slow-ftfy", [('"', "“"), ("it", "it"), ("'", "’"), ("s", "s"), ('"', "”")]),
    "ftfy parts a ligature": ("slow-ftfy", [("fi", "ﬁ"), ("re", "re")]),
    "ftfy makes full-width letters narrow": ("slow-ftfy", [("a", "Ａ"), ("b", "Ｂ"), ("c!", "c！")]),
    "ftfy drops a control character": ("slow-ftfy", [("c", "c"), ("", "\0"), ("d", "d")]),
    "ftfy drops an escape sequence": ("slow-ftfy", [("a", "a"), ("", "\x1b[31m"), ("b", "b")]),
    "ftfy keeps a zero-width space": ("slow-ftfy", [("a\u200bb", "a\u200bb")]),
    "ftfy drops a byte-order mark": ("slow-ftfy", [("", "\ufeff"), ("a", "a")]),
    "ftfy composes an accent": ("slow-ftfy", [("caf", "caf"), ("é", "e\u0301")]),
    "a capital I with a dot becomes two characters": ("slow-ftfy", [("i\u0307", "İ"), ("x", "x")]),
    "a sigma at the end of a word is a final one": ("slow-ftfy", [("σας", "ΣΑΣ")]),
    "without ftfy an entity stays": ("slow", [("r&amp;d", "R&amp;D")]),
    "without ftfy a ligature stays": ("slow", [("ﬁre", "ﬁre")]),
    "without ftfy a zero-width space vanishes": ("slow", [("a", "a"), ("", "\u200b"), ("b", "b")]),
    "so do a joiner, a soft hyphen and a byte-order mark": ("slow", [("", "\ufeff"), ("a", "A"), ("", "\u200d\xad"), ("b", "B")]),
    "so do NUL and the replacement character": ("slow", [("c", "c"), ("", "\0\ufffd"), ("d", "d")]),
    "so does what Unicode leaves to private use": ("slow", [("c", "c"), ("", "\ue000"), ("d", "d")]),
    "a variation selector stays": ("slow", [("❤\ufe0f", "❤\ufe0f")]),
    "an ideograph is set apart": ("slow", [("a", "a"), (" 日 ", "日"), (" 本 ", "本"), ("b", "b")]),
    "kana are not": ("slow", [("かな", "かな")]),
    "a no-break space becomes a blank": ("slow", [("a", "a"), (" ", "\xa0"), ("b", "b")]),
    "accents are composed after what is between vanished": ("slow", [("é", "e\u200b\u0301")]),
    "the fast build keeps NUL": ("fast", [("c\0d", "c\0d")]),
    "the fast build keeps a zero-width space": ("fast", [("a\u200bb", "a\u200bb")]),
    "the fast build leaves an entity, a ligature and a full-width letter": ("fast", [("&amp;ﬁａ", "&amp;ﬁＡ")]),
    "the fast build composes an accent": ("fast", [("caf", "CAF"), ("é", "E\u0301"), ("x", "x")]),
    "the fast build composes a Korean syllable": ("fast", [("한", "\u1112\u1161\u11ab"), ("국", "국")]),
    "the fast build knows no final sigma": ("fast", [("σασ", "ΣΑΣ")]),
    "the fast build leaves ideographs together": ("fast", [("日本", "日本")]),
    "open_clip undoes an entity beside a tag": ("open_clip", [("r", "R"), ("&", "&amp;"), ("d <b>", "D <b>")]),
    "open_clip undoes three layers of entities": ("open_clip", [("<", "&amp;amp;lt;"), (" b", " b")]),
    "open_clip undoes a letter's entity": ("open_clip", [("caf", "caf"), ("é", "&eacute;"), (" é", " É")]),
    "open_clip undoes an entity by number": ("open_clip", [("é", "&#233;"), ("😀", "&#x1F600;")]),
    "open_clip undoes the beginning of a name": ("open_clip", [("¬", "&not"), ("it; <", "it; <")]),
    "an ampersand alone stays": ("open_clip", [("r & d", "R & D")]),
}


@pytest.mark.parametrize(("build", "pieces"), ROWS.values(), ids=ROWS)
def test_every_cleaned_character_knows_where_it_came_from(build: str, pieces: list[tuple[str, str]]) -> None:
    text = "".join(before for _, before in pieces)
    cleaned = clean(text, build)
    assert cleaned.text == "".join(after for after, _ in pieces)
    assert clean_text(text, build) == cleaned.text
    at = start = 0
    for after, before in pieces:
        blanks = 1 if after == f" {before} " else 0  # put around an ideograph, from nowhere
        inner = before if blanks else after
        if inner:
            assert cleaned.origin.range(at + blanks, at + blanks + len(inner)) == (start, start + len(before)), (after, before)
        if len(after) == len(before):
            each = [cleaned.origin.range(at + i, at + i + 1) for i in range(len(after))]
            assert each == [(start + i, start + i + 1) for i in range(len(after))]
        at += len(after)
        start += len(before)


def test_a_long_rewritten_stretch_is_mapped_as_a_whole() -> None:
    """Comparing letter by letter takes the square of the length."""
    text = "a " + "ﬁ" * (MAX_COMPARED + 1) + " b"
    cleaned = clean(text, "slow-ftfy")
    assert cleaned.text == ftfy.fix_text(text)
    assert cleaned.origin.range(0, 1) == (0, 1)
    assert cleaned.origin.range(2, 4) == (2, len(text) - 2)
    assert cleaned.origin.range(len(cleaned.text) - 1, len(cleaned.text)) == (len(text) - 1, len(text))


@pytest.mark.parametrize("build", CLEANINGS)
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("A cat, (red:1.2) [x] 8k #1", id="a plain prompt"),
        pytest.param("two\nlines\tand a\r\ntab", id="white space"),
    ],
)
def test_plain_text_changes_only_its_case(build: str, text: str) -> None:
    cleaned = clean(text, build)
    assert cleaned.text == text.lower()
    assert cleaned.origin.is_identity


@pytest.mark.parametrize("build", CLEANINGS)
def test_a_lone_surrogate_is_read_as_a_question_mark(build: str) -> None:
    cleaned = clean("a\ud800é", build)
    assert cleaned.text == "a?é"
    assert cleaned.origin.range(1, 2) == (1, 2)


# --- arbitrary text ---

BITS = [
    "cat",
    "A",
    "&amp;",
    "&lt;",
    "&eacute",
    "&",
    ";",
    "<",
    "Ã©",
    "â€œ",
    "ðŸ˜€",
    "ﬁ",
    "Ａ",
    "“",
    "’",
    "İ",
    "Σ",
    "ς",
    "ß",
    "e\u0301",
    "\u0301",
]
BITS += [
    "\u0323\u0301",
    "\u0345",
    "\u1112\u1161\u11ab",
    "\u1161",
    "日",
    "本",
    "👨‍👩‍👧",
    "🇩🇪",
    "\ufe0f",
    "\u200b",
    "\ufeff",
    "\xad",
    "\0",
    "\x1b[0m",
    "\x85",
]
BITS += [" ", "\n", "\xa0", "\u3000", "\u2028"]
TEXTS = st.one_of(
    st.lists(st.sampled_from(BITS), max_size=10).map("".join), st.text(st.characters(exclude_categories=["Cs", "Cn"]), max_size=12)
)


@pytest.mark.parametrize("build", CLEANINGS)
@settings(max_examples=40, deadline=None)
@given(text=TEXTS)
def test_origins_are_in_order_and_inside_the_text(build: str, text: str) -> None:
    runs = clean(text, build).origin.runs
    assert all(0 <= r.start <= r.end <= len(text) for r in runs)
    assert all(a.upto <= b.at and a.start <= b.start and a.end <= b.end for a, b in pairwise(runs))


def composed(text: str) -> str:
    return "".join(c.lower() for c in unicodedata.normalize("NFC", text))


@settings(max_examples=80, deadline=None)
@given(text=TEXTS)
@example(text="Σ\u0345Ά\u0301")
def test_each_stretch_of_the_fast_build_is_made_of_its_own_source_alone(text: str) -> None:
    cleaned = clean(text, "fast")
    assert cleaned.text == composed(text)
    assert [cleaned.text[r.at : r.upto] for r in cleaned.origin.runs] == [composed(text[r.start : r.end]) for r in cleaned.origin.runs]


def kept(cleaned: Cleaned, text: str) -> str:
    """What of the text some cleaned character claims to come from."""
    claimed: set[int] = set()
    for run in cleaned.origin.runs:
        claimed.update(range(run.start, run.end))
    return "".join(c for i, c in enumerate(text) if i in claimed)


@settings(max_examples=80, deadline=None)
@given(text=TEXTS)
def test_without_ftfy_all_but_control_characters_is_somewhere(text: str) -> None:
    cleaned = clean(text, "slow")
    gone = [c for c in text if c == "\ufffd" or (unicodedata.category(c)[0] == "C" and c not in "\t\n\r")]
    assert len(kept(cleaned, text)) >= len(text) - len(gone)
    assert cleaned.text.split() == clean(kept(cleaned, text), "slow").text.split()


@pytest.mark.parametrize("build", ["slow-ftfy", "open_clip"])
@settings(max_examples=40, deadline=None)
@given(text=TEXTS)
def test_what_ftfy_leaves_alone_is_where_it_was(build: str, text: str) -> None:
    """Words that ftfy does not touch, each of their letters found in its own place."""
    text = f"first {text} last"
    cleaned = clean(text, build)
    end = len(cleaned.text)
    assert [cleaned.origin.range(i, i + 1) for i in range(5)] == [(i, i + 1) for i in range(5)]
    assert [cleaned.origin.range(end - i, end - i + 1) for i in range(4, 0, -1)] == [
        (len(text) - i, len(text) - i + 1) for i in range(4, 0, -1)
    ]


# What ftfy is not asked for: characters of which it makes one of the same or a plain one. Accents and curly quotation marks beside each
# other may be a wrong encoding.
SIMPLE = [char for char in map(chr, range(0x110000)) if _one_for_one().fullmatch(char)]
WITH_SIGNS = st.text(
    st.sampled_from([char for char in SIMPLE if _one_for_one().fullmatch(char + "“") and not "一" < char < "龥"])
    | st.sampled_from("“”‘’—…，！ x")
)
WITH_ACCENTS = st.text(st.sampled_from([char for char in SIMPLE if _one_for_one().fullmatch(char + "é")]) | st.sampled_from("éàüłñ aeZ"))


def test_of_a_simple_character_ftfy_makes_the_same_or_a_plain_one() -> None:
    assert [char for char in SIMPLE if fix_text(char) != ftfy.fix_text(char) or len(fix_text(char)) != 1] == []
    assert {"é", "“", "，", "猫", "ł", "🍞"} <= {*SIMPLE}
    assert {*SIMPLE}.isdisjoint("&＆\r\x1b\x85\xa0Ã€™´œ\u3000\u3099\u0301")


@settings(max_examples=300, deadline=None)
@given(text=WITH_SIGNS | WITH_ACCENTS)
@example(text="“Beyoncé”")
@example(text="it’s ＆amp;")
def test_of_simple_text_ftfy_makes_what_is_told_without_it(text: str) -> None:
    assert fix_text(text) == ftfy.fix_text(text)
    if _one_for_one().fullmatch(text):
        cleaned = clean(text, "slow-ftfy")
        assert [cleaned.origin.range(n, n + 1) for n in range(len(text))] == [(n, n + 1) for n in range(len(text))]
