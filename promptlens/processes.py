"""Child processes of this program, and how many processors there are for them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import promptlens

if TYPE_CHECKING:
    import subprocess

# What a process may take to end after its pipe was closed; it does nothing first, so more means that it hangs.
END_S = 5.0


def start_child(module: str, *, hears_stderr: bool = False) -> subprocess.Popen[bytes]:
    """A module of this package, run by this Python, with pipes for its standard streams (of stderr only if that is heard).

    It has a session of its own, so that the terminal's Ctrl-C is not sent to it; it is to end when its standard input does.
    """
    import subprocess  # 15 ms, which who only counts cores need not wait for

    root = str(Path(promptlens.__file__).parents[1])
    path = os.pathsep.join(p for p in (root, os.environ.get("PYTHONPATH")) if p)
    windows_flags = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0) | getattr(subprocess, "CREATE_NO_WINDOW", 0)
    return subprocess.Popen(
        [sys.executable, "-P", "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if hears_stderr else None,
        env={**os.environ, "PYTHONPATH": path},
        start_new_session=True,
        creationflags=windows_flags,
    )


def how_ended(code: int) -> str:
    """How a process ended, in words.

    >>> how_ended(2), how_ended(-9)
    ('ended with code 2', 'was killed by signal 9 (9 mostly means that memory ran out)')
    """
    return f"was killed by signal {-code} (9 mostly means that memory ran out)" if code < 0 else f"ended with code {code}"


def available_cores() -> int:
    """Cores this process may use: its affinity, and the quota of its container if it has one."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        with open("/sys/fs/cgroup/cpu.max", encoding="ascii") as file:
            quota, period = file.read().split()
        return max(1, min(cores, int(quota) // int(period)))
    except (OSError, ValueError):  # no container, or no quota ("max")
        return cores
