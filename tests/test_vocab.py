"""The vocabulary against one that the test builds itself: ids from the shipped merges, byte-pair encoding by `tokenizers`."""

from __future__ import annotations

import hashlib
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_vocabulary import encoded, reference, shipped

from promptlens.errors import UnknownNameError, VocabularyError
from promptlens.vocab import (
    END_ID,
    LONG_WORD_BYTES,
    MANY_WORDS,
    MERGES,
    SIZE,
    START_ID,
    VOCABULARIES,
    Vocabulary,
    VocabularyFile,
    load,
    merges_text,
)

# --- the table ---


def test_the_shipped_merges_are_the_published_ones() -> None:
    assert hashlib.sha256(shipped()).hexdigest() == VOCABULARIES["clip"].sha256
    assert shipped().count(b"\n") == MERGES
    assert merges_text(VOCABULARIES["clip"]).encode() == shipped()


def test_every_id_has_the_piece_of_the_published_vocabulary() -> None:
    ids, _ = reference()
    assert len(load("clip")) == SIZE == len(ids)
    assert [load("clip").piece(i) for i in range(SIZE)] == list(ids)


@pytest.mark.parametrize("token_id", [-1, SIZE, 10**9])
def test_an_id_outside_the_vocabulary_is_refused(token_id: int) -> None:
    with pytest.raises(VocabularyError, match=rf"{token_id} is not in the CLIP vocabulary \(0 to 49407\)"):
        load("clip").piece(token_id)


@pytest.mark.parametrize(
    ("token_id", "piece"),
    [
        pytest.param(0, "!", id="the first byte is the exclamation mark"),
        pytest.param(256, "!</w>", id="which as a word is 256"),
        pytest.param(267, ",</w>", id="the comma is 267"),
        pytest.param(320, "a</w>", id="a is 320"),
        pytest.param(512, "in", id="the first merge is in"),
        pytest.param(2368, "cat</w>", id="cat is 2368"),
        pytest.param(START_ID, "<|startoftext|>", id="the last but one begins a window"),
        pytest.param(END_ID, "<|endoftext|>", id="the last ends it"),
    ],
)
def test_known_ids(token_id: int, piece: str) -> None:
    assert load("clip").piece(token_id) == piece
    if token_id < START_ID:
        assert load("clip").find(piece) == token_id


def test_every_kind_of_piece_is_found_and_nothing_else() -> None:
    ids, _ = reference()
    assert [load("clip").find(piece) for piece in ids][:START_ID] == list(range(START_ID))
    assert load("clip").find("no such piece") is None
    assert load("clip").find("c a") is None


# --- byte-pair encoding ---

SCRIPTS = {  # first and last letter, in lower case where there is one
    "Latin": (0x61, 0x7A),
    "accented": (0xDF, 0x17F),
    "Greek": (0x3B1, 0x3C9),
    "Cyrillic": (0x430, 0x45F),
    "Hebrew": (0x5D0, 0x5EA),
    "Arabic": (0x620, 0x64A),
    "Devanagari": (0x904, 0x939),
    "Thai": (0xE01, 0xE2E),
    "kana": (0x3041, 0x30FE),
    "ideographs": (0x4E00, 0x9FA5),
    "Hangul": (0xAC00, 0xD7A3),
    "emoji": (0x1F300, 0x1F64F),
}


def words_of(script: str, count: int) -> list[str]:
    chance = random.Random(script)
    return ["".join(chr(chance.randint(*SCRIPTS[script])) for _ in range(chance.randint(1, 9))) for _ in range(count)]


@pytest.mark.parametrize("script", SCRIPTS)
def test_words_are_merged_as_tokenizers_merges_them(script: str) -> None:
    for word in words_of(script, 170):  # 2,000 in all
        assert list(load("clip").encode_word(word)) == encoded(word), word


def test_whole_english_words_are_merged_as_tokenizers_merges_them() -> None:
    """Pieces of the vocabulary joined in pairs: the words that merging can go furthest with."""
    chance = random.Random(1)
    whole = [p.removesuffix("</w>") for p in list(reference()[0])[512:START_ID] if p.isascii() and p.removesuffix("</w>").isalpha()]
    for _ in range(500):
        word = chance.choice(whole) + chance.choice(whole)
        assert list(load("clip").encode_word(word)) == encoded(word), word


def test_a_word_that_is_a_piece_is_that_piece() -> None:
    """By merging alone, as the first words are encoded; once there have been many, words are looked up among the pieces."""
    vocabulary = Vocabulary(merges_text(VOCABULARIES["clip"]).split("\n")[:-1])
    whole = {p.removesuffix("</w>"): i for i, p in enumerate(reference()[0]) if p.endswith("</w>") and p.isascii()}
    merged = {}
    for n, word in enumerate(whole):
        if n % (MANY_WORDS - 1) == 0:
            vocabulary = Vocabulary(merges_text(VOCABULARIES["clip"]).split("\n")[:-1])
        merged[word] = vocabulary.encode_word(word)
    assert merged == {word: (i,) for word, i in whole.items()}
    for _ in range(2 * MANY_WORDS):
        vocabulary.encode_word("cat")
    assert {word: vocabulary.encode_word(word) for word in whole} == merged
    assert [*vocabulary.encode_word("catdograbbit")] == encoded("catdograbbit")


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12))
def test_any_text_is_merged_as_tokenizers_merges_it(word: str) -> None:
    ids = load("clip").encode_word(word)
    assert list(ids) == encoded(word)
    assert sum(load("clip").byte_length(i) for i in ids) == len(word.encode())
    assert load("clip").piece(ids[-1]).endswith("</w>")


@pytest.mark.parametrize("length", range(LONG_WORD_BYTES - 2, LONG_WORD_BYTES + 3))
@pytest.mark.parametrize("pattern", ["a", "ab", "photograph", "!", "é", "日", "👍"])
def test_words_about_as_long_as_where_another_encoder_takes_over(pattern: str, length: int) -> None:
    word = (pattern * length).encode()[:length].decode("utf-8", "ignore")
    assert list(load("clip").encode_word(word)) == encoded(word)


def test_a_very_long_word_takes_no_time_to_speak_of() -> None:
    word = "".join(random.Random(2).choices("abcdefghij", k=5_000))
    assert list(load("clip").encode_word(word)) == encoded(word)


def test_a_lone_surrogate_is_read_as_a_question_mark() -> None:
    assert load("clip").encode_word("\ud800") == load("clip").encode_word("?")


# --- decoding ---


@pytest.mark.parametrize(
    ("ids", "text"),
    [
        pytest.param([], "", id="nothing is nothing"),
        pytest.param([320, 2368], "a cat", id="a blank after each word, none at the end"),
        pytest.param([2368, 267, 320], "cat , a", id="also before a comma"),
        pytest.param([START_ID, 320, END_ID], "<|startoftext|>a <|endoftext|>", id="special tokens are written out, without a blank"),
        pytest.param([0, 0, 256], "!!!", id="a piece within a word has none"),
    ],
)
def test_decode(ids: list[int], text: str) -> None:
    assert load("clip").decode(ids) == text


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Z", "C"]), min_size=1, max_size=8), max_size=5))
def test_words_come_back_from_their_ids(words: list[str]) -> None:
    ids = [i for word in words for i in load("clip").encode_word(word)]
    assert load("clip").decode(ids) == " ".join(words).strip()


def test_half_a_character_is_shown_as_unreadable() -> None:
    assert load("clip").decode(load("clip").encode_word("👨")[:1]) == "�"


# --- what cannot be loaded ---


def test_an_unknown_vocabulary_is_named_with_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"Unknown vocabulary 'clap'\. Known: .*clip.* Did you mean 'clip'\?"):
        load("clap")


def test_a_missing_file_says_how_to_get_it_back() -> None:
    with pytest.raises(VocabularyError, match=r"gone\.txt\.gz .*Reinstall promptlens"):
        merges_text(VocabularyFile("gone", "gone.txt.gz", "", ""))


def test_a_damaged_file_is_not_used() -> None:
    with pytest.raises(VocabularyError, match=r"LICENSE-clip-merges\.txt .*Reinstall promptlens"):
        merges_text(VocabularyFile("damaged", "LICENSE-clip-merges.txt", "", ""))
    with pytest.raises(VocabularyError, match="48894 merges, this file has 1"):
        Vocabulary(["i n"])
