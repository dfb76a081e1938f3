"""What every test gets: no settings of whoever runs it, an empty working directory, and the data beside the project if it is there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# In CI a commit gives the same answer each time; at a desk every run tries other texts. A busy machine may take its time in both.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("desk", deadline=None)
settings.load_profile("ci" if "CI" in os.environ else "desk")

SHARED = Path(__file__).resolve().parents[2] / "shared"

# What would change what is printed, or where settings are looked for.
ENVIRONMENT = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TERM", "COLORTERM", "PROMPTLENS_DEBUG", "PYTHONIOENCODING", "PYTHONUTF8")
# Where weights and vocabularies would be found that are whoever's who runs the tests.
PLACES = ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "PROMPTLENS_ENCODERS")
FOLDERS = {"HOME": "", "USERPROFILE": "", "XDG_CONFIG_HOME": ".config", "APPDATA": "AppData/Roaming", "LOCALAPPDATA": "AppData/Local"}
FOLDERS |= {"XDG_STATE_HOME": ".local/state", "XDG_DATA_HOME": ".local/share", "XDG_CACHE_HOME": ".cache"}


@pytest.fixture(autouse=True)
def isolated(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home and a working directory with nothing in them, and no variable that colours or widens the output; the home."""
    home = tmp_path_factory.mktemp("home")
    work = home / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    for name in ENVIRONMENT + PLACES:
        monkeypatch.delenv(name, raising=False)
    for name, folder in FOLDERS.items():
        monkeypatch.setenv(name, str(home / folder))
    return home


@pytest.fixture
def tiny_file(tmp_path: Path) -> Path:
    """T5's vocabulary in miniature."""
    from tiny_t5 import write_tiny

    return write_tiny(tmp_path / "t5")


@pytest.fixture
def shared() -> Path:
    """The folder of recordings and corpora beside the project; without it the test is skipped."""
    if not SHARED.is_dir():
        pytest.skip("needs the folder 'shared' beside the project")
    return SHARED


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests marked `shared` are skipped where the folder is not there."""
    if not SHARED.is_dir():
        for item in items:
            if item.get_closest_marker("shared"):
                item.add_marker(pytest.mark.skip(reason="needs the folder 'shared' beside the project"))
