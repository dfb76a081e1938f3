"""T5's tokenizer: ids, and the place of every token in the user's text."""

from __future__ import annotations

import gzip
import itertools
import json
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tiny_t5 import write_tiny

from promptlens.errors import VocabularyError
from promptlens.unigram import UnigramTokenizer, load_tokenizer


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> UnigramTokenizer:
    return load_tokenizer(write_tiny(tmp_path_factory.mktemp("t5")))


def placed(tokenizer: UnigramTokenizer, text: str) -> list[tuple[str, str, int]]:
    """Pieces, the text under their spans, and the word they are of."""
    return [(tokenizer.vocabulary.piece(p.id), text[p.start : p.end], p.word) for p in tokenizer.pieces(text)]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        pytest.param("a cat", [("▁a", "a", 0), ("▁cat", "cat", 1)], id="no blanks in a span"),
        pytest.param("  a \n cat ", [("▁a", "a", 0), ("▁cat", "cat", 1)], id="nor are more of them tokens"),
        pytest.param("shix", [("▁shi", "shi", 0), ("x", "x", 0)], id="a word is one word"),
        pytest.param("xa", [("▁", "x", 0), ("x", "x", 0), ("a", "a", 0)], id="a lone mark is where its word begins"),
        pytest.param("cat, dog", [("▁cat", "cat", 0), (",", ",", 1), ("▁dog", "dog", 2)], id="a comma is a word of its own"),
        pytest.param("ﬁne", [("▁fine", "ﬁne", 0)], id="a ligature"),
        pytest.param("½", [("▁1", "½", 0), ("⁄", "½", 0), ("2", "½", 0)], id="tokens of one character share its span"),
        pytest.param("xe\u0301.", [("▁", "x", 0), ("x", "x", 0), ("é", "e\u0301", 0), (".", ".", 1)], id="a mark belongs to its letter"),
        pytest.param("日本 a", [("▁", "日本", 0), ("<unk>", "日本", 0), ("▁a", "a", 1)], id="what it does not know is one token"),
        pytest.param("a</s>cat", [("▁a", "a", 0), ("</s>", "</s>", 1), ("c", "c", 2), ("a", "a", 2), ("t", "t", 2)], id="an end token"),
        pytest.param("a </s>", [("▁a", "a", 0), ("</s>", "</s>", 1)], id="a blank before it"),
        pytest.param("", [], id="nothing"),
        pytest.param(" \n ", [], id="blanks alone"),
    ],
)
def test_places(tiny: UnigramTokenizer, text: str, pieces: list[tuple[str, str, int]]) -> None:
    assert placed(tiny, text) == pieces


def test_the_newer_library_drops_blanks_before_a_mark(tmp_path: Path) -> None:
    file = write_tiny(tmp_path)
    assert [p for p, _, _ in placed(load_tokenizer(file, "5"), "a</s>cat")] == ["▁a", "</s>", "▁cat"]


def test_the_newer_library_takes_more_signs_for_blanks(tmp_path: Path) -> None:
    file = write_tiny(tmp_path)
    assert [p for p, _, _ in placed(load_tokenizer(file, "5"), "a,  \x85, a")] == ["▁a", ",", "▁,", "▁a"]


BITS = st.sampled_from([*"ab 日½ﬁ▁", "\n", "\u200b", "e\u0301", "\u0338", "👨\u200d👩", "</s>", " <pad>", "<unk>", "\ud800", "\x00", "İ"])


@settings(deadline=None)
@given(text=st.one_of(st.text(max_size=40), st.lists(BITS, max_size=20).map("".join)))
@example(text="<pad>\u0338 x")
def test_every_token_comes_from_some_text_in_order(tiny: UnigramTokenizer, text: str) -> None:
    pieces = tiny.pieces(text)
    assert [p.id for p in pieces] == tiny.encode(text)
    assert tiny.count(text) == len(pieces)
    for piece in pieces:
        assert 0 <= piece.start < piece.end <= len(text)
    for before, after in itertools.pairwise(pieces):
        assert (before.start, before.end, before.word) <= (after.start, max(after.end, before.end), after.word)
        assert before.end <= after.end


def test_decoding(tiny: UnigramTokenizer) -> None:
    assert tiny.vocabulary.decode(tiny.encode("a cat, the red dog")) == "a cat, the red dog"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param(None, "is not a tokenizer.json that can be read", id="not there"),
        pytest.param("{}", "is not a tokenizer.json that can be read", id="another file"),
        pytest.param("clip", "something other than T5", id="CLIP's"),
    ],
)
def test_what_is_no_vocabulary_of_t5_says_so(tmp_path: Path, content: str | None, why: str) -> None:
    from tokenizers import Tokenizer, models

    file = tmp_path / "tokenizer.json"
    if content == "clip":
        Tokenizer(models.BPE(vocab={"a": 0}, merges=[])).save(str(file))
    elif content is not None:
        file.write_text(content)
    with pytest.raises(VocabularyError, match=why) as caught:
        load_tokenizer(file)
    assert "promptlens encoders pull t5-xxl" in str(caught.value)


@pytest.mark.shared
def test_ids_are_those_of_the_reference(shared: Path) -> None:
    tokenizer = load_tokenizer(shared / "golden" / "t5" / "tokenizer.json", "5")
    with gzip.open(shared / "corpora" / "prompts.jsonl.gz", "rt", encoding="utf-8") as lines:
        texts = {row["id"]: row["text"] for row in map(json.loads, lines)}
    with gzip.open(shared / "golden" / "t5" / "t5.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = list(map(json.loads, lines))
    assert len(rows) > 1000
    for row in rows:
        text = row.get("text", texts.get(row["id"]))
        assert tokenizer.encode(text) == row["ids"], row["id"]
        pieces = tokenizer.pieces(text)
        assert [p.id for p in pieces] == row["ids"]
        assert all(0 <= p.start < p.end <= len(text) for p in pieces)
        if text.isascii() and "<" not in text:
            spelt = "".join(tokenizer.vocabulary.piece(p.id).replace("▁", "") for p in pieces if p.id != 2)
            known = "".join(text[p.start : p.end] for p in pieces if p.id not in (2, 3))
            assert "".join(known.split()) == spelt
