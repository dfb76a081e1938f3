"""Whole processes: `promptlens check "a cat"` against a script that loads a tokenizer and encodes the same.

usage: cold_start.py [--runs N]
Runs the sides in turn and prints the median wall time, processor time and peak memory of each, and the median of the run-by-run ratios.
Peers: tokenizers loading a tokenizer.json, and transformers' CLIPTokenizer where transformers is installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from peers import write_files

PROMPT = "a cat"


def run(command: list[str]) -> tuple[float, float, float]:
    """(wall seconds, processor seconds, peak MB) of one process."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def sides(folder: Path) -> dict[str, list[str]]:
    tokenizer_json, hub = write_files(folder)
    code = f"from tokenizers import Tokenizer; Tokenizer.from_file({str(tokenizer_json)!r}).encode({PROMPT!r})"
    found = {
        "promptlens check": [str(Path(sys.executable).with_name("promptlens")), "check", PROMPT],
        "tokenizers": [sys.executable, "-c", code],
    }
    if importlib.util.find_spec("transformers"):
        code = f"from transformers import CLIPTokenizer; CLIPTokenizer.from_pretrained({str(hub)!r})({PROMPT!r})"
        found["transformers"] = [sys.executable, "-c", code]
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        commands = sides(Path(folder))
        for command in commands.values():
            run(command)  # files into the cache, byte code written
        measured: dict[str, list[tuple[float, float, float]]] = {name: [] for name in commands}
        for _ in range(arguments.runs):
            for name, command in commands.items():
                measured[name].append(run(command))
    ours = measured["promptlens check"]
    print(f"{arguments.runs} runs each, in turn; medians")
    print(f"{'':18}{'wall':>9}{'cpu':>9}{'peak':>9}   promptlens takes (wall)")
    for name, runs in measured.items():
        wall, cpu, peak = (statistics.median(column) for column in zip(*runs, strict=True))
        ratio = statistics.median(a[0] / b[0] for a, b in zip(ours, runs, strict=True))
        print(f"{name:18}{wall * 1000:6.0f} ms{cpu * 1000:6.0f} ms{peak:6.0f} MB   {ratio:.2f} x")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
