"""Three ways to have the CLIP vocabulary ready: promptlens' merge table, tokenizers' BPE built from merges, a tokenizer.json parsed.

usage: vocabulary.py [--runs N]
Each run is a fresh process that loads the vocabulary and encodes one word; medians of the time inside it (imports included) and of its peak
memory.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from peers import write_files

END = "; print(time.perf_counter() - t, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
START = "import time, resource; t = time.perf_counter(); "


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = str(write_files(Path(folder))[0])
        sides = {
            "merge table": "from promptlens.vocab import load; load().encode_word('cat')",
            "tokenizers BPE from merges": "from promptlens.vocab import load; load().as_tokenizers_model().tokenize('cat')",
            "tokenizer.json": f"from tokenizers import Tokenizer; Tokenizer.from_file({path!r}).encode('cat')",
        }
        measured: dict[str, list[list[float]]] = {name: [] for name in sides}
        for run in range(arguments.runs + 1):
            for name, code in sides.items():
                done = subprocess.run([sys.executable, "-c", START + code + END], capture_output=True, text=True, check=True)
                if run:  # the first fills the file cache
                    measured[name].append([float(x) for x in done.stdout.split()])
    for name, runs in measured.items():
        seconds, peak = (statistics.median(column) for column in zip(*runs, strict=True))
        print(f"{name:28}{seconds * 1000:6.0f} ms{peak:6.0f} MB")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
