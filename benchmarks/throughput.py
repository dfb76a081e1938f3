"""Prompts a second on one core: full analyses and counting alone, against tokenizers that only make ids.

usage: throughput.py [--prompts FILE] [--rounds N]
Each round runs every side once, in turn; the best round of each side is shown, and ratios of the best. "first" is the first pass of a
fresh process over the prompts, with the word cache empty. Peers that are not installed are left out.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

os.environ["RAYON_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

from peers import prompts, write_tokenizer_json, write_transformers_folder

from promptlens import analyze
from promptlens.tokens import Reading, tokenizer

Side = Callable[[Sequence[str]], object]


def each(function: Callable[[str], object]) -> Side:
    def all_of(texts: Sequence[str]) -> None:
        for text in texts:
            function(text)

    return all_of


def ours() -> dict[str, Side]:
    found: dict[str, Side] = {}
    for host, model in (("a1111", "sd15"), ("a1111", "sdxl"), ("comfyui", "sd15"), ("diffusers", "sd15")):
        found[f"analyze {host} {model}"] = each(lambda text, host=host, model=model: analyze(text, host=host, model=model))  # type: ignore[misc]
    found["count (fast)"] = each(tokenizer(Reading("fast")).count)
    found["count (a1111)"] = each(tokenizer(Reading("slow-ftfy")).count)
    return found


def peers(folder: Path) -> dict[str, Side]:
    from tokenizers import Tokenizer

    loaded = Tokenizer.from_file(str(write_tokenizer_json(folder)))
    found: dict[str, Side] = {"tokenizers encode_batch": lambda texts: loaded.encode_batch(list(texts))}
    if importlib.util.find_spec("transformers"):
        from transformers import CLIPTokenizer

        hub = folder / "hub"
        hub.mkdir()
        clip = CLIPTokenizer.from_pretrained(write_transformers_folder(hub))
        found["transformers batch"] = lambda texts: clip(list(texts))
    if importlib.util.find_spec("instant_clip_tokenizer"):
        from instant_clip_tokenizer import Tokenizer as Instant

        found["instant-clip-tokenizer"] = each(Instant().encode)
    return found


def timed(side: Side, texts: Sequence[str]) -> float:
    started = time.perf_counter()
    side(texts)
    return len(texts) / (time.perf_counter() - started)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompts", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    origin, texts = prompts(arguments.prompts)
    analyze("a", host="a1111", model="sd15")  # reads the vocabulary
    first = timed(each(lambda text: analyze(text, host="a1111", model="sd15")), texts)
    with tempfile.TemporaryDirectory() as folder:
        rivals = peers(Path(folder))
        sides = {**ours(), **rivals}
        best = dict.fromkeys(sides, 0.0)
        for _ in range(arguments.rounds):
            for name, side in sides.items():
                best[name] = max(best[name], timed(side, texts))
    print(f"{len(texts)} prompts ({origin}), one core, best of {arguments.rounds} rounds in turn; prompts a second")
    print(f"{'analyze a1111 sd15, first pass':32}{first:>10,.0f}")
    print(f"{'':32}{'':>10}" + "".join(f"   / {name}" for name in rivals))
    for name, rate in best.items():
        ratios = "".join(f"{rate / best[rival]:>{len(rival) + 5}.2f}" for rival in rivals) if name not in rivals else ""
        print(f"{name:32}{rate:>10,.0f}{ratios}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
