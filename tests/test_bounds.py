"""The bounds themselves: what takes too much ends, what does not goes on."""

from __future__ import annotations

import re
import signal

import pytest
from bounds import TooMuchWork, calls_of, processor_limit


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the system has no such limit")
@pytest.mark.parametrize("work", ["while True: pass", 're.match(r"(a|a)*$", "a" * 40 + "b")'], ids=["a loop", "a regular expression"])
def test_what_never_ends_is_ended(work: str) -> None:
    with pytest.raises(TooMuchWork), processor_limit(0.02):
        exec(work, {"re": re})


def test_what_ends_is_let_be() -> None:
    with processor_limit(60):
        assert sum(range(10)) == 45
    with processor_limit(60):
        pass


def test_calls_are_counted() -> None:
    def work(count: int) -> list[int]:
        return [len("a") for _ in range(count)]

    assert calls_of(lambda: work(1000)) - calls_of(lambda: work(10)) == 990
