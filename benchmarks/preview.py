"""How long the preview encoder takes: to build and load once torch is there, and for a prompt of 20 words without each of them.

python benchmarks/preview.py      one thread; the best of several runs
"""

from __future__ import annotations

import time

import torch

from promptlens.encoder import Window, load_encoder
from promptlens.tokens import Reading, tokenizer
from promptlens.vocab import END_ID, START_ID

WORDS = "an oil painting of two red foxes in a snowy forest at dusk with soft golden light and very fine detail"
ROUNDS = 9


def main() -> None:
    torch.set_num_threads(1)
    loads = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        load_encoder("preview", threads=1)
        loads.append(time.perf_counter() - began)
    print(f"build and load: first {loads[0] * 1000:.0f} ms, best {min(loads) * 1000:.0f} ms")
    encode = tokenizer(Reading("fast")).encode
    words = WORDS.split()
    texts = [WORDS, *(" ".join(words[:n] + words[n + 1 :]) for n in range(len(words)))]
    windows = []
    for text in texts:
        ids = encode(text)
        windows.append(Window((START_ID, *ids, *[END_ID] * (76 - len(ids)))))
    took = []
    for _ in range(ROUNDS):
        fresh = load_encoder("preview", threads=1)
        began = time.perf_counter()
        fresh.pool_windows(windows, base=windows[0])
        took.append(time.perf_counter() - began)
    print(f"{len(words)} words, each left out once: median {sorted(took)[len(took) // 2] * 1000:.1f} ms, best {min(took) * 1000:.1f} ms")


if __name__ == "__main__":
    main()
