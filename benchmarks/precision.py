"""Whether bfloat16 keeps the ranking of words, and what it saves: the same weights and prompts in both precisions, at full size.

usage: precision.py [--encoders clip-l clip-g] [--tokens 10 20 40 75] [--prompts N] [--threads N]
Random weights, random words: scores lie closer together than with trained weights, so a ranking is harder to keep. Of each lens, and of the
cosines of words encoded alone with the whole (similarity): the least and mean Spearman correlation of scores over the prompts, how many
prompts keep their order and their first word, how far a score is off at most, and how far apart two words that changed places were at most,
both as shares of the score. Seconds of float32 / bfloat16 are medians of runs in turn. Some 3
minutes for clip-l; bigG takes seven times as long.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from full_size import SIZES, ids_of, prompt, reference, windows, without

from promptlens.encoder import Window, load_encoder

LENSES = ("pooled", "conditioning", "similarity")
PRECISIONS = ("float32", "bfloat16")


def scores(encoder: Any, name: str, asked: list[Window], lens: str) -> tuple[Any, float]:
    """Of each window but the first how far it is from the first (`similarity`: its cosine with it); and seconds."""
    size = SIZES[name]
    encoder._bases.clear()  # as a prompt never asked before
    began = time.perf_counter()
    if lens != "conditioning":
        found = encoder.pool_windows(asked, base=asked[0]).projected.astype(np.float64)
    else:
        found = encoder.encode_windows(asked, layer=size.layer, final_norm=size.normed, base=asked[0]).hidden
    took = time.perf_counter() - began
    if lens != "conditioning":
        unit = found / np.linalg.norm(found, axis=1, keepdims=True)
        cosines = unit[1:] @ unit[0]
        return cosines if lens == "similarity" else 1 - cosines, took
    first = found[0].astype(np.float64)
    return np.array([np.linalg.norm(h - first) for h in found[1:]]) / np.linalg.norm(first), took


def spearman(a: Any, b: Any) -> float:
    return float(np.corrcoef(np.argsort(np.argsort(a)), np.argsort(np.argsort(b)))[0, 1])


def widest_swap(a: Any, b: Any) -> float:
    """How far apart in `a`, as a share of the larger, two words are at most whose order is another in `b`."""
    swapped = ((i, j) for i, j in combinations(range(len(a)), 2) if (a[i] - a[j]) * (b[i] - b[j]) < 0)
    return max((abs(a[i] - a[j]) / max(a[i], a[j]) for i, j in swapped), default=0.0)


def line(name: str, tokens: int, lens: str, pairs: list[tuple[Any, Any]], seconds: list[tuple[float, float]]) -> str:
    ranks = [spearman(a, b) for a, b in pairs]
    same = sum(bool((np.argsort(a) == np.argsort(b)).all()) for a, b in pairs)
    first = sum(int(a.argmax() == b.argmax()) for a, b in pairs)
    off = max(float(np.abs(b / a - 1).max()) for a, b in pairs)
    swap = max(widest_swap(a, b) for a, b in pairs)
    speed = statistics.median(s[0] / s[1] for s in seconds)
    cells = (
        name,
        tokens,
        lens,
        f"{min(ranks):.4f}",
        f"{statistics.mean(ranks):.4f}",
        f"{same} of {len(pairs)}",
        f"{first} of {len(pairs)}",
    )
    return f"| {' | '.join(map(str, cells))} | {100 * off:.1f} % | {100 * swap:.1f} % | {speed:.2f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoders", nargs="+", choices=list(SIZES), default=["clip-l"])
    parser.add_argument("--tokens", nargs="+", type=int, default=[10, 20, 40, 75])
    parser.add_argument("--prompts", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    print(f"{options.threads} threads, load {os.getloadavg()[0]:.1f}; float32 against bfloat16, {options.prompts} prompts of each length\n")
    print(
        "| encoder | words | lens | Spearman, least | mean | same order | same first word | off by at most | widest swap | times as fast |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|", flush=True)
    for name in options.encoders:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / f"{name}.safetensors"
            reference(name, file)
            encoders = [load_encoder(file, name, device="cpu", precision=p, threads=options.threads) for p in PRECISIONS]
        for tokens in options.tokens:
            for lens in LENSES:
                pairs, seconds = [], []
                for seed in range(options.prompts):
                    ids = ids_of(prompt(tokens, seed))
                    others = [[token] for token in ids] if lens == "similarity" else [without(ids, n) for n in range(tokens)]
                    rows = [ids, *others]
                    asked = [Window(window) for row in rows for window in windows(row, SIZES[name].pad)]
                    (a, slow), (b, fast) = (scores(encoder, name, asked, lens) for encoder in encoders)
                    pairs.append((a, b))
                    seconds.append((slow, fast))
                print(line(name, tokens, lens, pairs, seconds), flush=True)


if __name__ == "__main__":
    main()
