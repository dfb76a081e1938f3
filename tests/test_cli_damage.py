"""One run over a folder of damaged and hostile files: one line for each that cannot be read, and the good ones are checked all the same."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "sources"))

from source_samples import SAMPLES
from test_source_damage import SEED, cut, doubled, flipped, long_line, nested, recoded, shuffled

COUNT = 200
LIMIT_S = 300  # nothing is timed: a run that hangs is a failure


def test_two_hundred_damaged_files_in_one_run(isolated: Path) -> None:
    rng = random.Random(SEED)
    damages = (cut, flipped, shuffled, recoded, nested, doubled, long_line)
    for number in range(COUNT):
        sample = rng.choice(SAMPLES)
        name = Path(sample.name)
        folder = Path("damaged", str(number), *name.parent.parts)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name.name).write_bytes(rng.choice(damages)(rng, sample.content))
    Path("damaged/bomb.yaml").write_text(
        "a: &a [x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}, *{a}]\n" for a, b in zip("abcdefghij", "bcdefghijk", strict=True))
    )
    with open("damaged/huge.txt", "wb") as handle:
        handle.write(b"red, " * 20_000_000)  # one line of 100 MB
    os.symlink("..", "damaged/loop")
    os.symlink("nowhere.txt", "damaged/dangling.txt")
    if hasattr(os, "mkfifo"):
        os.mkfifo("damaged/pipe.txt")
    Path("damaged/folder.txt").mkdir()
    Path("damaged/zz_good.txt").write_text("red, red\n")
    command = [sys.executable, "-m", "promptlens", "check", "--format", "concise", "--no-respect-gitignore", "damaged"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "should not" not in done.stderr
    lines = done.stderr.splitlines()
    assert all(line.startswith(("error: damaged", "note: damaged")) for line in lines), lines
    errors = [line for line in lines if line.startswith("error: ")]
    assert all("TB501" in line or "cannot be read" in line for line in errors)
    assert sum("huge.txt" in line for line in errors) == 1
    assert "damaged/zz_good.txt:1:6: warning TB401" in done.stdout
