"""What is loaded when: starting must stay quick, so each command imports only what it uses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import promptlens

ROOT = Path(promptlens.__file__).parents[1]
HEAVY = ("torch", "transformers", "textual", "rich", "numpy", "tokenizers", "yaml", "ftfy", "wcwidth", "platformdirs", "tomllib")


def loaded_after(code: str) -> set[str]:
    """Names of all modules that a fresh interpreter has loaded after some code."""
    script = f"import sys\n{code}\nimport json\nsys.stderr.write(json.dumps(sorted(sys.modules)))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, timeout=60, check=True)
    return set(json.loads(done.stderr))


def command(*arguments: str) -> str:
    return f"from promptlens.__main__ import main\nmain({list(arguments)!r})"


@pytest.mark.parametrize(
    "code",
    [
        "import promptlens",
        "import promptlens.cli",
        command("--help"),
        command("--version"),
        command("check", "--help"),
        command("hosts"),
        command("models"),
        command("check", "a (red:1.2) cat"),
        command("check", "--format", "concise", "a cat"),
        command("check", "--format", "json", "a cat"),
        command("tokens", "a cat"),
    ],
)
def test_nothing_heavy_is_loaded(code: str) -> None:
    assert loaded_after(code) & set(HEAVY) == set()


@pytest.mark.parametrize(
    "code", ["import promptlens", "import promptlens.cli", command("--help"), command("check", "--help"), command("--version")]
)
def test_help_loads_no_vocabulary_and_no_host(code: str) -> None:
    loaded = loaded_after(code)
    assert not {"promptlens.vocab", "promptlens.tokens", "promptlens.analysis", "promptlens.hosts"} & loaded


def test_lists_read_no_vocabulary() -> None:
    code = (
        command("hosts")
        + "\n"
        + command("models").splitlines()[1]
        + "\nfrom promptlens.vocab import load\nassert load.cache_info().currsize == 0"
    )
    loaded_after(code)


def test_importing_the_package_loads_nothing_of_it() -> None:
    assert {name for name in loaded_after("import promptlens") if name.startswith("promptlens")} == {"promptlens"}


def test_colours_load_rich_and_wide_letters_their_widths() -> None:
    assert "rich" in loaded_after(command("check", "--color", "always", "a cat"))
    assert "wcwidth" in loaded_after(command("check", "日本"))


def test_one_host_is_loaded() -> None:
    loaded = loaded_after(command("check", "--host", "diffusers", "--format", "concise", "a cat"))
    assert {name for name in ("a1111", "comfyui", "diffusers") if f"promptlens.hosts.{name}" in loaded} == {"diffusers"}
