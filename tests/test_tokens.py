"""Tokens against references that know nothing of the package, and their places in the text."""

from __future__ import annotations

import random
import re
import unicodedata
from functools import lru_cache
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from reference_tokenizers import END, expected

from promptlens.errors import UnknownNameError
from promptlens.spans import Span, clusters, whole_clusters
from promptlens.tokens import Reading, tokenizer
from promptlens.vocab import START_ID

READINGS = {
    "slow-ftfy": Reading("slow-ftfy"),
    "slow-ftfy-bang": Reading("slow-ftfy", bang=True),
    "slow": Reading("slow"),
    "slow-bang": Reading("slow", bang=True),
    "fast": Reading("fast"),
    "fast-bang": Reading("fast", bang=True, fold=True),
    "open_clip": Reading("open_clip"),
}
ALL = pytest.mark.parametrize("reading", READINGS.values(), ids=READINGS)

# --- equality ---

NASTY = {
    "nothing": "",
    "blanks": " \t\n ",
    "a family joined by ZWJ": "👨‍👩‍👧‍👦 at the beach",
    "flags": "🇩🇪🇫🇷 🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "skin tones and hearts": "👍🏽 ❤️ ❤ 👩🏿‍🚀",
    "combining marks": "cafe\u0301 a\u0323\u0301 o\u0308\u0323 \u0301alone",
    "Zalgo": "".join(c + "\u0335\u0321\u031b\u0352\u0347" for c in "zalgo"),
    "ideographs and kana": "一只猫 日本語のプロンプト ｶﾅ 漢字cat",
    "compatibility ideographs": "豈更\ufa0e 𠀀𪜀",
    "Korean syllables and jamo": "한국 \u1112\u1161\u11ab\u1100\u116e\u11a8 \u1100",
    "a capital I with a dot": "İstanbul Iı",
    "sharp s": "Straße STRASSE ẞ",
    "sigmas": "ΣΟΦΟΣ Σ ΑΣ. ΑΣα",
    "ligatures": "ﬁre ﬂower ﬃ Ǆ ŉ ﷺ",
    "full-width letters": "ＡＢＣ１２！（ａ：１．２）",
    "control characters": "a\0b\x07c\x1b[31mred\x7f \x1c \x1f\x85",
    "invisible characters": "a\u200bb\u200dc\u2060d\u00ade\ufeff",
    "a byte-order mark first": "\ufeffa cat",
    "blanks of other kinds": "a\xa0b\u2003c\u3000d\u2028e\u180ef",
    "private use and the replacement character": "\ue000 \ufffd x",
    "Arabic, Hebrew, Devanagari, Thai": "مرحبا עברית नमस्ते สวัสดี ١٢٣",
    "numbers of every kind": "1girl 2023 ½ ² Ⅷ ① 3.14 1e5",
    "contractions": "it's DON'T we'Ve I'm l'll 'd glass'sx ''s 's' rock'n'roll",
    "punctuation runs": 'a",b ),( !!! ... ?!?! ((x)) [[y]] {z} \\( --ar 16:9',
    "underscores": "_x_ long_hair __wild__ a_b_1",
    "entities": "R&amp;D &lt;b&gt; &eacute; &notit; &#233; &#x1F600; &nbsp; &amp;amp;lt; &;",
    "entities beside a tag": "R&amp;D <b> &amp; &lt;",
    "mojibake": "cafÃ© â€œhiâ€\x9d ðŸ˜€ Å\x93",
    "curly quotes": "“it’s” ‘x’ «y»",
    "special tokens": "a<|endoftext|>b <|startoftext|>c",
    "special tokens in other cases": "x <|EndOfText|> y<|STARTOFTEXT|> z<|EndOfText|>👍",
    "special tokens of open_clip": "a<end_of_text>b <Start_Of_Text>",
    "special tokens that cleaning brings to light": "&lt;|endoftext|&gt; ＜|endoftext|＞",
    "exclamation marks": "wow!!! ! a!b (((!!! ！",
}


HUGE = {
    "ten thousand words": "cat " * 10_000,
    "ten thousand exclamation marks": "!" * 10_000,
    "ten thousand commas": ",a" * 5_000,
    "a thousand emoji": "👍" * 1_000,
    "a word of five thousand letters": "".join(random.Random(0).choices("abcdefghijklmnopqrstuvwxyz", k=5_000)),
}


@ALL
@pytest.mark.parametrize("text", NASTY.values(), ids=NASTY)
def test_ids_are_the_references(reading: Reading, text: str) -> None:
    assert tokenizer(reading).encode(text) == expected(text, reading)


@pytest.mark.parametrize("build", ["slow-ftfy-bang", "fast", "open_clip"])
@pytest.mark.parametrize("text", HUGE.values(), ids=HUGE)
def test_ids_of_a_very_long_text_are_the_references(build: str, text: str) -> None:
    assert tokenizer(READINGS[build]).encode(text) == expected(text, READINGS[build])


@lru_cache(maxsize=1)
def characters() -> str:
    """Every character of Unicode 3.2, for the tables of Python, Rust and Oniguruma differ in age.

    Left out are surrogates, and U+0345, which the Python builds' pattern drops in a way of its own.
    """
    old = unicodedata.ucd_3_2_0
    return "".join(c for c in map(chr, range(0x30000)) if c != "\u0345" and old.category(c) not in {"Cn", "Cs", "Co"})


BITS = [piece for text in NASTY.values() for piece in re.findall(r"\S+|\s", text)]
TEXTS = st.one_of(
    st.lists(st.sampled_from(BITS), max_size=8).map("".join),
    st.deferred(lambda: st.text(st.sampled_from(characters()), max_size=12)),
    st.text(st.characters(max_codepoint=0x24F), max_size=20),
)


@ALL
@settings(max_examples=40, deadline=None)
@given(text=TEXTS)
@example(text="'ſ it'ſ")
@example(text="\ufb05 'ﬅ")
def test_ids_of_arbitrary_text_are_the_references(reading: Reading, text: str) -> None:
    assert tokenizer(reading).encode(text) == expected(text, reading)


# --- what docs/hosts.md says, in pieces: "·" ends a word ---

SAID = [
    ("an entity with ftfy", "slow-ftfy", "&amp;", "&·"),
    ("an entity without", "slow", "&amp;", "&· amp· ;·"),
    ("an entity in the fast build", "fast", "&amp;", "&· amp· ;·"),
    ("an entity beside a tag with ftfy", "slow-ftfy", "R&amp;D <b>", "r· &· amp· ;· d· <· b· >·"),
    ("an entity beside a tag in open_clip", "open_clip", "R&amp;D <b>", "r· &· d· <· b· >·"),
    ("an entity of an entity with ftfy", "slow-ftfy", "&amp;lt;b&amp;gt;", "<· b· >·"),
    ("an entity of an entity in open_clip", "open_clip", "&amp;lt;b&amp;gt;", "<· b· >·"),
    ("a zero-width space with ftfy", "slow-ftfy", "a\u200bb", "a· âĢĭ· b·"),
    ("a zero-width space without", "slow", "a\u200bb", "ab·"),
    ("a zero-width space in the fast build", "fast", "a\u200bb", "a· âĢĭ· b·"),
    ("NUL with ftfy", "slow-ftfy", "c\0d", "cd·"),
    ("NUL without", "slow", "c\0d", "cd·"),
    ("NUL in the fast build", "fast", "c\0d", "c· Ā· d·"),
    ("ideographs without ftfy are words", "slow", "日本", "æĹ¥· æľ ¬·"),
    ("ideographs with ftfy are one", "slow-ftfy", "日本", "æĹ¥ æľ ¬·"),
    ("ideographs in the fast build are one", "fast", "日本", "æĹ¥ æľ ¬·"),
    ("ideographs in open_clip are one", "open_clip", "日本", "æĹ¥ æľ ¬·"),
    ("full-width letters with ftfy", "slow-ftfy", "ＡＢＣ", "abc·"),
    ("a mojibake quote with ftfy", "slow-ftfy", "â€œ", '"·'),
    ("each digit is a token", "fast", "8k 2023", "8· k· 2· 0· 2· 3·"),
    ("a comma hides in punctuation", "slow-ftfy", 'a",', 'a· ",·'),
    ("three exclamation marks are one", "fast", "wow!!!", "wow· !!!·"),
    ("but three where they pad", "fast-bang", "wow!!!", "wow· ! ! !"),
    ("and cut what is before them", "fast-bang", "(((!!!", "(((· ! ! !"),
    ("three where they pad, with ftfy", "slow-ftfy-bang", "wow!!!", "wow· ! ! !"),
    ("one in open_clip", "open_clip", "wow!!!", "wow· !!!·"),
    ("a contraction within a word", "fast", "glass'sx", "glass· 's· x·"),
    ("a special token", "slow", f"a{END}b", f"a· {END} b·"),
    ("a special token in other case with the Python builds", "slow", "<|EndOfText|>", END),
    ("a special token in other case with the fast one", "fast", "<|EndOfText|>", "< |· endof text· | >·"),
    ("a special token in other case with SDXL's second", "fast-bang", "<|EndOfText|>", END),
    ("open_clip has special tokens of its own", "open_clip", "<end_of_text>", END),
    ("and spells out the others", "open_clip", END, "< |· endof text· | >·"),
    ("U+0345 vanishes in the Python builds", "slow", "a \u0345 b", "a· b·"),
]


@pytest.mark.parametrize(("build", "text", "pieces"), [row[1:] for row in SAID], ids=[row[0] for row in SAID])
def test_pieces(build: str, text: str, pieces: str) -> None:
    read = tokenizer(READINGS[build])
    assert " ".join(read.vocabulary.piece(i) for i in read.encode(text)).replace("</w>", "·") == pieces


def test_a_capital_i_with_a_dot_is_two_tokens() -> None:
    assert all(tokenizer(reading).count("İ") == 2 for reading in READINGS.values())


def test_an_unknown_cleaning_is_named_with_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"Unknown cleaning 'quick'\. Known: slow-ftfy, slow, fast, open_clip\."):
        tokenizer(Reading("quick"))


# --- spans ---


@ALL
@settings(max_examples=40, deadline=None)
@given(text=TEXTS)
@example(text="&amp;&#233;ﬁÃ©")
def test_tokens_are_in_order_and_inside_the_text(reading: Reading, text: str) -> None:
    read = tokenizer(reading)
    pieces = read.pieces(text)
    assert [p.id for p in pieces] == read.encode(text)
    assert read.count(text) == len(pieces)
    assert all(0 <= p.start < p.end <= len(text) for p in pieces)
    assert all(a.start <= b.start and a.end <= b.end and a.word <= b.word for a, b in pairwise(pieces))
    edges = {0, *(s.end for s in clusters(text))}
    for piece in pieces:
        whole = whole_clusters(text, Span(piece.start, piece.end))
        assert {whole.start, whole.end} <= edges


@ALL
@settings(max_examples=30, deadline=None)
@given(text=st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="&"), max_size=40))
@example(text="a<START_OF_TEXT>b <|EndOfText|>c")
def test_in_plain_text_a_token_is_the_text_under_it(reading: Reading, text: str) -> None:
    read = tokenizer(reading)
    for piece in read.pieces(text):
        if piece.id < START_ID:  # open_clip spells its special tokens otherwise
            assert text[piece.start : piece.end].lower() == read.vocabulary.piece(piece.id).removesuffix("</w>")
    if "<" not in text and not (reading.bang and "!" in text):
        assert sum(map(read.count_word, text.split())) == len(read.encode(text))


UNDER = [  # what of the text each token covers
    ("an entity undone", "slow-ftfy", "R&amp;D", ["R", "&amp;", "D"]),
    ("an entity not undone", "slow", "R&amp;D", ["R", "&", "amp", ";", "D"]),
    ("two entities side by side", "slow-ftfy", "x &eacute; &lt;&gt; y", ["x", "&eacute;", "&lt;", "&gt;", "y"]),
    ("an entity of an entity of an entity", "open_clip", "a &amp;amp;lt; b", ["a", "&amp;amp;lt;", "b"]),
    ("the entities of a tag", "open_clip", "&lt;b&gt; <i>", ["&lt;", "b", "&gt;", "<", "i", ">"]),
    ("mojibake", "slow-ftfy", "a cafÃ© b", ["a", "cafÃ©", "b"]),
    ("mojibake of an emoji", "slow-ftfy", "a ðŸ˜€ b", ["a", "ðŸ˜€", "b"]),
    ("a mojibake quote", "slow-ftfy", "â€œcat", ["â€œ", "cat"]),
    ("a ligature", "slow-ftfy", "the ﬁre", ["the", "ﬁre"]),
    ("a ligature kept, in its bytes", "fast", "ﬁ", ["ﬁ", "ﬁ", "ﬁ"]),
    ("a full-width letter", "slow-ftfy", "Ａ ｂ", ["Ａ", "ｂ"]),
    ("a full-width exclamation mark", "slow-ftfy-bang", "a！", ["a", "！"]),
    ("an accent composed", "fast", "cafe\u0301 x", ["cafe\u0301", "x"]),
    ("an accent after a vanished character", "slow", "e\u200b\u0301 x", ["e\u200b\u0301", "x"]),
    ("a vanished character", "slow", "a\u200bb c", ["a\u200bb", "c"]),
    ("ideographs", "slow", "a日本b", ["a", "日", "本", "本", "b"]),
    ("jamo composed", "slow", "\u1112\u1161\u11ab x", ["\u1112\u1161\u11ab", "\u1112\u1161\u11ab", "x"]),
    ("a capital I with a dot", "fast", "aİ b", ["aİ", "İ", "b"]),
    ("an emoji of four bytes", "fast", "a 😀 b", ["a", "😀", "b"]),
    ("a special token", "slow-ftfy", f"“a{END}b”", ["“", "a", END, "b", "”"]),
]


@pytest.mark.parametrize(("build", "text", "under"), [row[1:] for row in UNDER], ids=[row[0] for row in UNDER])
def test_a_token_covers_exactly_what_it_was_made_of(build: str, text: str, under: list[str]) -> None:
    assert [text[p.start : p.end] for p in tokenizer(READINGS[build]).pieces(text)] == under


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("a cat", [0, 1], id="words are counted from 0"),
        pytest.param("don't stop", [0, 0, 1], id="a contraction belongs to its word"),
        pytest.param("1girl", [0, 0], id="letters and digits together are one word"),
        pytest.param("a, b", [0, 1, 2], id="punctuation is a word of its own"),
        pytest.param("supercalifragilistic x", [0, 0, 0, 0, 0, 1], id="a rare word is many tokens of one word"),
        pytest.param(f"a{END}b", [0, 1, 2], id="a special token parts words"),
    ],
)
def test_words_are_counted(text: str, words: list[int]) -> None:
    assert [p.word for p in tokenizer(Reading("slow-ftfy")).pieces(text)] == words
