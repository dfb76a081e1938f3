"""Which prompts of a file (one a line) lose words in diffusers, and which words.

usage: count_prompts.py FILE
"""

from __future__ import annotations

import sys
from pathlib import Path

from promptlens import analyze

for number, prompt in enumerate(Path(sys.argv[1]).read_text(encoding="utf-8").splitlines(), start=1):
    for use in analyze(prompt, host="diffusers", model="sdxl").usage.encoders:
        lost = use.lost
        if lost:
            words = prompt[lost[0].span.start : lost[-1].span.end]
            print(f"line {number}, {use.encoder.name}: {len(lost)} tokens never reach the model: {words!r}")
