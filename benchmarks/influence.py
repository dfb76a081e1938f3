"""Leave-one-out at the full size of CLIP-L and bigG: promptlens against a padded loop, one padded batch, and captum; ratios of one run.

usage: influence.py [--encoders clip-l clip-g] [--tokens 10 20 ...] [--rounds N] [--threads N] [--sample N] [--write]
Random weights, prompts of words of one token. Sides take turns, each at the thread count that was fastest for it when they were tried, and
a ratio is the median over the rounds of (their seconds / ours) in the same round. What every timed run gives is compared with the
loop's: more than 1e-4 apart is an error. Without options: about 8 minutes on two quiet cores (CLIP-L at all sizes, 3 rounds; bigG at 10
and 20 tokens, one round).
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import statistics
import tempfile
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from full_size import spread
from influence_sides import Question, Reply, serve
from influence_table import FILE, key, table

from promptlens.processes import available_cores

OURS = ("pooled", "conditioning", "masked", "influence")
TOLERANCE = 1e-4
DEFAULT = {"clip-l": (10, 20, 40, 75, 200), "clip-g": (10, 20)}
TRIED_TOKENS = 10


class Sides:
    """The two processes of one encoder. Sides are called by name."""

    def __init__(self, name: str, folder: Path, device: str, precision: str) -> None:
        start = multiprocessing.get_context("spawn")
        self._pipes: dict[bool, Any] = {}
        self._processes = []
        for ours in (False, True):  # transformers first: it writes the weights
            near, far = start.Pipe()
            file = str(folder / f"{name}.safetensors")
            process = start.Process(target=serve, args=(far, ours, name, file, device, precision), daemon=True)
            process.start()
            far.close()
            near.recv()
            self._pipes[ours] = near
            self._processes.append(process)

    def run(self, question: Question) -> Reply:
        pipe = self._pipes[question.side in OURS]
        pipe.send(question)
        reply: Reply = pipe.recv()
        return reply

    def close(self) -> None:
        for pipe in self._pipes.values():
            pipe.send(None)
        for process in self._processes:
            process.join()


def names(name: str, device: str) -> list[str]:
    """The sides there are: `influence` is timed on CLIP-L, which is all that SD 1.x has; captum where it is installed."""
    try:
        captum = ["captum"] if version("captum") else []
    except PackageNotFoundError:
        captum = []
    return ["loop", "batch", *captum, "pooled", "conditioning", "masked", *(["influence"] if name == "clip-l" and device == "cpu" else [])]


def best_threads(sides: Sides, side: str, sample: int) -> int:
    """The fastest of 1, 2, 4 ... threads for this side at 10 tokens: the better of two runs each, in turn, after one to warm up."""
    counts = [2**n for n in range(available_cores().bit_length())]
    seconds: dict[int, list[float]] = {count: [] for count in counts}
    for _ in range(3):
        for count in counts:
            question = Question(side, TRIED_TOKENS, count, tuple(spread(sample, TRIED_TOKENS)))
            seconds[count].append(sides.run(question).seconds)
    return min(counts, key=lambda count: min(seconds[count][1:]))


def cosine_distance(a: Any, b: Any) -> float:
    """Sum over windows of 1 - cos."""
    x, y = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    return float((1 - (x * y).sum(-1) / np.linalg.norm(x, axis=-1) / np.linalg.norm(y, axis=-1)).sum())


def furthest(replies: dict[str, Reply]) -> float:
    """How far any side's results are from those of the loop, or captum's and ours from each other."""
    loop, apart = replies["loop"].found, [0.0]
    for side in ("batch", "pooled", "conditioning"):
        for word, found in replies[side].found.items():
            ours = {what: values for what, values in found.items() if word in loop}
            apart += [float(np.abs(np.asarray(v) - loop[word][what]).max()) for what, v in ours.items()]
    masked = replies["masked"].found
    for word, score in (replies["captum"].found if "captum" in replies else {}).items():
        apart.append(abs(score["distance"] - cosine_distance(masked[word]["projected"], masked[-1]["projected"])))
    for word, score in (replies["influence"].found if "influence" in replies else {}).items():
        apart.append(abs(score["distance"] - cosine_distance(loop[word]["pooled"], loop[-1]["pooled"])))
    return max(apart)


def measure(sides: Sides, name: str, tokens: int, options: argparse.Namespace, threads: dict[str, int]) -> dict[str, Any]:
    """One row of the table."""
    words = tuple(spread(options.sample, tokens))
    rounds: list[dict[str, float]] = []
    apart = 0.0
    for n in range(options.rounds[name] if tokens <= 75 else 1):
        order = list(threads) if n % 2 == 0 else list(threads)[::-1]
        replies = {side: sides.run(Question(side, tokens, threads[side], words)) for side in order}
        apart = max(apart, furthest(replies))
        if apart > TOLERANCE and options.precision == "float32":
            raise SystemExit(f"{name}, {tokens} tokens: results are {apart:.1e} apart, more than {TOLERANCE}")
        rounds.append({side: reply.seconds for side, reply in replies.items()})
    seconds = {side: statistics.median(r[side] for r in rounds) for side in threads}

    def ratio(theirs: str, ours: str) -> list[float]:
        """Median, least, most."""
        found = [r[theirs] / r[ours] for r in rounds if theirs in r and ours in r]
        return [round(x, 2) for x in (statistics.median(found), min(found), max(found))] if found else []

    return {
        "encoder": name,
        "tokens": tokens,
        "device": options.device,
        "precision": options.precision,
        "rounds": len(rounds),
        "sampled": len(words),
        "threads": threads,
        "apart": float(f"{apart:.1e}"),
        "seconds": {side: round(s, 4) for side, s in seconds.items()},
        "ratios": {f"{ours} / {theirs}": ratio(theirs, ours) for ours in OURS for theirs in ("loop", "batch", "captum")},
        "load": [round(x, 1) for x in os.getloadavg()],
    }


def machine(device: str) -> dict[str, Any]:
    import torch

    packages = {name: version(name) for name in ("torch", "transformers")}
    what = torch.cuda.get_device_name() if device == "cuda" else next(iter(_processor()), platform.machine())
    return {"name": what, "cores": available_cores(), "python": platform.python_version(), **packages}


def _processor() -> list[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    return [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoders", nargs="+", choices=list(DEFAULT), default=list(DEFAULT))
    parser.add_argument("--tokens", nargs="+", type=int, help="default: 10 20 40 75 200 for clip-l, 10 20 for clip-g")
    parser.add_argument("--rounds", type=int, help="default: 3 for clip-l, 1 for clip-g; 200 tokens get one")
    parser.add_argument("--threads", type=int, help="for all sides; default: for each the count that is fastest")
    parser.add_argument("--sample", type=int, default=6, help="deletions that loop and captum run of a prompt (default 6); 1000: all")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="float32", choices=["float32", "bfloat16"])
    parser.add_argument(
        "--write", action="store_true", help=f"keep the rows in {FILE.name}, from which the tables in the documents are made"
    )
    options = parser.parse_args()
    options.rounds = {name: options.rounds or (3 if name == "clip-l" else 1) for name in DEFAULT}
    return options


def main() -> None:
    options = arguments()
    began = time.perf_counter()
    rows: list[dict[str, Any]] = []
    known = machine(options.device)
    print(*(f"{k} {v}" for k, v in known.items()), f"load {os.getloadavg()[0]:.1f}", sep=", ", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in options.encoders:
            sides = Sides(name, Path(folder), options.device, options.precision)
            found = names(name, options.device)
            fixed = options.threads or (1 if options.device != "cpu" else None)
            threads = {side: fixed or best_threads(sides, side, options.sample) for side in found}
            for side in found if fixed else ():
                sides.run(Question(side, TRIED_TOKENS, fixed or 1, (0, TRIED_TOKENS - 1)))  # to warm up
            print(f"{name}: threads {threads}", flush=True)
            for tokens in options.tokens or DEFAULT[name]:
                rows.append({**measure(sides, name, tokens, options, threads), "machine": known})
                print(json.dumps({k: rows[-1][k] for k in ("encoder", "tokens", "apart", "seconds", "load")}), flush=True)
            sides.close()
    print(table(rows), f"\n{time.perf_counter() - began:.0f} s")
    if options.write:
        kept = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else []
        new = {key(row): row for row in [*kept, *rows]}
        FILE.write_text(json.dumps([new[k] for k in sorted(new)], indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
