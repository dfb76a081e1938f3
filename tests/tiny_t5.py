"""A T5 tokenizer.json in miniature: a unigram vocabulary with T5's normaliser rules that tests need, its special tokens and their ids."""

from __future__ import annotations

from pathlib import Path
from string import printable

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

WORDS = ("cat", "dog", "red", "house", "the", "a", "in", "fine", "word", "1", "2", "0", ".", ",", "(", ")", ":", "shi")


def write_tiny(folder: Path, name: str = "tokenizer.json") -> Path:
    """A tokenizer.json: every printable ASCII character is a piece, and every word of `WORDS` with a ▁ before it."""
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", -20.0), ("▁", -3.0), ("shi", -4.0), ("⁄", -6.0), ("é", -6.0)]
    pieces += [(char, -5.0) for char in printable if not char.isspace()]
    pieces += [(f"▁{word}", -4.0) for word in WORDS]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=2, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.NFKC(),
            normalizers.Replace(Regex("[\\t\\n\\r\u200b\u200d]"), " "),
            normalizers.Strip(left=False, right=True),
            normalizers.Replace(Regex(" {2,}"), "▁"),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="first")
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in ("<pad>", "</s>", "<unk>")])
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / name))
    return folder / name
