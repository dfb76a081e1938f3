"""Prompts a second from files on disk: reading and analysis, against a script that reads the same files and runs CLIPTokenizer on them.

usage: files.py [--captions N] [--lines N] [--rounds N]
N caption files of one line each, and one .txt of N lines, written from the corpus to a temporary folder. Sides take turns, every run in a
process of its own that is warm when its clock starts; with two cores, each of two processes has half of the prompts. transformers 5 has
one CLIPTokenizer, built on the Rust tokenizers; both ways to call it are shown: a prompt at a time, and all prompts of a file at once.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

os.environ["RAYON_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

from peers import prompts, write_files

SIDES = ("promptlens analyze", "promptlens count", "CLIPTokenizer each", "CLIPTokenizer batch")


def texts(source: Path, share: int, shares: int) -> Iterator[str]:
    """What the peers' script reads: first lines of captions, or lines."""
    if source.is_dir():
        for path in sorted(source.iterdir())[share::shares]:
            yield path.read_text(encoding="utf-8").partition("\n")[0].strip()
    else:
        with source.open(encoding="utf-8") as lines:
            yield from (line.strip() for line in islice(lines, share, None, shares) if line.strip())


def ours(source: Path, share: int, shares: int) -> Iterator[str]:
    """The same through the package: formats told apart, places kept."""
    from promptlens import read_prompts

    if source.is_dir():
        for path in sorted(source.iterdir())[share::shares]:
            yield from (prompt.text for prompt in read_prompts(path))
    else:
        yield from (prompt.text for prompt in islice(read_prompts(source), share, None, shares))


def work(side: str, source: Path, hub: Path, share: int, shares: int) -> tuple[int, float]:
    """Prompts done and seconds."""
    if side.startswith("promptlens"):
        from promptlens import analyze
        from promptlens.tokens import Reading, tokenizer

        count = tokenizer(Reading("fast")).count
        analyze("warm", host="diffusers", model="sd15")
        started, done = time.perf_counter(), 0
        for text in ours(source, share, shares):
            analyze(text, host="diffusers", model="sd15") if side.endswith("analyze") else count(text)
            done += 1
        return done, time.perf_counter() - started
    from transformers import CLIPTokenizer

    clip = CLIPTokenizer.from_pretrained(hub)
    clip("warm")
    started, done = time.perf_counter(), 0
    if side.endswith("batch"):
        all_texts = list(texts(source, share, shares))
        done = len(clip(all_texts)["input_ids"])
    else:
        for text in texts(source, share, shares):
            clip(text)
            done += 1
    return done, time.perf_counter() - started


def rate(side: str, source: Path, hub: Path, cores: int) -> float:
    """Prompts a second of all processes together: the slowest one's time counts."""
    command = [sys.executable, __file__, "--work", side, str(source), str(hub)]
    running = [subprocess.Popen([*command, str(i), str(cores)], stdout=subprocess.PIPE, text=True) for i in range(cores)]
    results = [process.communicate()[0].split() for process in running]
    return sum(int(done) for done, _ in results) / max(float(seconds) for _, seconds in results)


def main() -> int:
    if sys.argv[1:2] == ["--work"]:
        side, source, hub, share, shares = sys.argv[2:]
        print(*work(side, Path(source), Path(hub), int(share), int(shares)))
        return 0
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--captions", type=int, default=10_000)
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    origin, found = prompts(None)
    found = [line for line in (" ".join(text.split()) for text in found) if line]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        captions, lines = folder / "captions", folder / "prompts.txt"
        captions.mkdir()
        for i in range(arguments.captions):
            (captions / f"{i:05}.caption").write_text(found[i % len(found)] + "\n", encoding="utf-8")
        lines.write_text("".join(found[i % len(found)] + "\n" for i in range(arguments.lines)), encoding="utf-8")
        _, hub = write_files(folder)
        print(f"{origin}; median of {arguments.rounds} rounds in turn; prompts a second, and ratios to CLIPTokenizer each and batch")
        for source in (captions, lines):
            for cores in (1, 2):
                rates: dict[str, list[float]] = {side: [] for side in SIDES}
                for _ in range(arguments.rounds):
                    for side in SIDES:
                        rates[side].append(rate(side, source, hub, cores))
                middle = {side: statistics.median(found_rates) for side, found_rates in rates.items()}
                for side in SIDES:
                    ratios = "".join(f"{middle[side] / middle[other]:>8.2f}" for other in SIDES[2:]) if side in SIDES[:2] else ""
                    print(f"{source.name:12} {cores} core{'s' if cores > 1 else ' '} {side:22}{middle[side]:>10,.0f}{ratios}", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
