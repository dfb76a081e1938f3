"""The pre-commit hooks: which files they take, and what they say in a repository. pre-commit runs them; its environments are left out."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import promptlens

ROOT = Path(promptlens.__file__).parents[1]
MANIFEST = ROOT / ".pre-commit-hooks.yaml"
HOOKS: list[dict[str, Any]] = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))

TAKEN = [
    "styles.csv",
    "config/my styles.csv",
    "styles_integrated.csv",
    "0001.caption",
    "train/10_cat/0001.caption",
    "prompts/hero.txt",
    "a/prompt/hero.txt",
    "wildcards/colors.txt",
    "extensions/x/wildcards/deep/colors.yaml",
    "wildcards/all.json",
    "workflows/portrait.json",
    "comfy/workflow/portrait.json",
    "styles/sdxl.json",
    "sdxl_styles_base.json",
    "sample_prompts.txt",
]

LEFT_ALONE = [
    "notes.txt",
    "requirements.txt",
    "docs/readme.txt",
    "LICENSE.txt",
    "data.csv",
    "package.json",
    "train/10_cat/0001.txt",
    "styles/theme.css",
    "prompts/code.py",
    "myprompts/hero.txt",
    ".github/workflows/check.json",
    ".github/workflows/check.yml",
    "a/.vscode/prompts/x.txt",
    "stylesheet.txt",
    "hero.prompt",
    "cat.png",
]

BAD = {
    "styles.csv": 'name,prompt,negative_prompt\nPhoto,"photo of {prompt}, film, raw, film",blurry <|endoftext|>\n',
    "0001.caption": "1girl <|endoftext|>, solo\n",
    "workflows/w.json": json.dumps(
        {
            "3": {"class_type": "KSampler", "inputs": {"positive": ["6", 0]}},
            "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a cat <|endoftext|>"}},
        }
    ),
}


def test_the_manifest_is_valid() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-manifest", str(MANIFEST)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert [hook["id"] for hook in HOOKS] == ["promptlens-check", "promptlens-fix"]


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: str(hook["id"]))
def test_a_hook_takes_files_with_prompts_and_no_other(hook: dict[str, Any]) -> None:
    pattern = re.compile(hook["files"])
    assert [name for name in TAKEN if not pattern.search(name)] == []
    assert [name for name in LEFT_ALONE if pattern.search(name)] == []
    assert hook["require_serial"] is True
    assert "additional_dependencies" not in hook, "the base dependencies are enough"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository whose hooks are ours, run by this Python."""
    if shutil.which("git") is None:
        pytest.skip("needs git")
    git(tmp_path, "init", "-q")
    local = [{**hook, "language": "unsupported", "entry": f"{sys.executable} -m {hook['entry']}"} for hook in HOOKS]
    (tmp_path / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [{"repo": "local", "hooks": local}]}), encoding="utf-8")
    return tmp_path


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)


def commit_check(folder: Path, hook: str) -> tuple[int, str]:
    """What pre-commit says of all files."""
    git(folder, "add", "-A")
    environment = {**os.environ, "PRE_COMMIT_HOME": str(folder / ".git" / "cache"), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "pre_commit", "run", "--all-files", "--color", "never", hook]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8", check=False)
    return done.returncode, done.stdout + done.stderr


def write(folder: Path, name: str, content: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_stops_the_commit(repository: Path, name: str) -> None:
    write(repository, name, BAD[name])
    code, said = commit_check(repository, "promptlens-check")
    assert code == 1
    assert f"{name}:" in said
    assert "TB304" in said


def test_good_files_and_files_that_are_none_of_ours_pass(repository: Path) -> None:
    write(repository, "styles.csv", "name,prompt,negative_prompt\nPhoto,a photo,blurry\n")
    write(repository, "notes.txt", "a <|endoftext|> cat")
    write(repository, "workflows/deploy.json", '{"steps": [1, 2]}')
    write(repository, "prompts/settings.yaml", "a: 1\n")
    code, said = commit_check(repository, "promptlens-check")
    assert code == 0
    assert said.rstrip().endswith("Passed")


def test_what_is_excluded_stays_so_when_it_is_named(repository: Path) -> None:
    write(repository, "prompts/README.txt", BAD["0001.caption"])
    assert commit_check(repository, "promptlens-check")[0] == 0


def test_fixing_mends_what_it_can_and_then_all_passes(repository: Path) -> None:
    for name, content in BAD.items():
        write(repository, name, content)
    code, said = commit_check(repository, "promptlens-fix")
    assert code == 1
    assert "files were modified by this hook" in said
    assert commit_check(repository, "promptlens-fix")[0] == 0
    assert commit_check(repository, "promptlens-check")[0] == 0
    assert all("endoftext" not in (repository / name).read_text(encoding="utf-8") for name in BAD)
