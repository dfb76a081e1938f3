"""The thread count: the user's word, then what was tried; and torch stays out until something is encoded."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import promptlens
from promptlens.encoder import threads
from promptlens.errors import WeightsError
from promptlens.processes import available_cores


@pytest.fixture(autouse=True)
def _nothing_chosen_yet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for variable in (threads.VARIABLE, "OMP_NUM_THREADS"):
        monkeypatch.delenv(variable, raising=False)
    threads.choose_threads.cache_clear()
    yield
    threads.choose_threads.cache_clear()


@pytest.mark.parametrize(
    ("seconds", "cores", "chosen"),
    [
        ({1: 4.0}, 1, 1),
        ({1: 4.0, 2: 2.1}, 2, 2),
        ({1: 4.0, 2: 15.0}, 2, 1),  # another program holds a core
        ({1: 4.0, 2: 3.8}, 2, 1),  # a core for 5 %
        ({1: 4.0, 2: 2.1, 4: 1.2, 8: 1.19}, 8, 4),
        ({1: 4.0, 2: 2.1, 4: 1.2, 6: 0.8}, 6, 6),
        ({1: 4.0, 2: 2.1, 3: 1.5}, 3, 3),
        ({1: 4.0, 2: 3.9, 4: 0.5}, 4, 1),
    ],
)
def test_more_threads_have_to_pay(monkeypatch: pytest.MonkeyPatch, seconds: dict[int, float], cores: int, chosen: int) -> None:
    monkeypatch.setattr(threads, "_product_seconds", seconds.__getitem__)
    monkeypatch.setattr(threads, "available_cores", lambda: cores)
    assert threads.choose_threads() == chosen


def test_the_user_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert threads.choose_threads() == 3
    threads.choose_threads.cache_clear()
    monkeypatch.setenv(threads.VARIABLE, "5")
    assert threads.choose_threads() == 5


def test_available_cores_are_at_least_one() -> None:
    assert available_cores() >= 1


def test_the_count_of_the_program_around_is_left_as_it_was() -> None:
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    with threads.using_threads(1):
        assert torch.get_num_threads() == 1
        assert torch.is_inference_mode_enabled()
    assert torch.get_num_threads() == before
    assert not torch.is_inference_mode_enabled()


def test_without_torch_the_message_has_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(WeightsError, match=r"pip install 'promptlens\[encoder\]'"):
        threads.import_torch()


IMPORTED = """
import sys
import promptlens.encoder
from promptlens.encoder import choose_encoder, find_encoders, load_encoder, pull, Window, EncoderProcess, cached_encoder
slow = {"torch", "transformers", "safetensors", "huggingface_hub", "numpy", "yaml", "platformdirs"}
print(*sorted(slow & set(sys.modules)))
"""


def test_nothing_slow_is_imported_before_it_is_needed() -> None:
    root = str(Path(promptlens.__file__).parents[1])
    done = subprocess.run([sys.executable, "-c", IMPORTED], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.split() == []


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="needs torch")
def test_torch_is_imported_with_threads_that_wait_passively() -> None:
    root = str(Path(promptlens.__file__).parents[1])
    script = "import os; from promptlens.encoder.threads import import_torch; import_torch(); print('OMP_WAIT_POLICY' in os.environ)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.split() == ["False"]  # only while torch is loaded: other programs started from here decide for themselves
