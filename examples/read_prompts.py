"""Every prompt of a file of any kind (a workflow, styles, captions, a picture), its place in it, and how many tokens A1111 counts.

usage: read_prompts.py FILE...
"""

from __future__ import annotations

import sys

from promptlens import PromptLensError, analyze, read_prompts

for path in sys.argv[1:]:
    try:
        for prompt in read_prompts(path):
            where = f"{path}:{prompt.line}:{prompt.column}: {prompt.role}"
            if prompt.computed:
                print(f"{where}: {prompt.key}: {prompt.computed}")
            else:
                count = analyze(prompt.text, host="a1111", model="sd15").usage.encoders[0].shown_count
                print(f"{where}: {prompt.key}: {count} tokens: {prompt.text[:40]!r}")
    except PromptLensError as error:
        print(error, file=sys.stderr)
