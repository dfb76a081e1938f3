"""Hosts of other packages: the example, installed and used, and those that are broken."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "host-plugin"


def run(target: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """promptlens in a process of its own, with what is installed in a folder."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(target), str(ROOT)]), "COLUMNS": "80"}
    command = [sys.executable, "-m", "promptlens", *arguments]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", env=environment, check=False)


def install(target: Path, name: str, points: dict[str, str], code: str) -> None:
    """A package as an installer leaves it: its module, its metadata and its entry points."""
    module = name.replace("-", "_")
    (target / module).mkdir(parents=True)
    (target / module / "__init__.py").write_text(code, encoding="utf-8")
    info = target / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
    lines = "".join(f"{point} = {value}\n" for point, value in points.items())
    (info / "entry_points.txt").write_text(f"[promptlens.hosts]\n{lines}", encoding="utf-8")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, built and installed by pip into a folder."""
    pytest.importorskip("hatchling")
    target = tmp_path_factory.mktemp("site")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check", "--target", str(target)]
    done = subprocess.run([sys.executable, "-m", "pip", "install", *options, str(EXAMPLE)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return target


def test_the_example_is_a_host_like_any_other(installed: Path) -> None:
    done = run(installed, "check", "--host", "plainhost", "--set", "keep=3", "--format", "json", "a red emotionless cat")
    report = json.loads(done.stdout)
    assert done.returncode == 1
    assert (report["host"], report["options"], report["host_observed"]) == ("plainhost", {"keep": 3}, False)
    first = report["lines"][0]["encoders"][0]
    assert (first["used"], [token["text"] for token in first["lost"]["tokens"]][-1]) == (2, "cat")
    assert run(installed, "check", "--host", "plainhost", "--set", "keep=0", "a").stderr.strip().endswith("not 0.")
    said = run(installed, "hosts")
    assert (said.returncode, said.stderr) == (0, "")
    assert "plainhost    Plainhost" in said.stdout


def test_a_settings_file_may_name_it_and_its_options(installed: Path) -> None:
    Path("promptlens.toml").write_text('host = "plainhost"\n[options]\nkeep = 2', encoding="utf-8")
    assert "clip-l 3/75 tokens, 1 chunk (2), 1 lost" in run(installed, "check", "--format", "concise", "a red cat").stdout


GOOD = (EXAMPLE / "promptlens_plainhost" / "__init__.py").read_text(encoding="utf-8")
BROKEN = {
    "an import error": ("plainhost", "import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
    "a syntax error": ("plainhost", "def", "SyntaxError"),
    "something else than a host": ("plainhost", "HOST = 3", "is no promptlens.hosts.Host, but of the type int"),
    "another name": ("other", GOOD, "its entry point says 'other' and its Host 'plainhost'"),
    "options that are none": ("plainhost", GOOD.replace("options=Options", "options=dict"), "its options must be a dataclass"),
}


@pytest.mark.parametrize(("name", "code", "why"), BROKEN.values(), ids=BROKEN)
def test_a_broken_one_is_a_line(tmp_path: Path, name: str, code: str, why: str) -> None:
    install(tmp_path, "broken-one", {name: "broken_one:HOST"}, code)
    done = run(tmp_path, "check", "--host", name, "a cat")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: The host '{name}' of the package broken-one cannot be used: ")
    assert why in done.stderr
    assert done.stderr.count("\n") == 1
    said = run(tmp_path, "hosts")
    assert (said.returncode, said.stderr.count("\n")) == (0, 1)
    assert why in said.stderr
    assert "ComfyUI" in said.stdout
    assert run(tmp_path, "check", "--host", "comfyui", "a cat").stderr == ""


def test_a_name_of_ours_is_refused(tmp_path: Path) -> None:
    install(tmp_path, "clash", {"a1111": "clash:HOST"}, GOOD.replace('name="plainhost"', 'name="a1111"'))
    assert "PromptLens has a host of that name" in run(tmp_path, "hosts").stderr
    assert json.loads(run(tmp_path, "check", "--format", "json", "a (cat)").stdout)["options"]["emphasis"] == "Original"


def test_of_two_with_one_name_the_first_holds(tmp_path: Path) -> None:
    for name in ("one", "two"):
        install(tmp_path, name, {"plainhost": f"{name}:HOST"}, GOOD)
    assert "The host 'plainhost' of the package two is left out: another package has" in run(tmp_path, "hosts").stderr
    assert run(tmp_path, "check", "--host", "plainhost", "a cat").returncode == 0


def test_an_unknown_name_is_answered_with_all_hosts(installed: Path) -> None:
    assert "Did you mean 'plainhost'?" in run(installed, "check", "--host", "plainhst", "a cat").stderr


LAZY = """
import sys
from promptlens.__main__ import main
main(["check", "--format", "concise", "a"])
print([name for name in {} if name in sys.modules])
"""


@pytest.mark.parametrize("host", ["a1111", "comfyui"])
def test_a_run_with_a_host_of_ours_looks_for_no_others(host: str) -> None:
    Path("promptlens.toml").write_text(f'host = "{host}"\n[options]\nembeddings = {{x = 2}}', encoding="utf-8")
    code = LAZY.format(("importlib.metadata", "promptlens.hosts._plugins"))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr
