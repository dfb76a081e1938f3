"""How many threads pay, in what situation, and what promptlens chooses: with nothing else running, one core busy, and all cores busy.

usage: threads.py [--rounds N]
One window of 77 through CLIP-L (random weights), by promptlens, in a fresh process for each thread count and each way to wait (spinning is
OpenMP's default, passive what promptlens sets); and what the count was that a fresh process chose. Other programs are stood in for by loops
that do nothing but compute. Two minutes. What else runs on the machine shows in the load of each row.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from full_size import SIZES, ids_of, prompt, reference, windows

from promptlens.processes import available_cores

CHOICES = 5
TIMED = 5


def busy() -> None:
    while True:
        pass


def timed(file: str, threads: int) -> float:
    """Median seconds of one window."""
    from promptlens.encoder import Window, load_encoder

    encoder = load_encoder(file, "clip-l", device="cpu", threads=threads)
    (window,) = windows(ids_of(prompt(20)), SIZES["clip-l"].pad)
    took = []
    for _ in range(TIMED + 1):
        began = time.perf_counter()
        encoder.encode_windows([Window(window)])
        took.append(time.perf_counter() - began)
    return statistics.median(took[1:])


def asked(*arguments: str, passive: bool = True) -> str:
    """What a fresh process says; without `passive` it spins, as OpenMP does where nobody says otherwise."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "PROMPTLENS_"))}
    if not passive:
        environment["OMP_WAIT_POLICY"] = "ACTIVE"
    command = [sys.executable, __file__, *arguments]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()


def situation(file: str, rounds: int, counts: list[int]) -> str:
    sides = [(1, True), *((n, passive) for n in counts[1:] for passive in (False, True))]
    seconds: dict[tuple[int, bool], list[float]] = {side: [] for side in sides}
    for _ in range(rounds):
        for threads, passive in sides:
            seconds[threads, passive].append(float(asked("--time", file, str(threads), passive=passive)))
    chosen = Counter(int(asked("--choose")) for _ in range(CHOICES))
    medians = " | ".join(f"{statistics.median(found):.3f}" for found in seconds.values())
    load = os.getloadavg()[0]
    return f"{medians} | {load:.1f} | {', '.join(f'{n} ({times} of {CHOICES})' for n, times in chosen.most_common())}"


def main() -> None:
    if sys.argv[1:2] == ["--time"]:
        print(timed(sys.argv[2], int(sys.argv[3])))
        return
    if sys.argv[1:2] == ["--choose"]:
        from promptlens.encoder.threads import choose_threads

        print(choose_threads())
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2)
    rounds = parser.parse_args().rounds
    cores = available_cores()
    counts = [n for n in (1, 2, 4, 8, 16, 32) if n <= cores]
    print(f"{cores} cores, load {os.getloadavg()[0]:.1f} at first; seconds for one window of 77 through CLIP-L\n")
    ways = [f"{n} threads, {way}" for n in counts[1:] for way in ("spinning", "passive")]
    print(
        f"| other programs | 1 thread | {''.join(f'{way} | ' for way in ways)}load | chosen |\n|---|---|{'---|' * len(ways)}---|---|",
        flush=True,
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "clip-l.safetensors"
        reference("clip-l", file)
        for others in sorted({0, 1, cores}):
            running = [multiprocessing.Process(target=busy, daemon=True) for _ in range(others)]
            for process in running:
                process.start()
            print(f"| {others or 'none'} | {situation(str(file), rounds, counts)} |", flush=True)
            for process in running:
                process.terminate()
                process.join()


if __name__ == "__main__":
    main()
