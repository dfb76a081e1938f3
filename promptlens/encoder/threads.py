"""How many processor threads an encoder uses, and how they wait for each other.

Both matter more than they should. A layer is a dozen products of a few milliseconds, and after each one all threads meet. When
another program holds one of two cores, one thread is always late, and by default the others spin while they wait and take
from it the core it needs. Measured with CLIP-L, one window of 77, on two cores (Zen 4, torch 2.13, median seconds):

                                    nothing else runs    one core busy    both busy
    1 thread                                    0.186            0.177        0.309
    2 threads, spinning (default)               0.110            2.608        1.467
    2 threads, OMP_WAIT_POLICY=PASSIVE          0.120            0.223        0.246

So torch is imported with passive waiting, which costs a tenth when all is quiet and saves a factor of ten when it is not, and
the count is found by trying: a product of the size of a layer's, with one thread, two, four ... as long as it helps. It is
found once a process, because sums may differ in the last digit between counts and equal prompts should give equal numbers.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from promptlens.errors import WeightsError
from promptlens.processes import available_cores

VARIABLE = "PROMPTLENS_THREADS"

# Rows and columns of the product tried (CLIP-L's fc1 over one window: 4 ms on one thread), and how often.
_TRIED_SHAPE = (77, 768, 3072)
_TRIES = 5
# More threads must pay: each is also a core taken from the picture being made meanwhile.
_WORTH_IT = 0.85


def import_torch() -> Any:
    """The torch module, imported so that its threads wait passively; `WeightsError` with the way out where it is missing."""
    calm = "torch" not in sys.modules and "OMP_WAIT_POLICY" not in os.environ
    if calm:
        os.environ["OMP_WAIT_POLICY"] = "PASSIVE"  # OpenMP reads it when it is loaded, with torch
    try:
        import torch  # 1.2 s
    except ImportError as e:
        raise WeightsError(f"Encoding needs torch, which is not installed ({e}). Install it with: pip install 'promptlens[encoder]'") from e
    finally:
        if calm:
            del os.environ["OMP_WAIT_POLICY"]
    return torch


@contextmanager
def using_threads(count: int | None) -> Iterator[None]:
    """torch computes with `count` threads (None: as many as `choose_threads` says) and without gradients inside."""
    torch = import_torch()
    before = torch.get_num_threads()
    torch.set_num_threads(count or choose_threads())
    try:
        with torch.inference_mode():
            yield
    finally:
        torch.set_num_threads(before)


@lru_cache(maxsize=1)
def choose_threads() -> int:
    """Threads to compute with, found by trying (some 50 ms, once a process).

    PROMPTLENS_THREADS decides if it is set, then OMP_NUM_THREADS. Else the smallest count that twice as many do not beat by 15 %.
    """
    for variable in (VARIABLE, "OMP_NUM_THREADS"):
        asked = os.environ.get(variable, "")
        if asked.isdecimal() and int(asked) > 0:
            return int(asked)
    best, best_s = 1, _product_seconds(1)
    count, available = 2, available_cores()
    while count <= available:
        seconds = _product_seconds(count)
        if seconds > best_s * _WORTH_IT:
            break
        best, best_s = count, seconds
        count = available if count < available < 2 * count else 2 * count
    return best


def _product_seconds(count: int) -> float:
    """Median time of one product with `count` threads."""
    torch = import_torch()
    rows, inner, columns = _TRIED_SHAPE
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        with torch.inference_mode():
            x, weight = torch.ones(rows, inner), torch.ones(columns, inner)
            times = []
            for _ in range(_TRIES + 1):
                start = time.perf_counter()
                torch.nn.functional.linear(x, weight)
                times.append(time.perf_counter() - start)
    finally:
        torch.set_num_threads(before)
    return sorted(times[1:])[_TRIES // 2]
