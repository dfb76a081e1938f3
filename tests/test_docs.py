"""What README shows is what the tool prints."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_generated_parts_of_the_readme_are_up_to_date() -> None:
    done = subprocess.run([sys.executable, str(ROOT / "docs" / "generate.py"), "--check"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_readme_names_no_file_that_is_not_there() -> None:
    import re

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = re.findall(r"(?<!/)\b((?:docs|promptlens|benchmarks|tests|examples)/[\w./-]*\w)", text)
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []
