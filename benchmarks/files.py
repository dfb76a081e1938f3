"""Prompts a second from files on disk: `promptlens check` with all rules, and its parts, against a script that reads the same files and
runs CLIPTokenizer on them.

usage: files.py [--captions N] [--lines N] [--rounds N]
N caption files of one line each, and one .txt of N lines, written from the corpus to a temporary folder. Sides take turns, every run in a
process of its own that is warm when its clock starts; with two cores, each of two processes has half of the prompts in files of its own.
`check` finds much to say of these prompts (its lines go to a file); `check, few findings` has the prompts that nothing is said of, as those
of a repository that is checked often. transformers 5 has
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
from contextlib import redirect_stdout, suppress
from pathlib import Path

os.environ["RAYON_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["TRANSFORMERS_VERBOSITY"] = "error"

from peers import prompts, write_files

SIDES = ("promptlens check", "promptlens analyze", "promptlens count", "CLIPTokenizer each", "CLIPTokenizer batch")
CHECK = ("check", "--isolated", "--host", "a1111", "--model", "sd15", "--format", "concise", "--exit-zero", "--color", "never")


def texts(source: Path) -> Iterator[str]:
    """What the peers' script reads: first lines of captions, or lines."""
    if source.is_dir():
        for path in sorted(source.iterdir()):
            yield path.read_text(encoding="utf-8").partition("\n")[0].strip()
    else:
        with source.open(encoding="utf-8") as lines:
            yield from (line.strip() for line in lines if line.strip())


def ours(source: Path) -> Iterator[str]:
    """The same through the package: formats told apart, places kept."""
    from promptlens import read_prompts

    for path in sorted(source.iterdir()) if source.is_dir() else [source]:
        yield from (prompt.text for prompt in read_prompts(path))


def check(source: Path) -> float:
    """Seconds of the command, with what it writes going to a file."""
    from promptlens.__main__ import main as command

    with tempfile.TemporaryFile("w+", encoding="utf-8") as out, redirect_stdout(out), suppress(SystemExit):
        command([*CHECK, "a photo of a cat"])
        started = time.perf_counter()
        command([*CHECK, str(source)])
    return time.perf_counter() - started


def work(side: str, source: Path, hub: Path) -> tuple[int, float]:
    """Prompts done and seconds."""
    if side == "promptlens check":
        seconds = check(source)
        return sum(1 for _ in texts(source)), seconds
    if side.startswith("promptlens"):
        from promptlens import analyze
        from promptlens.tokens import Reading, tokenizer

        count = tokenizer(Reading("fast")).count
        analyze("warm", host="a1111", model="sd15")
        started, done = time.perf_counter(), 0
        for text in ours(source):
            analyze(text, host="a1111", model="sd15") if side.endswith("analyze") else count(text)
            done += 1
        return done, time.perf_counter() - started
    from transformers import CLIPTokenizer

    clip = CLIPTokenizer.from_pretrained(hub)
    clip("warm")
    started, done = time.perf_counter(), 0
    if side.endswith("batch"):
        all_texts = list(texts(source))
        done = len(clip(all_texts)["input_ids"])
    else:
        for text in texts(source):
            clip(text)
            done += 1
    return done, time.perf_counter() - started


def parted(found: list[str], folder: Path, captions: int, lines: int) -> dict[tuple[str, int], list[Path]]:
    """The sources by kind and number of processes, each process with its own."""
    places: dict[tuple[str, int], list[Path]] = {}
    for shares in (1, 2):
        for share in range(shares):
            one, other = folder / f"captions-{share}-{shares}", folder / f"prompts-{share}-{shares}.txt"
            one.mkdir()
            for i in range(share, captions, shares):
                (one / f"{i:05}.caption").write_text(found[i % len(found)] + "\n", encoding="utf-8")
            other.write_text("".join(found[i % len(found)] + "\n" for i in range(share, lines, shares)), encoding="utf-8")
            places.setdefault(("captions", shares), []).append(one)
            places.setdefault(("lines", shares), []).append(other)
    return places


def quiet(found: list[str]) -> list[str]:
    """The prompts of which no rule says anything."""
    from promptlens import analyze

    return [text for text in found if not analyze(text, host="a1111", model="sd15").findings]


def rate(side: str, sources: list[Path], hub: Path) -> float:
    """Prompts a second of all processes together: the slowest one's time counts."""
    command = [sys.executable, __file__, "--work", side]
    running = [subprocess.Popen([*command, str(source), str(hub)], stdout=subprocess.PIPE, text=True) for source in sources]
    results = [process.communicate()[0].split() for process in running]
    return sum(int(done) for done, _ in results) / max(float(seconds) for _, seconds in results)


def main() -> int:
    if sys.argv[1:2] == ["--work"]:
        side, source, hub = sys.argv[2:]
        print(*work(side, Path(source), Path(hub)))
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
        _, hub = write_files(folder)
        print(f"{origin}; median of {arguments.rounds} rounds in turn; prompts a second, and ratios to CLIPTokenizer each and batch")
        for title, chosen in (("all prompts", found), ("few findings", quiet(found))):
            (part := folder / title.replace(" ", "-")).mkdir()
            print(f"{title}: {len(chosen):,} different ones")
            for (kind, cores), sources in parted(chosen, part, arguments.captions, arguments.lines).items():
                rates: dict[str, list[float]] = {side: [] for side in SIDES}
                for _ in range(arguments.rounds):
                    for side in SIDES:
                        rates[side].append(rate(side, sources, hub))
                middle = {side: statistics.median(found_rates) for side, found_rates in rates.items()}
                for side in SIDES:
                    ratios = "".join(f"{middle[side] / middle[other]:>8.2f}" for other in SIDES[3:]) if side in SIDES[:3] else ""
                    print(f"{kind:9} {cores} core{'s' if cores > 1 else ' '} {side:22}{middle[side]:>10,.0f}{ratios}", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
