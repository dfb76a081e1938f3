"""Tokenizer files for the peers, made from the vocabulary that promptlens ships, and the prompts both sides read."""

from __future__ import annotations

import gzip
import json
import lzma
import subprocess
import sys
from pathlib import Path

from promptlens import vocab

HERE = Path(__file__).resolve().parent
CORPUS = HERE.parents[1] / "shared" / "corpora" / "prompts.jsonl.gz"
SYNTHETIC = HERE.parent / "tests" / "data" / "golden" / "diffusers.jsonl.xz"


def prompts(path: Path | None) -> tuple[str, list[str]]:
    """(where from, texts): the file given (one prompt a line), the corpus of real prompts if at hand, else the synthetic test prompts."""
    if path:
        return str(path), path.read_text(encoding="utf-8").splitlines()
    if CORPUS.exists():
        with gzip.open(CORPUS, "rt", encoding="utf-8") as lines:
            return "corpus of real prompts", [json.loads(line)["text"] for line in lines]
    with lzma.open(SYNTHETIC, "rt", encoding="utf-8") as lines:
        return "synthetic test prompts", list(dict.fromkeys(json.loads(line)["text"] for line in lines))


def write_tokenizer_json(folder: Path) -> Path:
    """A tokenizer.json as transformers 5 builds it for CLIP."""
    from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers

    tokenizer = Tokenizer(vocab.load().as_tokenizers_model())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    words = Regex(r"""<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+""")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(words, behavior="removed", invert=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    path = folder / "tokenizer.json"
    tokenizer.save(str(path))
    return path


def write_transformers_folder(folder: Path) -> Path:
    """A tokenizer folder as CLIPTokenizer.from_pretrained reads it."""
    words = vocab.load()
    (folder / "vocab.json").write_text(json.dumps({words.piece(i): i for i in range(vocab.SIZE)}), encoding="utf-8")
    merges = vocab.merges_text(vocab.VOCABULARIES["clip"])
    (folder / "merges.txt").write_text("#version: 0.2\n" + merges, encoding="utf-8")
    config = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "do_lower_case": True}
    special = {"bos_token": vocab.START_TEXT, "eos_token": vocab.END_TEXT, "unk_token": vocab.END_TEXT, "pad_token": vocab.END_TEXT}
    (folder / "tokenizer_config.json").write_text(json.dumps(config | special), encoding="utf-8")
    return folder


def write_files(folder: Path) -> tuple[Path, Path]:
    """The tokenizer.json and the tokenizer folder, written by a process of its own: this one stays small.

    A process counts its parent's memory up to its own start, so a runner that measures peak memory must not grow.
    """
    subprocess.run([sys.executable, __file__, str(folder)], check=True)
    return folder / "tokenizer.json", folder / "hub"


if __name__ == "__main__":
    out = Path(sys.argv[1])
    write_tokenizer_json(out)
    (out / "hub").mkdir()
    write_transformers_folder(out / "hub")
