"""Prompts a second from files on disk: `promptlens check` with all rules, against a script that runs CLIPTokenizer on the same files.

usage: files.py [--captions N] [--lines N] [--rounds N]
N caption files of one line each, and one .txt of N lines, written from the corpus to a temporary folder. Sides take turns, every run in a
process of its own that is warm when its clock starts. On two cores `check` has --jobs 2, and the script two processes with half of the
prompts each. "repeated" has the prompts of the corpus over and over, as lists of prompts have many more than once; of "distinct" each line
is half of one prompt and half of another, so that hardly any comes again. What `check` says goes to a file. CPU seconds are those of all
processes of a side; where other work shares the machine they say more than the clock. transformers 5 has one CLIPTokenizer, built on the
Rust tokenizers; both ways to call it are shown: a prompt at a time, and all prompts of a file at once.
"""

from __future__ import annotations

import argparse
import io
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stdout, suppress
from itertools import cycle, islice
from pathlib import Path
from typing import NamedTuple

os.environ["RAYON_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["TRANSFORMERS_VERBOSITY"] = "error"

from peers import prompts, write_files

SIDES = ("promptlens check", "CLIPTokenizer each", "CLIPTokenizer batch")
CHECK = ("check", "--isolated", "--host", "a1111", "--model", "sd15", "--format", "concise", "--exit-zero", "--color", "never")
# By these every module is loaded and every table made: those that mend text, know whole words and take very long ones apart too.
WARM = ("a photo of a cat", "a (cat", "a café & “two” hats 🎩, a hat, a hat", "ab" * 300, *(f"cat{n} hat{n} bat{n}" for n in range(2000)))


class Run(NamedTuple):
    """What one run of a side came to."""

    prompts: int
    seconds: float
    cpu_seconds: float


def texts(source: Path) -> Iterator[str]:
    """What the peers' script reads: first lines of captions, or lines."""
    if source.is_dir():
        for path in sorted(source.iterdir()):
            yield path.read_text(encoding="utf-8").partition("\n")[0].strip()
    else:
        with source.open(encoding="utf-8") as lines:
            yield from (line.strip() for line in lines if line.strip())


def check(source: Path, jobs: str) -> int:
    """The command, with what it writes going to a file."""
    from promptlens.__main__ import main as command

    with tempfile.TemporaryFile("w+", encoding="utf-8") as out, redirect_stdout(out), suppress(SystemExit):
        command([*CHECK, "--jobs", jobs, str(source)])
        out.seek(0)
        return int(out.readlines()[-1].partition(" prompts in ")[0].replace(",", ""))


def warmed(side: str, source: Path, hub: Path, jobs: str) -> Callable[[], int]:
    """What does the work of a side, and says how many prompts were done."""
    if side == "promptlens check":
        from promptlens.__main__ import main as command

        with tempfile.TemporaryDirectory() as folder, redirect_stdout(io.StringIO()), suppress(SystemExit):
            command([*CHECK, "--jobs", "1", str(write_lines(WARM, Path(folder, "warm.txt")))])
        return lambda: check(source, jobs)
    from transformers import CLIPTokenizer

    clip = CLIPTokenizer.from_pretrained(hub)
    clip("warm")
    if side.endswith("batch"):
        return lambda: len(clip(list(texts(source)))["input_ids"])
    return lambda: sum(1 for text in texts(source) if clip(text))


def work(side: str, source: Path, hub: Path, jobs: str) -> Run:
    """One run, by the clock and by what the processors did for it."""
    do = warmed(side, source, hub, jobs)
    before, started = os.times(), time.perf_counter()
    done = do()
    seconds, after = time.perf_counter() - started, os.times()
    return Run(done, seconds, sum(after[:4]) - sum(before[:4]))


def write_captions(found: Sequence[str], folder: Path) -> Path:
    folder.mkdir()
    for n, text in enumerate(found):
        (folder / f"{n:06}.caption").write_text(text + "\n", encoding="utf-8")
    return folder


def write_lines(found: Sequence[str], path: Path) -> Path:
    path.write_text("".join(text + "\n" for text in found), encoding="utf-8")
    return path


def mixed(found: Sequence[str], count: int) -> Iterator[str]:
    """Half of one prompt and half of another, others each time the corpus is gone through."""
    for n in range(count):
        words, others = found[n % len(found)].split(" "), found[(n + 1 + n // len(found) * 7) % len(found)].split(" ")
        yield " ".join([*words[: (len(words) + 1) // 2], *others[len(others) // 2 :]])


def together(side: str, sources: Sequence[Path], hub: Path, jobs: int) -> Run:
    """A run of several processes: the slowest one's time counts."""
    command = [sys.executable, __file__, "--work", side]
    running = [
        subprocess.Popen([*command, str(source), str(hub), str(jobs)], stdout=subprocess.PIPE, text=True, env=environment())
        for source in sources
    ]
    runs = [Run(int(done), float(seconds), float(cpu)) for done, seconds, cpu in (p.communicate()[0].split() for p in running)]
    return Run(sum(r.prompts for r in runs), max(r.seconds for r in runs), sum(r.cpu_seconds for r in runs))


def environment() -> dict[str, str]:
    """A warning of transformers about a torch that is not here would stand between the numbers."""
    return {**os.environ, "TRANSFORMERS_VERBOSITY": "error"}


def compared(title: str, wholes: Path, halves: Sequence[Path], hub: Path, rounds: int) -> None:
    """Measure and print one kind of files on one core and on two."""
    for cores in (1, 2):
        runs: dict[str, list[Run]] = {side: [] for side in SIDES}
        for _ in range(rounds):
            for side in SIDES:
                ours = side == "promptlens check"
                runs[side].append(together(side, [wholes] if ours or cores == 1 else halves, hub, cores))
        rates = {side: statistics.median(run.prompts / run.seconds for run in found) for side, found in runs.items()}
        cpu = {side: statistics.median(run.prompts / run.cpu_seconds for run in found) for side, found in runs.items()}
        for side in SIDES:
            ratios = "".join(
                f"{rates[side] / rates[other]:>8.2f} ({cpu[side] / cpu[other]:.2f})" for other in SIDES[1:] if side == SIDES[0]
            )
            line = f"{title:18} {cores} core{'s' if cores > 1 else ' '} {side:20}{rates[side]:>10,.0f} {cpu[side]:>10,.0f}"
            print(f"{line}  {ratios}  load {os.getloadavg()[0]:.1f}", flush=True)


def main() -> int:
    if sys.argv[1:2] == ["--work"]:
        side, source, hub, jobs = sys.argv[2:]
        print(*work(side, Path(source), Path(hub), jobs))
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
        print(f"{origin}, {len(found):,} different ones; median of {arguments.rounds} rounds in turn")
        print("prompts a second by the clock, and by CPU seconds; the ratios of both to CLIPTokenizer each and batch")
        captions, lines = [*islice(cycle(found), arguments.captions)], [*islice(cycle(found), arguments.lines)]
        halves = [write_captions(captions[n::2], folder / f"captions-{n}") for n in range(2)]
        compared("captions", write_captions(captions, folder / "captions"), halves, hub, arguments.rounds)
        for title, all_lines in (("lines, repeated", lines), ("lines, distinct", [*mixed(found, arguments.lines)])):
            halves = [write_lines(all_lines[n::2], folder / f"lines-{n}.txt") for n in range(2)]
            compared(title, write_lines(all_lines, folder / "lines.txt"), halves, hub, arguments.rounds)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
