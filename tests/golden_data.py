"""The recorded lines of the real hosts, and how each becomes a call of `analyze`.

The synthetic lines are in tests/data/golden. Where the full recordings lie beside the project, their lines of real prompts are read too.
"""

from __future__ import annotations

import gzip
import json
import lzma
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from promptlens import analyze
from promptlens.hosts import Chunk
from promptlens.report import Report

DATA = Path(__file__).parent / "data" / "golden"
SHARED = Path(__file__).resolve().parents[2] / "shared"

FILES = {"a1111": "a1111", "a1111_openclip": "a1111"}  # name of the recording: host, where they differ
MODELS = {"sd1": "sd15", "sd2": "sd21", "sdxl": "sdxl", "sdxl_l": "sdxl", "sdxl_g": "sdxl", "sdxl_2": "sdxl"}
SECOND = {"sdxl_g", "sdxl_2"}  # the line describes the model's second encoder
BY_FILE = {"comfyui", "fooocus"}  # hosts that look embeddings up by file, and show no count
EMBEDDINGS = {
    "easynegative": 8,
    "bad-hands-5": 1,
    "badhandv4": 6,
    "verybadimagenegative_v1.3": 11,
    "ng_deepnegative_v1_75t": 75,
    "pair": 2,
    "pair-long": 3,
    "hugeemb": 80,
    "bad prompt v2": 4,
    "1vec": 1,
    "inner": 5,
}
SAFETENSORS = {"easynegative", "pair", "1vec", "sub/inner"}  # the others are .pt, but for SDXL
ADDED_TOKENS = ("easynegative", "bad-hands-5", "badhandv4", "pair", "pair-long")


def recordings() -> list[str]:
    """Names of the recordings whose host exists."""
    from promptlens import HOSTS

    names = [p.name.removesuffix(".jsonl.xz") for p in sorted(DATA.glob("*.jsonl.xz"))]
    return [n for n in names if FILES.get(n, n) in HOSTS]


def synthetic(name: str) -> Iterator[dict[str, Any]]:
    """The synthetic lines of a recording."""
    with lzma.open(DATA / f"{name}.jsonl.xz", "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def real(name: str) -> Iterator[dict[str, Any]]:
    """The lines of real prompts of a recording, each with its text; none where the recordings are not at hand."""
    corpus, recording = SHARED / "corpora" / "prompts.jsonl.gz", SHARED / "golden" / f"{name}.jsonl.gz"
    if not corpus.exists() or not recording.exists():
        return
    with gzip.open(corpus, "rt", encoding="utf-8") as lines:
        texts = {row["id"]: row["text"] for row in map(json.loads, lines)}
    with gzip.open(recording, "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            if row["id"] in texts:
                yield {**row, "text": texts[row["id"]]}


def analyzed(row: dict[str, Any], host: str, **more: Any) -> Report:
    """Our report on the prompt of a line, under its options."""
    options = dict(row["options"])
    model = options.pop("model")
    if options.pop("embeddings", False):
        options["embeddings"] = embeddings(host, model)
    if options.pop("added_tokens", False):
        options["embeddings"] = {name: EMBEDDINGS[name] for name in ADDED_TOKENS}
    options.pop("negative_prompt", None)
    options.pop("styles", None)
    return analyze(row["text"], host=host, model=MODELS[model], **options, **more)


def embeddings(host: str, model: str) -> dict[str, int]:
    """The installed embeddings, under file names for the hosts that know them by file."""
    if host not in BY_FILE:
        return EMBEDDINGS
    names = {("sub/inner" if name == "inner" else name): vectors for name, vectors in EMBEDDINGS.items()}
    return {name + (".safetensors" if model == "sdxl" or name in SAFETENSORS else ".pt"): vectors for name, vectors in names.items()}


def difference(row: dict[str, Any], host: str) -> str | None:
    """What differs between the host's line and our report; None when all is equal."""
    usage = analyzed(row, host).usage
    if "chunks" not in row:
        return None if usage.host_error or "error" not in row else f"the host raises {row['error']}"
    first = 1 if row["options"]["model"] in SECOND else 0
    pairs = [(usage.encoders[first], row["chunks"])]
    pairs += [(usage.encoders[1], row[key]) for key in ("chunks_g", "chunks_2") if key in row and len(usage.encoders) > 1]
    for use, want in pairs:
        got = [list(chunk.ids) for chunk in use.chunks]
        if got != want:
            return f"{use.encoder.name}: ids {got} want {want}"
    if "weights" in row and not _same_weights(pairs[0][0].chunks, row["weights"]):
        return f"weights {[c.weights for c in pairs[0][0].chunks]} want {row['weights']}"
    counter = row.get("counter")
    want = counter[0] if isinstance(counter, list) else row.get("token_count")
    if isinstance(counter, dict) or host in BY_FILE or want is None:
        return None
    count = usage.encoders[0 if isinstance(counter, list) else first].shown_count
    return None if count == want else f"count {count} want {want}"


def _same_weights(chunks: tuple[Chunk, ...], want: list[list[Any]]) -> bool:
    if [len(c.weights) for c in chunks] != [len(w) for w in want]:
        return False
    pairs = [(a, float(b)) for chunk, weights in zip(chunks, want, strict=True) for a, b in zip(chunk.weights, weights, strict=True)]
    return all(math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-9) or (math.isnan(a) and math.isnan(b)) for a, b in pairs)
